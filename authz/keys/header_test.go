package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// TestHeadersUnderAGoodSignature: even what our own key has signed passes only with a header
// that leaves no question.
func TestHeadersUnderAGoodSignature(t *testing.T) {
	t.Parallel()
	ring, k := ringOf(t, authz.AlgES256)
	tests := []struct {
		name, header string
		ok           bool
	}{
		{"as we write it", `{"alg":"ES256","kid":"KID","typ":"JWT"}`, true},
		{"in another order", `{"typ":"JWT","kid":"KID","alg":"ES256"}`, true},
		{"without a type", `{"alg":"ES256","kid":"KID"}`, true},
		{"another alg for the key", `{"alg":"EdDSA","kid":"KID","typ":"JWT"}`, false},
		{"alg none", `{"alg":"none","kid":"KID","typ":"JWT"}`, false},
		{"no alg", `{"kid":"KID","typ":"JWT"}`, false},
		{"no kid", `{"alg":"ES256","typ":"JWT"}`, false},
		{"alg twice", `{"alg":"none","kid":"KID","alg":"ES256"}`, false},
		{"kid twice", `{"kid":"x","alg":"ES256","kid":"KID"}`, false},
		{"typ twice", `{"alg":"ES256","kid":"KID","typ":"JWT","typ":"at+jwt"}`, false},
		{"an empty typ and another", `{"alg":"ES256","kid":"KID","typ":"","typ":"at+jwt"}`, false},
		{"an unknown member", `{"alg":"ES256","kid":"KID","x":"y"}`, false},
		{"crit", `{"alg":"ES256","kid":"KID","crit":["x"]}`, false},
		{"jku", `{"alg":"ES256","kid":"KID","jku":"https://evil.example"}`, false},
		{"white space", `{"alg":"ES256", "kid":"KID"}`, false},
		{"an escape", `{"\u0061lg":"ES256","kid":"KID"}`, false},
		{"an escape in typ", `{"alg":"ES256","kid":"KID","typ":"at\u002bjwt"}`, false},
		{"something behind it", `{"alg":"ES256","kid":"KID"}x`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			head := strings.ReplaceAll(tt.header, "KID", k.KID)
			message := base64url.EncodeToString([]byte(head)) + ".e30"
			signature, err := k.sign(nil, []byte(message))
			if err != nil {
				t.Fatal(err)
			}
			_, claims, err := ring.Verify(message + "." + base64url.EncodeToString(signature))
			if (err == nil) != tt.ok || (string(claims) == "{}") != tt.ok || (err != nil && !errors.Is(err, ErrInvalid)) {
				t.Errorf("Verify = %q, %v; want accepted: %v", claims, err, tt.ok)
			}
		})
	}
}

// ringOf makes a ring of one key, without a store.
func ringOf(t *testing.T, alg string) (*Ring, *key) {
	t.Helper()
	cfg := Config{Master: masterOf(t, 1), Algorithms: []string{alg}}
	row, err := newRow(alg, authz.KeyActive, cfg.Master, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	snap, err := newSnapshot([]authz.SigningKey{row}, &snapshot{}, &cfg, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ring := &Ring{cfg: cfg}
	ring.snap.Store(snap)
	return ring, snap.active[alg]
}

// TestKeySetOrder: the order of the rows is not that of the key set.
func TestKeySetOrder(t *testing.T) {
	t.Parallel()
	cfg := Config{Master: masterOf(t, 1), Algorithms: []string{authz.AlgES256, authz.AlgEdDSA}}
	var rows []authz.SigningKey
	for _, alg := range cfg.Algorithms {
		for _, state := range []authz.KeyState{authz.KeyRetired, authz.KeyRetired, authz.KeyNext, authz.KeyActive} {
			row, err := newRow(alg, state, cfg.Master, nil, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
	}
	want, err := newSnapshot(rows, &snapshot{}, &cfg, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, k := range want.list {
		order = append(order, k.Alg+" "+string(k.State))
	}
	const first = "ES256 active, EdDSA active, ES256 next, EdDSA next, ES256 retired"
	if got := strings.Join(order, ", "); !strings.HasPrefix(got, first) {
		t.Errorf("order %s, want %s, …", got, first)
	}
	for i := range rows {
		turned := append(append([]authz.SigningKey(nil), rows[i:]...), rows[:i]...)
		got, err := newSnapshot(turned, want, &cfg, time.Now())
		if err != nil || !bytes.Equal(got.body, want.body) || got.etag != want.etag {
			t.Errorf("rows from %d on first: %s (%v), want %s", i, got.body, err, want.body)
		}
	}
}

// FuzzHeader: what the strict reader takes, a lenient one reads the same.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{
		`{"alg":"ES256","kid":"k","typ":"at+jwt"}`, `{"kid":"k","alg":"ES256"}`, `{"typ":"","alg":"","kid":""}`,
		`{"alg":"a,b","kid":"}"}`, `{"alg":"a","alg":"b","kid":"k"}`, `{}`, `{`, `{"alg":"a"`, `{"alg":"a",}`,
		`{"alg":"a","kid":"k"}}`, ` {"alg":"a","kid":"k"}`, `{"alg":null,"kid":"k"}`, `{"alg":"\\","kid":"k"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h, ok := parseHeader(text)
		if !ok {
			return
		}
		var want map[string]string
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("parseHeader took %q, which is not JSON: %v", text, err)
		}
		if want["alg"] != string(h.alg) || want["kid"] != string(h.kid) || want["typ"] != string(h.typ) {
			t.Errorf("parseHeader(%q) = %q %q %q, JSON says %v", text, h.alg, h.kid, h.typ, want)
		}
	})
}
