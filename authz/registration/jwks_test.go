package registration_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
)

// keyring is one key of each kind, private halves included.
type keyring struct {
	p256, p384 *ecdsa.PrivateKey
	rsa, small *rsa.PrivateKey
	ed         ed25519.PrivateKey
}

func newKeyring(t *testing.T) (k keyring) {
	t.Helper()
	var err [5]error
	k.p256, err[0] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	k.p384, err[1] = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	k.rsa, err[2] = rsa.GenerateKey(rand.Reader, 2048)
	k.small, err[3] = rsa.GenerateKey(rand.Reader, 1024)
	_, k.ed, err[4] = ed25519.GenerateKey(rand.Reader)
	for _, e := range err {
		if e != nil {
			t.Fatal(e)
		}
	}
	return k
}

func jwk(t *testing.T, key any, change ...func(*jose.JSONWebKey)) string {
	t.Helper()
	k := jose.JSONWebKey{Key: key}
	for _, c := range change {
		c(&k)
	}
	b, err := k.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func set(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func kid(id string) func(*jose.JSONWebKey)   { return func(k *jose.JSONWebKey) { k.KeyID = id } }
func alg(name string) func(*jose.JSONWebKey) { return func(k *jose.JSONWebKey) { k.Algorithm = name } }

func TestJWKS(t *testing.T) {
	t.Parallel()
	k, w := newKeyring(t), newWorld(t)
	p256 := jwk(t, k.p256.Public())
	for _, c := range []struct {
		name, alg, jwks, field string
	}{
		{"P-256", "", set(p256), ""},
		{"P-256 for ES256", authz.AlgES256, set(p256), ""},
		{"Ed25519 for EdDSA", authz.AlgEdDSA, set(jwk(t, k.ed.Public())), ""},
		{"RSA for PS256", authz.AlgPS256, set(jwk(t, k.rsa.Public())), ""},
		{"RSA that says RS256", authz.AlgRS256, set(jwk(t, k.rsa.Public(), alg("RS256"))), ""},
		{"several with kid", "", set(jwk(t, k.p256.Public(), kid("a")), jwk(t, k.ed.Public(), kid("b"))), ""},

		{"none", "", "", "jwks"},
		{"an empty set", "", set(), "jwks"},
		{"no set", "", `[]`, "jwks"},
		{"a key and no set", "", p256, "jwks"},
		{"no JSON", "", `{"keys":`, "jwks"},
		{"a key that is no object", "", set(`"x"`), "jwks"},
		{"a private EC key", "", set(jwk(t, k.p256)), "jwks"},
		{"a private RSA key", "", set(jwk(t, k.rsa)), "jwks"},
		{"a private Ed25519 key", "", set(jwk(t, k.ed)), "jwks"},
		{"a private member that is null", "", set(strings.Replace(p256, "{", `{"d":null,`, 1)), "jwks"},
		{"a symmetric key", "", set(jwk(t, []byte("0123456789abcdef"))), "jwks"},
		{"another curve", "", set(jwk(t, k.p384.Public())), "jwks"},
		{"a short RSA key", "", set(jwk(t, k.small.Public())), "jwks"},
		{"a key for encryption", "", set(jwk(t, k.p256.Public(), func(k *jose.JSONWebKey) { k.Use = "enc" })), "jwks"},
		{"a key for another algorithm than its own", "", set(jwk(t, k.p256.Public(), alg("RS256"))), "jwks"},
		{"an unsupported algorithm", "", set(jwk(t, k.rsa.Public(), alg("RS512"))), "jwks"},
		{"a point that is not on the curve", "", set(`{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}`), "jwks"},
		{"no key for the algorithm", authz.AlgPS256, set(p256), "jwks"},
		{"a key that says the other RSA algorithm", authz.AlgPS256, set(jwk(t, k.rsa.Public(), alg("RS256"))), "jwks"},
		{"several without kid", "", set(p256, jwk(t, k.ed.Public())), "jwks"},
		{"several with one kid", "", set(jwk(t, k.p256.Public(), kid("a")), jwk(t, k.ed.Public(), kid("a"))), "jwks"},
		{"too many keys", "", set(strings.Split(strings.Repeat(p256+"|", 21), "|")[:21]...), "jwks"},
		{"an endless set", "", set(p256) + strings.Repeat(" ", 16<<10), "jwks"},
		{"an unsupported assertion algorithm", "HS256", set(p256), "token_endpoint_auth_signing_alg"},
		{"unsigned assertions", "none", set(p256), "token_endpoint_auth_signing_alg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			created, secret, err := w.Create(t.Context(), registration.New{Metadata: webApp(func(m *metadata) {
				m.AuthMethod, m.AuthAlg, m.JWKS = authz.AuthPrivateKeyJWT, c.alg, json.RawMessage(c.jwks)
			})})
			if field(err) != c.field || (c.field == "") != (err == nil) {
				t.Fatalf("got %v, want an error about %q", err, c.field)
			}
			if err == nil && (secret != "" || len(created.Secrets) != 0) {
				t.Error("it got a secret that it has no use for")
			}
			if err != nil && strings.Contains(err.Error(), k.p256.D.String()) {
				t.Error("the error holds the key")
			}
		})
	}
}

func TestNothingIsKeptOfAKeyThatWasNotUnderstood(t *testing.T) {
	t.Parallel()
	k, w := newKeyring(t), newWorld(t)
	given := strings.Replace(jwk(t, k.p256.Public(), kid("a")), "{", `{"D":"c2VjcmV0","note":"hello",`, 1)
	c, _ := w.create(t, registration.New{Metadata: webApp(func(m *metadata) {
		m.AuthMethod, m.JWKS = authz.AuthPrivateKeyJWT, json.RawMessage(set(given))
	})})
	kept := string(w.client(t, c.ID).Metadata.JWKS)
	if strings.Contains(kept, "c2VjcmV0") || strings.Contains(kept, "hello") || !strings.Contains(kept, `"kid":"a"`) {
		t.Errorf("kept %s", kept)
	}
}

func FuzzJWKS(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[null]}`))
	s := registration.NewService(registration.Config{})
	f.Fuzz(func(t *testing.T, jwks []byte) {
		kept, err := s.CheckKeys(jwks)
		if err != nil {
			if field(err) == "" {
				t.Errorf("an outage by %q: %v", jwks, err)
			}
			return
		}
		if again, err := s.CheckKeys(kept); err != nil || string(again) != string(kept) {
			t.Errorf("kept %s, which reads as %s, %v", kept, again, err)
		}
	})
}
