package oauth2_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
)

// basic is a token request with the header that a test wants.
func (w *world) basic(header string, form url.Values) answer {
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	return w.send(r)
}

// A client authenticates with exactly one method, and with the one it is registered for
// (RFC 6749 §2.3).
func TestClientAuthentication(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		service := func(m *authz.ClientMetadata) {
			m.GrantTypes, m.RedirectURIs = []string{authz.GrantClientCredentials}, nil
			m.Scope = authz.Scopes{"orders:read"}
		}
		w.addClient("post", func(m *authz.ClientMetadata) { service(m); m.AuthMethod = authz.AuthSecretPost })
		w.addClient("public", func(m *authz.ClientMetadata) { service(m); m.AuthMethod = authz.AuthNone })
		secret := w.secret.Reveal()
		form := func(pairs ...string) url.Values {
			return cloneWith(url.Values{"grant_type": {"client_credentials"}}, pairs...)
		}
		header := func(id, secret string) string {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.SetBasicAuth(id, secret)
			return r.Header.Get("Authorization")
		}
		for _, tc := range []struct {
			name, header string
			form         url.Values
			status       int
			want         string
		}{
			{"basic", header("service", secret), form(), 200, ""},
			{"basic, form-encoded id", header("ser%76ice", secret), form(), 200, ""},
			{"basic and the same client_id", header("service", secret), form("client_id", "service"), 200, ""},
			{"basic and another client_id", header("service", secret), form("client_id", "post"), 400, "invalid_request"},
			{"basic and a secret in the body", header("service", secret), form("client_id", "service", "client_secret", secret), 400, "invalid_request"},
			{"wrong secret", header("service", "sgs_wrong"), form(), 401, "invalid_client"},
			{"empty secret", header("service", ""), form(), 401, "invalid_client"},
			{"unknown client", header("nobody", secret), form(), 401, "invalid_client"},
			{"broken basic", "Basic !!!", form(), 401, "invalid_client"},
			{"bearer", "Bearer x", form(), 401, "invalid_client"},
			{"nothing at all", "", form(), 401, "invalid_client"},
			{"post", "", form("client_id", "post", "client_secret", secret), 200, ""},
			{"post by a basic client", "", form("client_id", "service", "client_secret", secret), 401, "invalid_client"},
			{"basic by a post client", header("post", secret), form(), 401, "invalid_client"},
			{"none by a confidential client", "", form("client_id", "service"), 401, "invalid_client"},
			{"a public client for itself", "", form("client_id", "public"), 400, "unauthorized_client"},
			{"a public client with a secret", header("public", secret), form(), 401, "invalid_client"},
		} {
			a := w.basic(tc.header, tc.form)
			if a.status != tc.status || a.text("error") != tc.want {
				t.Errorf("%s: %d %s, want %d %s", tc.name, a.status, a.raw, tc.status, tc.want)
			}
			if got := a.header.Get("WWW-Authenticate"); (tc.status == 401) != strings.HasPrefix(got, "Basic") {
				t.Errorf("%s: WWW-Authenticate %q", tc.name, got)
			}
		}
	})
}

func TestSeveralLiveSecretsAndExpiredOnes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		second, err := authz.NewSecret(authz.PrefixClientSecret, rand.Reader)
		w.must(err)
		now := w.clock.Now()
		w.must(w.store.InsertClientSecret(t.Context(), "service", authz.ClientSecret{ID: "s2", Hash: second.Hash(), CreatedAt: now}))
		w.must(w.store.ExpireClientSecrets(t.Context(), "service", "s2", now.Add(time.Hour)))
		try := func(secret authz.Secret) int {
			r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader("grant_type=client_credentials"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth("service", secret.Reveal())
			return w.send(r).status
		}
		if a, b := try(w.secret), try(second); a != 200 || b != 200 {
			t.Errorf("both secrets live: %d and %d", a, b)
		}
		w.clock.Advance(2 * time.Hour)
		if a, b := try(w.secret), try(second); a != 401 || b != 200 {
			t.Errorf("the old one expired: %d and %d", a, b)
		}
	})
}

// signer signs assertions as a client would.
type signer struct {
	alg jose.SignatureAlgorithm
	key any
}

func newSigner(t testing.TB, alg jose.SignatureAlgorithm) signer {
	t.Helper()
	var key any
	var err error
	switch alg {
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer{alg, key}
}

func (s signer) jwks(t testing.TB) json.RawMessage {
	t.Helper()
	jwk := jose.JSONWebKey{Key: s.key, KeyID: "k1"}
	raw, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (s signer) sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	made, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: s.key}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(made).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (w *world) assertion(id string, now time.Time, changes map[string]any) map[string]any {
	jti, err := authz.NewID("", rand.Reader)
	w.must(err)
	claims := map[string]any{
		"iss": id, "sub": id, "aud": issuer, "jti": jti, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	maps.Copy(claims, changes)
	for name, value := range claims {
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func assertionForm(token string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_assertion": {token},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
}

// addKeyClient registers a client that authenticates with private_key_jwt.
func (w *world) addKeyClient(id string, s signer) {
	w.addClient(id, func(m *authz.ClientMetadata) {
		m.AuthMethod, m.AuthAlg, m.JWKS = authz.AuthPrivateKeyJWT, string(s.alg), s.jwks(w.t)
		m.GrantTypes, m.RedirectURIs, m.Scope = []string{authz.GrantClientCredentials}, nil, authz.Scopes{"orders:read"}
	})
}

// private_key_jwt (RFC 7523 §3, OpenID Connect Core §9): every fault is invalid_client with
// 401, and never a server error.
func TestPrivateKeyJWT(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		now := w.clock.Now()
		for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.PS256, jose.RS256} {
			s := newSigner(t, alg)
			id := strings.ToLower("key-" + string(alg))
			w.addKeyClient(id, s)
			if a := w.post("/oauth2/token", "", assertionForm(s.sign(t, w.assertion(id, now, nil)))); a.status != 200 {
				t.Errorf("%s: %d %s", alg, a.status, a.raw)
			}
		}
		for _, alg := range []jose.SignatureAlgorithm{jose.EdDSA, jose.PS256} {
			s := newSigner(t, alg)
			id := strings.ToLower("any-" + string(alg))
			w.addClient(id, func(m *authz.ClientMetadata) {
				m.AuthMethod, m.JWKS, m.GrantTypes = authz.AuthPrivateKeyJWT, s.jwks(t), []string{authz.GrantClientCredentials}
			})
			if a := w.post("/oauth2/token", "", assertionForm(s.sign(t, w.assertion(id, now, nil)))); a.status != 200 {
				t.Errorf("%s without a registered algorithm: %d %s", alg, a.status, a.raw)
			}
		}
		s, other := newSigner(t, jose.ES256), newSigner(t, jose.ES256)
		w.addKeyClient("keyed", s)
		w.addKeyClient("keyed2", s)
		for name, token := range map[string]string{
			"expired":              s.sign(t, w.assertion("keyed", now, map[string]any{"exp": now.Add(-time.Minute).Unix()})),
			"no expiry":            s.sign(t, w.assertion("keyed", now, map[string]any{"exp": nil})),
			"far expiry":           s.sign(t, w.assertion("keyed", now, map[string]any{"exp": now.Add(time.Hour).Unix()})),
			"issued in the future": s.sign(t, w.assertion("keyed", now, map[string]any{"iat": now.Add(5 * time.Minute).Unix()})),
			"not yet valid":        s.sign(t, w.assertion("keyed", now, map[string]any{"nbf": now.Add(5 * time.Minute).Unix()})),
			"no jti":               s.sign(t, w.assertion("keyed", now, map[string]any{"jti": nil})),
			"huge jti":             s.sign(t, w.assertion("keyed", now, map[string]any{"jti": strings.Repeat("j", 200)})),
			"no audience":          s.sign(t, w.assertion("keyed", now, map[string]any{"aud": nil})),
			"the token endpoint":   s.sign(t, w.assertion("keyed", now, map[string]any{"aud": issuer + "/oauth2/token"})),
			"two audiences":        s.sign(t, w.assertion("keyed", now, map[string]any{"aud": []string{issuer, "https://evil.example"}})),
			"another subject":      s.sign(t, w.assertion("keyed", now, map[string]any{"sub": "keyed2"})),
			"unknown client":       s.sign(t, w.assertion("nobody", now, nil)),
			"a secret's client":    s.sign(t, w.assertion("service", now, nil)),
			"another key":          other.sign(t, w.assertion("keyed", now, nil)),
			"another algorithm":    newSigner(t, jose.RS256).sign(t, w.assertion("keyed", now, nil)),
			"alg none":             "eyJhbGciOiJub25lIn0.eyJpc3MiOiJrZXllZCIsInN1YiI6ImtleWVkIn0.",
			"no token":             "x",
			"nothing":              "",
			"huge":                 strings.Repeat("a.", 5_000),
		} {
			a := w.post("/oauth2/token", "", assertionForm(token))
			if a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
		w.post("/oauth2/token", "", assertionForm(other.sign(t, w.assertion("keyed", now, nil))))
		if e := w.events.Last(); e.Kind != authz.EventClientAuthFail || e.Detail["client_id"] != "keyed" {
			t.Errorf("the audit log ends with %+v", e)
		}
		early := s.sign(t, w.assertion("keyed", now, map[string]any{"iat": now.Add(3 * time.Second).Unix()}))
		if a := w.post("/oauth2/token", "", assertionForm(early)); a.status != 200 {
			t.Errorf("a clock that is 3 s ahead: %d %s", a.status, a.raw)
		}
	})
}

func TestAnAssertionIsGoodOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		s := newSigner(t, jose.ES256)
		w.addKeyClient("keyed", s)
		w.addKeyClient("keyed2", s)
		claims := w.assertion("keyed", w.clock.Now(), nil)
		form := assertionForm(s.sign(t, claims))
		good := 0
		for _, a := range race(8, func() answer { return w.post("/oauth2/token", "", form) }) {
			if a.status == 200 {
				good++
			}
		}
		if good != 1 {
			t.Errorf("%d of 8 uses of one assertion were accepted", good)
		}
		// The same jti of another client is another value.
		claims["iss"], claims["sub"] = "keyed2", "keyed2"
		if a := w.post("/oauth2/token", "", assertionForm(s.sign(t, claims))); a.status != 200 {
			t.Errorf("another client's jti: %d %s", a.status, a.raw)
		}
	})
}

func FuzzClientAssertion(f *testing.F) {
	s := newSigner(f, jose.ES256)
	w := newFuzzWorld(f)
	w.addKeyClient("keyed", s)
	good := s.sign(f, w.assertion("keyed", w.clock.Now(), nil))
	f.Add(good[:len(good)-2])
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Add("")
	f.Add(strings.Repeat("A", 9000))
	f.Fuzz(func(t *testing.T, assertion string) {
		a := w.in(t).post("/oauth2/token", "", assertionForm(assertion))
		if assertion == "" || len(assertion) > 10<<10 || !utf8.ValidString(assertion) || strings.Contains(assertion, "\x00") {
			return // not sent, or refused before anybody reads it
		}
		if a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" {
			t.Errorf("%q: %d %s", assertion, a.status, a.raw)
		}
	})
}

func FuzzAuthorizeParams(f *testing.F) {
	w := newFuzzWorld(f)
	f.Add(authorizeParams().Encode())
	f.Add("client_id=web&client_id=other")
	f.Add("client_id=web&redirect_uri=https://app.example/callback&%zz")
	f.Add("interaction=x&client_id=web")
	f.Add(authorizeParams("claims", `{"userinfo":null,"id_token":{"acr":null}}`).Encode())
	f.Add(authorizeParams("redirect_uri", "https://app.example\\@evil.example").Encode())
	f.Fuzz(func(t *testing.T, query string) {
		w := w.in(t)
		r := httptest.NewRequest(http.MethodGet, "/oauth2/authorize", nil).WithContext(w.visitor().context())
		r.URL.RawQuery = query
		a := w.send(r)
		if a.status >= http.StatusInternalServerError {
			t.Fatalf("%q: %d %s", query, a.status, a.raw)
		}
		to := a.header.Get("Location")
		if to != "" && !strings.HasPrefix(to, "/login?interaction=") && !strings.HasPrefix(to, appURI+"?") &&
			!strings.HasPrefix(to, "http://127.0.0.1") && !strings.HasPrefix(to, "https://app.example/native?") {
			t.Errorf("%q: sent to %q", query, to)
		}
	})
}

// The rows of the audit log are kept: nobody may fill the database with their own failures,
// and nobody's failures hide those of others.
func TestAFloodOfFailuresIsNotRecordedInFull(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		fail := func(address string) {
			r := w.form("/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}})()
			r.SetBasicAuth("service", "sgs_guess")
			if a := w.send(r.WithContext(authz.WithOrigin(r.Context(), authz.Origin{Address: address}))); a.status != http.StatusUnauthorized {
				t.Fatalf("%d %s", a.status, a.raw)
			}
		}
		for range 3 * oauth2.FailureBurst {
			fail("198.51.100.7")
		}
		if n := len(w.events.Of(authz.EventClientAuthFail)); n != oauth2.FailureBurst {
			t.Errorf("%d are recorded, want %d", n, oauth2.FailureBurst)
		}
		fail("198.51.100.8")
		if n := len(w.events.Of(authz.EventClientAuthFail)); n != oauth2.FailureBurst+1 {
			t.Errorf("somebody else's is not recorded: %d", n)
		}
	})
}
