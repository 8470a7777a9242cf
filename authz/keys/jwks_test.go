package keys_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/keys"
)

var update = flag.Bool("update", false, "write golden files")

// TestJWKSShape: which members an entry has, in which order, and how long their values are.
func TestJWKSShape(t *testing.T) {
	t.Parallel()
	ring := openRing(t, newStore(t), func(c *keys.Config) { c.Algorithms = everyAlgorithm })
	if err := ring.Rotate(t.Context(), authz.AlgES256, true); err != nil {
		t.Fatal(err)
	}
	body, _, _ := ring.JWKS()
	value := regexp.MustCompile(`"(kid|x|y|n)":"([^"]*)"`)
	shape := value.ReplaceAllFunc(body, func(member []byte) []byte {
		part := value.FindSubmatch(member)
		raw, err := base64.RawURLEncoding.Strict().DecodeString(string(part[2]))
		if err != nil {
			t.Errorf("%s is not base64url", member)
		}
		return fmt.Appendf(nil, `"%s":"(%d bytes)"`, part[1], len(raw))
	})
	var lines []byte
	for _, b := range shape {
		lines = append(lines, b)
		if b == '[' || b == ',' && lines[len(lines)-2] == '}' {
			lines = append(lines, '\n')
		}
	}
	golden(t, "testdata/jwks.golden", append(lines, '\n'))
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestJWKSForStrangers(t *testing.T) {
	t.Parallel()
	ring := openRing(t, newStore(t), func(c *keys.Config) { c.Algorithms = everyAlgorithm })
	seen := map[string]bool{}
	for _, k := range published(t, ring).Keys {
		if !k.Valid() || !k.IsPublic() || k.Use != "sig" {
			t.Errorf("key %s: valid %v, public %v, use %q", k.KeyID, k.Valid(), k.IsPublic(), k.Use)
		}
		sum, err := k.Thumbprint(5) // crypto.SHA256
		if want := base64.RawURLEncoding.EncodeToString(sum); err != nil || k.KeyID != want {
			t.Errorf("kid %s, want its RFC 7638 thumbprint %s (%v)", k.KeyID, want, err)
		}
		if seen[k.KeyID] {
			t.Errorf("kid %s names two keys", k.KeyID)
		}
		seen[k.KeyID] = true
	}
	if len(seen) != 2*len(everyAlgorithm) {
		t.Errorf("%d keys, want an active and a next one for each of %d algorithms", len(seen), len(everyAlgorithm))
	}
}

func TestJWKSMayBeCached(t *testing.T) {
	t.Parallel()
	tests := []struct {
		ahead, want time.Duration
	}{{time.Hour, 5 * time.Minute}, {time.Minute, time.Minute}}
	for _, tt := range tests {
		ring := openRing(t, newStore(t), func(c *keys.Config) { c.PublishAhead = tt.ahead })
		_, etag, age := ring.JWKS()
		if age != tt.want {
			t.Errorf("published %s ahead: cached for %s, want %s", tt.ahead, age, tt.want)
		}
		if err := ring.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, again, _ := ring.JWKS(); again != etag || etag[0] != '"' || etag[len(etag)-1] != '"' {
			t.Errorf("entity tag %s, then %s of the same keys", etag, again)
		}
		if err := ring.Rotate(t.Context(), "", true); err != nil {
			t.Fatal(err)
		}
		if _, other, _ := ring.JWKS(); other == etag {
			t.Error("other keys have the same entity tag")
		}
	}
}

func TestListHasNothingPrivate(t *testing.T) {
	t.Parallel()
	ring := openRing(t, newStore(t), nil)
	if err := ring.Rotate(t.Context(), "", true); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(ring.List())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range ring.List() {
		if k.CreatedAt.IsZero() || (k.State != authz.KeyNext) == k.ActivatedAt.IsZero() ||
			(k.State == authz.KeyRetired) == k.RetiredAt.IsZero() || (k.State == authz.KeyRetired) == k.ExpiresAt.IsZero() {
			t.Errorf("times of %+v", k)
		}
	}
	if m := regexp.MustCompile(`(?i)sealed|"d"|private`).Find(text); m != nil {
		t.Errorf("%s in %s", m, text)
	}
}
