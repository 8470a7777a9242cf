package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

var everyAlgorithm = []string{authz.AlgES256, authz.AlgRS256, authz.AlgPS256, authz.AlgEdDSA}

func masterOf(t *testing.T, fill byte) *Master {
	t.Helper()
	m, err := NewMaster(bytes.Repeat([]byte{fill}, minMaster))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// privateNumbers are the bytes that nobody may find in the database.
func privateNumbers(t *testing.T, p *private) map[string][]byte {
	t.Helper()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(p.stdlib())
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string][]byte{"PKCS 8": pkcs8}
	switch {
	case p.ec != nil:
		if numbers["d"], err = p.ec.Bytes(); err != nil {
			t.Fatal(err)
		}
	case p.rsa != nil:
		numbers["d"], numbers["p"] = p.rsa.D.Bytes(), p.rsa.Primes[0].Bytes()
	default:
		numbers["seed"] = p.ed.Seed()
	}
	return numbers
}

func TestARowTellsNothingWithoutTheMasterKey(t *testing.T) {
	t.Parallel()
	for _, alg := range everyAlgorithm {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			row, err := newRow(alg, authz.KeyActive, masterOf(t, 1), rand.Reader, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			opened, err := openRow(row, masterOf(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			for name, number := range privateNumbers(t, &opened.private) {
				text := base64.RawURLEncoding.EncodeToString(number)
				for _, column := range [][]byte{row.Sealed, row.PublicJWK} {
					if bytes.Contains(column, number) || bytes.Contains(column, []byte(text)) {
						t.Errorf("%s is in the row", name)
					}
				}
			}
			var members map[string]any
			if err := json.Unmarshal(row.PublicJWK, &members); err != nil {
				t.Fatal(err)
			}
			for _, name := range slices.Sorted(maps.Keys(members)) {
				if !slices.Contains([]string{"kty", "use", "alg", "kid", "crv", "x", "y", "n", "e"}, name) {
					t.Errorf("published member %q", name)
				}
			}
		})
	}
}

func TestARowThatWasTamperedWithDoesNotOpen(t *testing.T) {
	t.Parallel()
	master := masterOf(t, 1)
	makeRow := func(alg string) authz.SigningKey {
		row, err := newRow(alg, authz.KeyActive, master, rand.Reader, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	row, other, rs256 := makeRow(authz.AlgES256), makeRow(authz.AlgES256), makeRow(authz.AlgRS256)
	tests := []struct {
		name   string
		row    authz.SigningKey
		change func(*authz.SigningKey)
	}{
		{"another key under the name", row, func(k *authz.SigningKey) { k.Sealed = other.Sealed }},
		{"another name for the key", row, func(k *authz.SigningKey) { k.KID = other.KID }},
		{"another algorithm for the key", rs256, func(k *authz.SigningKey) { k.Alg = authz.AlgPS256 }},
		{"a flipped bit", row, func(k *authz.SigningKey) { k.Sealed[len(k.Sealed)-1] ^= 1 }},
		{"a flipped bit of the nonce", row, func(k *authz.SigningKey) { k.Sealed[1] ^= 1 }},
		{"another version", row, func(k *authz.SigningKey) { k.Sealed[0]++ }},
		{"cut short", row, func(k *authz.SigningKey) { k.Sealed = k.Sealed[:5] }},
		{"emptied", row, func(k *authz.SigningKey) { k.Sealed = nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tampered := tt.row
			tampered.Sealed = bytes.Clone(tt.row.Sealed)
			tt.change(&tampered)
			if _, err := openRow(tampered, master); !errors.Is(err, ErrSealed) {
				t.Errorf("openRow = %v, want ErrSealed", err)
			}
		})
	}
	if _, err := openRow(row, masterOf(t, 2)); !errors.Is(err, ErrSealed) {
		t.Errorf("another master key: %v, want ErrSealed", err)
	}
}

// TestAKeySealedForTheWrongUseIsRefused: what the seal vouches for must fit as well.
func TestAKeySealedForTheWrongUseIsRefused(t *testing.T) {
	t.Parallel()
	master := masterOf(t, 1)
	p, err := generate(authz.AlgEdDSA, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(p.stdlib())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, kid, alg string }{
		{"a key of another kind", "k", authz.AlgES256},
		{"a name that is not its thumbprint", "k", authz.AlgEdDSA},
	} {
		sealed, err := master.Seal(pkcs8, sealAAD(tt.kid, tt.alg))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openRow(authz.SigningKey{KID: tt.kid, Alg: tt.alg, Sealed: sealed}, master); err == nil {
			t.Errorf("%s: opened", tt.name)
		}
	}
}
