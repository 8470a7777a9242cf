package oauth2_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// What is wrong with a token request is said with the registered codes (RFC 6749 §5.2).
func TestTokenRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		code, refresh := w.code(authorizeParams()), w.tokens("web").text("refresh_token")
		for _, tc := range []struct {
			name, client string
			form         url.Values
			want         string
		}{
			{"no grant_type", "web", url.Values{"code": {code}}, "invalid_request"},
			{"unknown grant_type", "web", url.Values{"grant_type": {"password"}}, "unsupported_grant_type"},
			{"two grant types", "web", codeForm(code, "grant_type", "authorization_code refresh_token"), "unsupported_grant_type"},
			{"not registered for the grant", "service", codeForm(code), "unauthorized_client"},
			{"no code", "web", codeForm(""), "invalid_request"},
			{"a made-up code", "web", codeForm("sgc_" + strings.Repeat("A", 64)), "invalid_grant"},
			{"a refresh token as code", "web", codeForm(refresh), "invalid_grant"},
			{"a short verifier", "web", codeForm(code, "code_verifier", "short"), "invalid_grant"},
			{"a verifier with other characters", "web", codeForm(code, "code_verifier", strings.Repeat("!", 50)), "invalid_grant"},
			{"no refresh token", "web", url.Values{"grant_type": {"refresh_token"}}, "invalid_request"},
			{"a tampered refresh token", "web", refreshForm(refresh[:len(refresh)-4] + "AAAA"), "invalid_grant"},
			{"another client's refresh token", "other", refreshForm(refresh), "invalid_grant"},
			{"more scope than granted", "web", cloneWith(refreshForm(refresh), "scope", "openid orders:write"), "invalid_scope"},
			{"a resource that was not granted", "web", cloneWith(refreshForm(refresh), "resource", billing), "invalid_target"},
			{"scope of a person", "service", url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}}, "invalid_scope"},
		} {
			a := w.post("/oauth2/token", tc.client, tc.form)
			if a.status != http.StatusBadRequest || a.text("error") != tc.want || a.text("error_description") == "" {
				t.Errorf("%s: %d %s, want %s", tc.name, a.status, a.raw, tc.want)
			}
			if a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: Cache-Control %q", tc.name, a.header.Get("Cache-Control"))
			}
		}
		if a := w.post("/oauth2/token", "web", codeForm(code)); a.status != 200 {
			t.Errorf("the code was burnt by somebody's mistakes: %d %s", a.status, a.raw)
		}
	})
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

func TestTokenRequestsThatAreNoForms(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		send := func(method, contentType, body string) answer {
			r := httptest.NewRequest(method, "/oauth2/token?grant_type=client_credentials", strings.NewReader(body))
			r.Header.Set("Content-Type", contentType)
			r.SetBasicAuth("service", w.secret.Reveal())
			return w.send(r)
		}
		const form = "application/x-www-form-urlencoded"
		for name, a := range map[string]answer{
			"GET":                send(http.MethodGet, form, ""),
			"JSON":               send(http.MethodPost, "application/json", `{"grant_type":"client_credentials"}`),
			"multipart":          send(http.MethodPost, "multipart/form-data; boundary=x", "--x--"),
			"query alone":        send(http.MethodPost, form, ""),
			"repeated parameter": send(http.MethodPost, form, "grant_type=client_credentials&grant_type=client_credentials"),
			"huge":               send(http.MethodPost, form, "grant_type=client_credentials&scope="+strings.Repeat("s", 70<<10)),
			"broken encoding":    send(http.MethodPost, form, "grant_type=%zz"),
		} {
			if a.status/100 != 4 || a.text("error") != "invalid_request" {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
	})
}

func TestScopesAndResourcesNarrowOnRefresh(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := authorizeParams("scope", "openid orders:read bills:read")
		v["resource"] = []string{orders, billing}
		a := w.post("/oauth2/token", "web", codeForm(w.code(v)))
		if aud, _ := w.claims(a.text("access_token"))["aud"].([]any); len(aud) != 2 {
			t.Fatalf("%s", a.raw)
		}
		narrow := cloneWith(refreshForm(a.text("refresh_token")), "resource", billing, "scope", "bills:read")
		c := w.claims(w.post("/oauth2/token", "web", narrow).text("access_token"))
		if c["aud"] != billing || c["scope"] != "bills:read" {
			t.Errorf("narrowed: aud %v, scope %v", c["aud"], c["scope"])
		}
		// The grant keeps its full set (RFC 6749 §6).
		full := w.claims(w.post("/oauth2/token", "web", refreshForm(a.text("refresh_token"))).text("access_token"))
		if aud, _ := full["aud"].([]any); len(aud) != 2 {
			t.Errorf("after a narrowed refresh: aud %v", full["aud"])
		}
		// One API's token carries no scope of another (RFC 8707 §2.2).
		one := w.claims(w.post("/oauth2/token", "web", cloneWith(refreshForm(a.text("refresh_token")), "resource", orders)).text("access_token"))
		if strings.Contains(one["scope"].(string), "bills") {
			t.Errorf("a token for %s has scope %v", orders, one["scope"])
		}
	})
}

func TestARoleTakenAwayNarrowsTheNextToken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web")
		w.roles = []authz.Role{{Name: authz.RoleDefault, Scopes: authz.Scopes{"bills:read"}}}
		got := w.post("/oauth2/token", "web", refreshForm(a.text("refresh_token")))
		if strings.Contains(got.text("scope"), "orders:read") || got.status != 200 {
			t.Errorf("%d %s", got.status, got.raw)
		}
	})
}

func TestARefreshEndsWithItsIdleAndItsAbsoluteLifetime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		idle := w.tokens("web").text("refresh_token")
		w.clock.Advance(31 * 24 * time.Hour)
		if a := w.post("/oauth2/token", "web", refreshForm(idle)); a.text("error") != "invalid_grant" {
			t.Errorf("idle for 31 days: %d %s", a.status, a.raw)
		}
		busy := w.tokens("web").text("refresh_token")
		for range 6 {
			w.clock.Advance(29 * 24 * time.Hour)
			if a := w.post("/oauth2/token", "web", refreshForm(busy)); a.status != 200 {
				t.Fatalf("in use: %d %s", a.status, a.raw)
			}
		}
		w.clock.Advance(7 * 24 * time.Hour)
		if a := w.post("/oauth2/token", "web", refreshForm(busy)); a.text("error") != "invalid_grant" {
			t.Errorf("after 181 days: %d %s", a.status, a.raw)
		}
	})
}

func TestAnExpiredCodeIsWorthNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		code := w.code(authorizeParams())
		w.clock.Advance(61 * time.Second)
		if a := w.post("/oauth2/token", "web", codeForm(code)); a.text("error") != "invalid_grant" {
			t.Errorf("%d %s", a.status, a.raw)
		}
	})
}

// A confidential OpenID client may be registered to do without PKCE (RFC 9700 §2.1.1); a
// challenge that it sends is enforced all the same.
func TestPKCEWaived(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addClient("waived", func(m *authz.ClientMetadata) { m.RequirePKCE = false })
		without := authorizeParams("client_id", "waived", "code_challenge", "-", "code_challenge_method", "-")
		code := w.code(without)
		if a := w.post("/oauth2/token", "waived", codeForm(code)); a.text("error") != "invalid_grant" {
			t.Errorf("a verifier without a challenge (RFC 9700 §4.8.2): %d %s", a.status, a.raw)
		}
		if a := w.post("/oauth2/token", "waived", codeForm(code, "code_verifier", "", "redirect_uri", "")); a.text("error") != "invalid_request" {
			t.Errorf("neither verifier nor redirect_uri: %d %s", a.status, a.raw)
		}
		if a := w.post("/oauth2/token", "waived", codeForm(code, "code_verifier", "")); a.status != 200 {
			t.Errorf("as registered: %d %s", a.status, a.raw)
		}
		sent := w.code(authorizeParams("client_id", "waived"))
		if a := w.post("/oauth2/token", "waived", codeForm(sent, "code_verifier", "")); a.text("error") != "invalid_grant" {
			t.Errorf("a challenge that was sent is not enforced: %d %s", a.status, a.raw)
		}
	})
}

func TestIDTokensFollowTheClientsRegistration(t *testing.T) {
	t.Parallel()
	algs := []string{authz.AlgES256, authz.AlgRS256, authz.AlgEdDSA}
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorldOf(t, open(), algs)
		for _, alg := range algs {
			id := "alg-" + strings.ToLower(alg)
			w.addClient(id, func(m *authz.ClientMetadata) { m.IDTokenAlg, m.ClaimsInIDToken = alg, true })
			a := w.tokens(id, "client_id", id, "scope", "openid profile email")
			token := a.text("id_token")
			first, _, _ := strings.Cut(token, ".")
			header, err := base64.RawURLEncoding.DecodeString(first)
			w.must(err)
			if !strings.Contains(string(header), `"alg":"`+alg+`"`) {
				t.Errorf("%s: header %s", alg, header)
			}
			c := w.claims(token)
			if c["name"] != "Alice Liddell" || c["email"] != "alice@example.com" {
				t.Errorf("%s: claims_in_id_token left out %v", alg, c)
			}
			if want := atHash(alg, a.text("access_token")); c["at_hash"] != want {
				t.Errorf("%s: at_hash %v, want %s", alg, c["at_hash"], want)
			}
		}
	})
}

func atHash(alg, token string) string {
	if alg == authz.AlgEdDSA {
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func TestUserInfo(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web", "scope", "openid profile email")
		got := w.userinfo(a.text("access_token"))
		for name, want := range map[string]any{
			"sub": w.alice.ID, "name": "Alice Liddell", "preferred_username": "alice",
			"email": "alice@example.com", "email_verified": true,
		} {
			if got.body[name] != want {
				t.Errorf("%s = %v, want %v", name, got.body[name], want)
			}
		}
		noEmail := w.userinfo(w.tokens("web", "scope", "openid").text("access_token"))
		if len(noEmail.body) != 1 {
			t.Errorf("openid alone tells %s", noEmail.raw)
		}
		form := httptest.NewRequest(http.MethodPost, "/oauth2/userinfo", strings.NewReader("access_token="+a.text("access_token")))
		form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := w.send(form); got.status != 200 {
			t.Errorf("in a form (RFC 6750 §2.2): %d %s", got.status, got.raw)
		}
		query := httptest.NewRequest(http.MethodGet, "/oauth2/userinfo?access_token="+a.text("access_token"), nil)
		if got := w.send(query); got.status != 401 || got.header.Get("WWW-Authenticate") != `Bearer realm="Signet"` {
			t.Errorf("in the query: %d %v", got.status, got.header)
		}
		own := w.post("/oauth2/token", "service", url.Values{"grant_type": {"client_credentials"}}).text("access_token")
		if got := w.userinfo(own); got.status != 403 || !strings.Contains(got.header.Get("WWW-Authenticate"), "insufficient_scope") {
			t.Errorf("a client's own token: %d %v", got.status, got.header)
		}
		for name, token := range map[string]string{
			"an ID token": a.text("id_token"), "a refresh token": a.text("refresh_token"), "garbage": "x", "nothing": "",
		} {
			if got := w.userinfo(token); got.status != 401 {
				t.Errorf("%s: %d %s", name, got.status, got.raw)
			}
		}
		w.clock.Advance(11 * time.Minute)
		if got := w.userinfo(a.text("access_token")); got.status != 401 {
			t.Errorf("expired: %d", got.status)
		}
	})
}

func TestClaimsParameterAsksForDetailNotForMore(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		demand := `{"id_token":{"name":null,"email":null},"userinfo":{"email":{"essential":true}}}`
		a := w.tokens("web", "scope", "openid profile", "claims", demand)
		id := w.claims(a.text("id_token"))
		if id["name"] != "Alice Liddell" || id["email"] != nil {
			t.Errorf("id token: %v", id)
		}
		if got := w.userinfo(a.text("access_token")); got.body["email"] != nil {
			t.Errorf("userinfo gives an address that was not consented: %s", got.raw)
		}
	})
}

func TestADisabledClientOrPersonStopsEverything(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web")
		c, err := w.store.Client(t.Context(), "web")
		w.must(err)
		c.DisabledAt = w.clock.Now()
		w.must(w.store.UpdateClient(t.Context(), c))
		if got := w.post("/oauth2/token", "web", refreshForm(a.text("refresh_token"))); got.text("error") != "invalid_client" {
			t.Errorf("refresh by a disabled client: %d %s", got.status, got.raw)
		}
		if got := w.userinfo(a.text("access_token")); got.status != 401 {
			t.Errorf("userinfo for a disabled client: %d", got.status)
		}
		b := w.tokens("other")
		w.alice.DisabledAt = w.clock.Now()
		w.must(w.store.UpdateUser(t.Context(), w.alice))
		if got := w.userinfo(b.text("access_token")); got.status != 401 {
			t.Errorf("userinfo of a disabled person: %d", got.status)
		}
	})
}

// What the REST API asks of an access token: everything, revocation included.
func TestAccessTokenForOurOwnAPI(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web", "resource", issuer, "scope", "openid")
		info, err := w.provider.AccessToken(context.Background(), a.text("access_token"))
		if err != nil || info.UserID != w.alice.ID || info.Audience[0] != issuer {
			t.Errorf("%+v %v", info, err)
		}
		for name, token := range map[string]string{"ID token": a.text("id_token"), "refresh token": a.text("refresh_token"), "none": ""} {
			if _, err := w.provider.AccessToken(context.Background(), token); err == nil {
				t.Errorf("%s is accepted", name)
			}
		}
	})
}

func TestIssuersThatCannotBe(t *testing.T) {
	t.Parallel()
	for issuer, good := range map[string]bool{
		"https://signet.example": true, "http://127.0.0.1:8080": true, "http://localhost:8080": true, "http://[::1]:8080": true,
		"http://signet.example": false, "https://signet.example/": false, "https://signet.example?x": false,
		"https://signet.example#x": false, "https://u@signet.example": false, "signet.example": false, "": false,
	} {
		if err := oauth2.CheckIssuer(issuer); (err == nil) != good {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}
