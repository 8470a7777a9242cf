package oauth2_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

// What no client can mean is its own fault and said so: bytes that cannot be stored must
// never look like an outage, nor come back changed.
func TestBytesThatNobodyCanMean(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, bytes := range []string{"a\x00b", "\xff\xfe", "\xc0\xaf"} {
			for _, name := range []string{"state", "nonce", "login_hint", "client_id", "scope", "claims", "id_token_hint", "x"} {
				rec := w.authorize(w.signIn(), authorizeParams(name, bytes))
				if rec.Code != http.StatusBadRequest || rec.Header().Get("Location") != "" {
					t.Errorf("authorize with %s=%q: %d %v", name, bytes, rec.Code, rec.Header())
				}
			}
			if rec := w.authorize(w.signIn(), url.Values{"interaction": {bytes}}); rec.Code != http.StatusBadRequest {
				t.Errorf("interaction %q: %d", bytes, rec.Code)
			}
			if _, err := w.provider.Pending(w.signIn().context(), bytes); !errors.Is(err, authz.ErrNotFound) {
				t.Errorf("page for interaction %q: %v", bytes, err)
			}
			for _, name := range []string{"code", "code_verifier", "redirect_uri", "resource", "scope", "client_id"} {
				a := w.post("/oauth2/token", "web", codeForm("x", name, bytes))
				if a.status != http.StatusBadRequest || a.text("error") != "invalid_request" {
					t.Errorf("token with %s=%q: %d %s", name, bytes, a.status, a.raw)
				}
			}
			if a := w.post("/oauth2/token", bytes, codeForm("x")); a.text("error") != "invalid_client" {
				t.Errorf("client %q by Basic: %d %s", bytes, a.status, a.raw)
			}
		}
		// An escape that JSON allows and PostgreSQL has no place for.
		demand := authorizeParams("claims", `{"userinfo":{"a\u0000":null,"name":{"value":"\u0000"}},"id_token":{"\u0000":null}}`)
		if got := w.walk(w.signIn(), demand); got.Get("code") == "" {
			t.Errorf("claims with an escaped zero: %v", got)
		}
	})
}

// A request that waits for a person is kept as far as it is understood, and no further: no
// credential is ever written down, and strangers cannot fill the database with what they like.
func TestWhatIsKeptOfARequestThatWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := authorizeParams("login_hint", "alice", "max_age", "60", "claims", `{"userinfo":{"name":null}}`, "prompt", "login", "resource", orders)
		want := cloneWith(v)
		for _, name := range []string{"client_secret", "client_assertion", "code_verifier", "password", "x", "ui_locales"} {
			v.Set(name, strings.Repeat("s", 6<<10))
		}
		id := w.location(w.authorize(w.visitor(), v)).Query().Get("interaction")
		i, err := w.store.Interaction(t.Context(), id, w.clock.Now())
		w.must(err)
		if i.Params.Encode() != want.Encode() {
			t.Errorf("kept %s\nwant %s", i.Params.Encode(), want.Encode())
		}
		long := w.location(w.authorize(w.visitor(), authorizeParams("nonce", strings.Repeat("n", 3000)))).Query()
		if long.Get("error") != "invalid_request" || long.Get("state") != "s-1" {
			t.Errorf("a nonce without end: %v", long)
		}
	})
}

// A demand for a person that nobody can meet is refused, and never taken for none
// (OpenID Connect Core §5.5.1).
func TestADemandForAPersonIsNeverDropped(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		hint := w.tokens("web").text("id_token")
		for claims, want := range map[string]string{
			`{"id_token":{"sub":{"value":"usr_alice"}}}`:                                        "code",
			`{"id_token":{"sub":{"values":["usr_alice"]}}}`:                                     "code",
			`{"userinfo":{"sub":{"value":"usr_alice"}}}`:                                        "code",
			`{"id_token":{"sub":null},"userinfo":{"sub":{"essential":true}}}`:                   "code",
			`{"id_token":{"sub":{"value":"usr_bob"}}}`:                                          "login_required",
			`{"userinfo":{"sub":{"value":"usr_bob"}}}`:                                          "login_required",
			`{"id_token":{"sub":{"values":["usr_bob"]}}}`:                                       "login_required",
			`{"id_token":{"sub":{"values":["usr_alice","usr_bob"]}}}`:                           "invalid_request",
			`{"id_token":{"sub":{"value":"usr_alice"}},"userinfo":{"sub":{"value":"usr_bob"}}}`: "invalid_request",
			`{"id_token":{"sub":{"value":7}}}`:                                                  "invalid_request",
			`{"id_token":{"sub":{"value":""}}}`:                                                 "invalid_request",
			`{"id_token":{"sub":{"value":{"a":1}}}}`:                                            "invalid_request",
		} {
			got := w.location(w.authorize(w.signIn(), authorizeParams("claims", claims, "prompt", "none"))).Query()
			if outcome := outcomeOf(got); outcome != want {
				t.Errorf("%s: %v, want %s", claims, got, want)
			}
		}
		both := authorizeParams("claims", `{"userinfo":{"sub":{"value":"usr_bob"}}}`, "id_token_hint", hint)
		if got := w.location(w.authorize(w.signIn(), both)).Query(); outcomeOf(got) != "invalid_request" {
			t.Errorf("a hint and a demand for different people: %v", got)
		}
	})
}

// outcomeOf says what an authorization response comes to.
func outcomeOf(q url.Values) string {
	if q.Get("code") != "" {
		return "code"
	}
	return q.Get("error")
}

// A scheme that is not Bearer is like no credential at all (RFC 6750 §3.1).
func TestUserInfoWithOtherCredentials(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		token := w.tokens("web").text("access_token")
		for _, tc := range []struct {
			name      string
			headers   []string
			form      string
			status    int
			challenge string
		}{
			{"nothing", nil, "", 401, `Bearer realm="Signet"`},
			{"Basic", []string{"Basic d2ViOng="}, "", 401, `Bearer realm="Signet"`},
			{"DPoP", []string{"DPoP " + token}, "", 401, `Bearer realm="Signet"`},
			{"an empty token", []string{"Bearer "}, "", 401, `Bearer realm="Signet", error="invalid_token"`},
			{"two headers", []string{"Bearer " + token, "Bearer " + token}, "", 400, `Bearer realm="Signet", error="invalid_request"`},
			{"two headers of two schemes", []string{"Basic d2ViOng=", "Bearer " + token}, "", 400, `Bearer realm="Signet", error="invalid_request"`},
			{"header and form", []string{"Bearer " + token}, "access_token=" + token, 400, `Bearer realm="Signet", error="invalid_request"`},
			{"twice in the form", nil, "access_token=x&access_token=" + token, 400, `Bearer realm="Signet", error="invalid_request"`},
			{"another case", []string{"bEARER " + token}, "", 200, ""},
		} {
			r := httptest.NewRequest(http.MethodPost, "/oauth2/userinfo", strings.NewReader(tc.form))
			r.Header["Authorization"] = tc.headers
			if tc.form != "" {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			a := w.send(r)
			if got := a.header.Get("WWW-Authenticate"); a.status != tc.status || !strings.HasPrefix(got, tc.challenge) || strings.Count(got, "=") != strings.Count(tc.challenge, "=")+strings.Count(got, "error_description") {
				t.Errorf("%s: %d %q, want %d %q", tc.name, a.status, got, tc.status, tc.challenge)
			}
		}
	})
}
