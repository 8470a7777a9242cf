package oauth2_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage/storagetest"
)

// A parameter that an endpoint does not have is ignored (RFC 6749 §3.1, §3.2): scope means
// nothing where a code is redeemed.
func TestUnknownParametersAreIgnored(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		got := w.walk(w.signIn(), authorizeParams("x", "y", "username", "bob"))
		a := w.post("/oauth2/token", "web", codeForm(got.Get("code"), "scope", "openid orders:write", "x", "y"))
		if a.status != http.StatusOK || !slices.Contains(strings.Fields(a.text("scope")), "orders:read") {
			t.Errorf("%d %s", a.status, a.raw)
		}
	})
}

// A mistake in a token request costs its client nothing: neither is the code spent, nor the
// refresh token rotated away with nobody to hear of its successor.
func TestAMistakeCostsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		code := w.code(authorizeParams())
		if a := w.post("/oauth2/token", "web", codeForm(code, "resource", billing)); a.text("error") != "invalid_target" {
			t.Errorf("a resource that was not granted: %d %s", a.status, a.raw)
		}
		if a := w.post("/oauth2/token", "other", codeForm(code, "resource", billing)); a.text("error") != "invalid_grant" {
			t.Errorf("another client: %d %s", a.status, a.raw)
		}
		if a := w.post("/oauth2/token", "web", codeForm(code)); a.status != http.StatusOK {
			t.Errorf("the code is spent: %d %s", a.status, a.raw)
		}
		token := w.tokens("native").text("refresh_token")
		for _, pairs := range [][]string{{"scope", "openid orders:write"}, {"resource", billing}} {
			if a := w.post("/oauth2/token", "native", cloneWith(refreshForm(token), pairs...)); a.status != http.StatusBadRequest {
				t.Errorf("%v: %d %s", pairs, a.status, a.raw)
			}
			w.clock.Advance(time.Minute) // far beyond the grace
		}
		a := w.post("/oauth2/token", "native", cloneWith(refreshForm(token), "scope", "openid", "resource", orders))
		if a.status != http.StatusOK || a.text("scope") != "openid" {
			t.Errorf("the refresh token is gone: %d %s", a.status, a.raw)
		}
		w.clock.Advance(time.Minute)
		// What is old is told from what is mistaken: reuse costs the grant all the same.
		reuse := w.post("/oauth2/token", "native", cloneWith(refreshForm(token), "scope", "openid"))
		if reuse.text("error") != "invalid_grant" || !w.recorded(authz.EventRefreshReuse) {
			t.Errorf("reuse: %d %s", reuse.status, reuse.raw)
		}
	})
}

// An API that was taken from a client is in no later token of it, like a scope.
func TestAnAPITakenFromAClientNarrowsTheNextToken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := authorizeParams("scope", "openid orders:read bills:read")
		v["resource"] = []string{orders, billing}
		a := w.post("/oauth2/token", "web", codeForm(w.code(v)))
		take := func(left ...string) {
			c, err := w.store.Client(t.Context(), "web")
			w.must(err)
			c.Metadata.APIs, c.Metadata.DefaultAPI = left, ""
			w.must(w.store.UpdateClient(t.Context(), c))
		}
		take(billing)
		next := w.post("/oauth2/token", "web", refreshForm(a.text("refresh_token")))
		if next.status != http.StatusOK || next.text("scope") != "openid bills:read offline_access" || w.claims(next.text("access_token"))["aud"] != billing {
			t.Errorf("%d %s", next.status, next.raw)
		}
		if named := w.post("/oauth2/token", "web", cloneWith(refreshForm(a.text("refresh_token")), "resource", orders)); named.text("error") != "invalid_target" {
			t.Errorf("asked for by name: %d %s", named.status, named.raw)
		}
		take()
		if none := w.post("/oauth2/token", "web", refreshForm(a.text("refresh_token"))); none.text("error") != "invalid_target" {
			t.Errorf("no API left: %d %s", none.status, none.raw)
		}
	})
}

// A refresh that leaves openid out gets no ID token.
func TestAnIDTokenComesWithOpenIDOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		token := w.tokens("web").text("refresh_token")
		if a := w.post("/oauth2/token", "web", cloneWith(refreshForm(token), "scope", "orders:read")); a.status != 200 || a.body["id_token"] != nil {
			t.Errorf("%d %s", a.status, a.raw)
		}
		if a := w.post("/oauth2/token", "web", cloneWith(refreshForm(token), "scope", "openid")); a.text("id_token") == "" {
			t.Errorf("%d %s", a.status, a.raw)
		}
	})
}

// A client that may ask for nothing any more gets nothing more.
func TestAClientThatLostItsScopesGetsNone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web")
		c, err := w.store.Client(t.Context(), "web")
		w.must(err)
		c.Metadata.Scope = nil
		w.must(w.store.UpdateClient(t.Context(), c))
		got := w.post("/oauth2/token", "web", refreshForm(a.text("refresh_token")))
		if got.status != http.StatusOK || got.text("scope") != "" || got.body["id_token"] != nil {
			t.Errorf("%d %s", got.status, got.raw)
		}
	})
}

// Libraries that keep a URL in a type of their own send https://orders.example/ for
// https://orders.example (RFC 3986 §6.2.3). The token is for the API as it is registered.
func TestASlashAfterAHostIsNoOtherAPI(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		code := w.code(authorizeParams("resource", orders+"/"))
		a := w.post("/oauth2/token", "web", codeForm(code, "resource", orders+"/"))
		if a.status != http.StatusOK || w.claims(a.text("access_token"))["aud"] != orders {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		a = w.post("/oauth2/token", "web", cloneWith(refreshForm(a.text("refresh_token")), "resource", orders+"/"))
		if a.status != http.StatusOK || w.claims(a.text("access_token"))["aud"] != orders {
			t.Errorf("refresh: %d %s", a.status, a.raw)
		}
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		if a := w.exchange("relay", a.text("access_token"), "resource", billing+"/"); w.claims(a.text("access_token"))["aud"] != billing {
			t.Errorf("exchange: %s", a.raw)
		}
		for _, other := range []string{orders + "//", orders + "/x", orders + "/?", "https://orders.example./"} {
			if a := w.post("/oauth2/token", "service", url.Values{"grant_type": {"client_credentials"}, "resource": {other}}); a.text("error") != "invalid_target" {
				t.Errorf("%s: %d %s", other, a.status, a.raw)
			}
		}
	})
}

// A server whose keys no longer suit a client is set up wrong, which must not cost the client
// its code.
func TestAMissingKeyCostsNoCode(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addClient("probabilist", func(m *authz.ClientMetadata) { m.IDTokenAlg = authz.AlgPS256 })
		form := codeForm(w.code(authorizeParams("client_id", "probabilist")))
		for range 2 {
			if a := w.post("/oauth2/token", "probabilist", form); a.status != http.StatusServiceUnavailable {
				t.Errorf("%d %s", a.status, a.raw)
			}
		}
		c, err := w.store.Client(t.Context(), "probabilist")
		w.must(err)
		c.Metadata.IDTokenAlg = authz.AlgES256
		w.must(w.store.UpdateClient(t.Context(), c))
		if a := w.post("/oauth2/token", "probabilist", form); a.status != http.StatusOK {
			t.Errorf("the code is spent: %d %s", a.status, a.raw)
		}
	})
}

// A proxy that compresses makes ETags weak, and a client may hold several (RFC 9110 §13.1.2).
func TestDocumentsThatHaveNotChangedAreNotSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/jwks.json"} {
		get := func(method, etag string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, nil)
			if etag != "" {
				r.Header.Set("If-None-Match", etag)
			}
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			return rec
		}
		etag := get(http.MethodGet, "").Header().Get("ETag")
		for sent, want := range map[string]int{
			etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, "*": 304, `"x"`: 200, "": 200,
		} {
			rec := get(http.MethodGet, sent)
			if rec.Code != want || (want == 304) != (rec.Body.Len() == 0) || rec.Header().Get("ETag") != etag {
				t.Errorf("%s with %q: %d, %d bytes, ETag %s", path, sent, rec.Code, rec.Body.Len(), rec.Header().Get("ETag"))
			}
		}
	}
}
