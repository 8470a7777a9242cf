package oauth2_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

// A caller learns of its own tokens and of those for APIs that it owns (RFC 7662 §4).
func TestIntrospection(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web")
		access, refresh := a.text("access_token"), a.text("refresh_token")
		for _, tc := range []struct {
			name, caller, token string
			active              bool
		}{
			{"own access token", "web", access, true},
			{"own refresh token", "web", refresh, true},
			{"the API's owner", "service", access, true},
			{"a stranger", "other", access, false},
			{"a stranger's refresh token", "other", refresh, false},
			{"the API's owner, refresh token", "service", refresh, false},
			{"an ID token", "web", a.text("id_token"), false},
			{"garbage", "web", "garbage", false},
			{"a tampered token", "web", access[:len(access)-4] + "AAAA", false},
		} {
			got := w.post("/oauth2/introspect", tc.caller, url.Values{"token": {tc.token}})
			if got.status != 200 || got.body["active"] != tc.active {
				t.Errorf("%s: %d %s", tc.name, got.status, got.raw)
			}
			if !tc.active && len(got.body) != 1 {
				t.Errorf("%s: an inactive token tells %s", tc.name, got.raw)
			}
		}
		if got := w.post("/oauth2/introspect", "native", url.Values{"token": {access}}); got.status != 401 {
			t.Errorf("a public client: %d %s", got.status, got.raw)
		}
		if got := w.post("/oauth2/introspect", "", url.Values{"token": {access}}); got.status != 401 {
			t.Errorf("nobody: %d %s", got.status, got.raw)
		}
		full := w.post("/oauth2/introspect", "web", url.Values{"token": {access}})
		for name, want := range map[string]any{
			"iss": issuer, "sub": w.alice.ID, "aud": orders, "client_id": "web", "username": "alice", "token_type": "Bearer",
		} {
			if full.body[name] != want {
				t.Errorf("%s = %v, want %v", name, full.body[name], want)
			}
		}
	})
}

// A username may be an email address: who was not told it with the scope profile is not told
// it by the way (RFC 7662 §5). An API that is registered to be told is.
func TestIntrospectionNamesNobodyUnasked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		quiet := w.tokens("web", "scope", "openid orders:read offline_access")
		loud := w.tokens("web", "scope", "openid profile orders:read offline_access")
		named := func(caller string, a answer, kind string) any {
			return w.post("/oauth2/introspect", caller, url.Values{"token": {a.text(kind)}}).body["username"]
		}
		for _, kind := range []string{"access_token", "refresh_token"} {
			if got := named("web", quiet, kind); got != nil {
				t.Errorf("without profile the %s names %v", kind, got)
			}
			if got := named("web", loud, kind); got != "alice" {
				t.Errorf("with profile the %s names %v", kind, got)
			}
		}
		if got := named("service", quiet, "access_token"); got != nil {
			t.Errorf("the API is told of %v", got)
		}
		api, err := w.store.API(t.Context(), orders)
		w.must(err)
		api.Claims = []string{"preferred_username"}
		w.must(w.store.UpdateAPI(t.Context(), api))
		if got := named("service", quiet, "access_token"); got != "alice" {
			t.Errorf("the API that is to be told is told of %v", got)
		}
	})
}

// A role that is taken away, or a scope from the client, counts at once where we are asked,
// and not only when the token is refreshed.
func TestWhatIsTakenAwayCountsAtOnceWhereWeAreAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		token, own := w.tokens("web").text("access_token"), w.own("service")
		scopes := func(token string) string {
			t.Helper()
			info, err := w.provider.AccessToken(t.Context(), token)
			w.must(err)
			asked := w.post("/oauth2/introspect", "service", url.Values{"token": {token}}).text("scope")
			if asked != info.Scopes.String() {
				t.Errorf("introspection says %q, our own API goes by %q", asked, info.Scopes)
			}
			return asked
		}
		if got := scopes(token); !strings.Contains(got, "orders:read") {
			t.Fatalf("at first %q", got)
		}
		w.roles = []authz.Role{{Name: "reader", Scopes: authz.Scopes{"bills:read"}}}
		if got := scopes(token); strings.Contains(got, "orders:") || !strings.Contains(got, "openid") {
			t.Errorf("after the role is gone %q", got)
		}
		if got := scopes(own); got != "orders:read orders:write" {
			t.Errorf("a client has no roles, and has %q", got)
		}
		c, err := w.store.Client(t.Context(), "service")
		w.must(err)
		c.Metadata.Scope = authz.Scopes{"orders:read"}
		w.must(w.store.UpdateClient(t.Context(), c))
		if got := scopes(own); got != "orders:read" {
			t.Errorf("after the client lost a scope %q", got)
		}
	})
}

func TestIntrospectionAsAJWT(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/introspect", strings.NewReader("token="+w.tokens("web").text("access_token")))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "application/token-introspection+jwt")
		r.SetBasicAuth("web", w.secret.Reveal())
		a := w.send(r)
		c := w.claims(a.raw)
		inner, _ := c["token_introspection"].(map[string]any)
		if c["aud"] != "web" || inner["active"] != true || a.header.Get("Content-Type") != "application/token-introspection+jwt" {
			t.Errorf("%v %v", a.header, c)
		}
		if got := w.userinfo(a.raw); got.status != 401 {
			t.Errorf("it is accepted as an access token: %d", got.status)
		}
	})
}
