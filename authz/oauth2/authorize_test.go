package oauth2_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Nobody is sent to an address that is not verified: these are shown to the person
// (RFC 6749 §4.1.2.1, RFC 9700 §4.11).
func TestAuthorizeErrorsThatStayHere(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addClient("off", func(*authz.ClientMetadata) {})
		off, err := w.store.Client(t.Context(), "off")
		w.must(err)
		off.DisabledAt = w.clock.Now()
		w.must(w.store.UpdateClient(t.Context(), off))
		for name, v := range map[string]url.Values{
			"no client":                     authorizeParams("client_id", "-"),
			"unknown client":                authorizeParams("client_id", "nobody"),
			"disabled client":               authorizeParams("client_id", "off"),
			"no redirect_uri with openid":   authorizeParams("redirect_uri", "-"),
			"foreign redirect_uri":          authorizeParams("redirect_uri", "https://evil.example/callback"),
			"redirect_uri with more path":   authorizeParams("redirect_uri", appURI+"/.."),
			"redirect_uri with a query":     authorizeParams("redirect_uri", appURI+"?x=1"),
			"redirect_uri with a fragment":  authorizeParams("redirect_uri", appURI+"#x"),
			"redirect_uri in another case":  authorizeParams("redirect_uri", "https://APP.example/callback"),
			"redirect_uri with a user name": authorizeParams("redirect_uri", "https://x@app.example/callback"),
			"script as redirect_uri":        authorizeParams("redirect_uri", "javascript:alert(1)"),
			"unknown interaction":           {"interaction": {"nothing"}},
		} {
			rec := w.authorize(w.signIn(), v)
			if rec.Code != http.StatusBadRequest || rec.Header().Get("Location") != "" {
				t.Errorf("%s: %d to %q, want a page", name, rec.Code, rec.Header().Get("Location"))
			}
		}
		for _, name := range []string{"client_id", "redirect_uri", "state", "response_mode"} {
			v := authorizeParams("response_mode", "query")
			v[name] = append(v[name], v.Get(name))
			if rec := w.authorize(w.signIn(), v); rec.Code != http.StatusBadRequest || rec.Header().Get("Location") != "" {
				t.Errorf("%s twice: %d to %q, want a page", name, rec.Code, rec.Header().Get("Location"))
			}
		}
		sentence := authorizeParams("client_id", "-", "Your account is closed. Call 0800", "1")
		sentence.Add("Your account is closed. Call 0800", "2")
		if rec := w.authorize(w.signIn(), sentence); strings.Contains(rec.Body.String(), "0800") {
			t.Errorf("a stranger's sentence is on our page: %s", rec.Body)
		}
	})
}

func twice(name string) url.Values {
	v := authorizeParams()
	v[name] = []string{"a", "b"}
	return v
}

// What the client did wrong goes back to the client, with iss and state (RFC 6749
// §4.1.2.1, RFC 9207 §2), before any page is shown.
func TestAuthorizeErrorsThatGoToTheClient(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addClient("waived", func(m *authz.ClientMetadata) { m.RequirePKCE = false })
		for _, tc := range []struct {
			name, want string
			params     url.Values
		}{
			{"no response_type", "invalid_request", authorizeParams("response_type", "-")},
			{"implicit", "unsupported_response_type", authorizeParams("response_type", "token")},
			{"hybrid", "unsupported_response_type", authorizeParams("response_type", "code id_token")},
			{"no PKCE", "invalid_request", authorizeParams("code_challenge", "-", "code_challenge_method", "-")},
			{"no PKCE, waived, but not OpenID", "invalid_request", authorizeParams("client_id", "waived", "scope", "orders:read", "code_challenge", "-", "code_challenge_method", "-")},
			{"plain PKCE", "invalid_request", authorizeParams("code_challenge_method", "plain")},
			{"no PKCE method", "invalid_request", authorizeParams("code_challenge_method", "-")},
			{"short challenge", "invalid_request", authorizeParams("code_challenge", "x")},
			{"challenge with padding", "invalid_request", authorizeParams("code_challenge", challenge(verifier)+"=")},
			{"challenge in a second spelling", "invalid_request", authorizeParams("code_challenge", strings.Repeat("A", 42)+"B")},
			{"fragment mode", "invalid_request", authorizeParams("response_mode", "fragment")},
			{"unknown mode", "invalid_request", authorizeParams("response_mode", "web_message")},
			{"unknown prompt", "invalid_request", authorizeParams("prompt", "dance")},
			{"prompt none and login", "invalid_request", authorizeParams("prompt", "none login")},
			{"max_age is no number", "invalid_request", authorizeParams("max_age", "soon")},
			{"negative max_age", "invalid_request", authorizeParams("max_age", "-1")},
			{"scope of nobody", "invalid_scope", authorizeParams("scope", "openid fly")},
			{"scope of another API", "invalid_scope", authorizeParams("scope", "openid bills:read")},
			{"unknown resource", "invalid_target", authorizeParams("resource", "https://nowhere.example")},
			{"relative resource", "invalid_target", authorizeParams("resource", "/orders")},
			{"resource with a fragment", "invalid_target", authorizeParams("resource", orders+"#x")},
			{"request object", "request_not_supported", authorizeParams("request", "e30.e30.")},
			{"request object without openid", "request_not_supported", authorizeParams("request", "e30.e30.", "scope", "orders:read")},
			{"request_uri", "request_uri_not_supported", authorizeParams("request_uri", "https://app.example/r")},
			{"registration", "registration_not_supported", authorizeParams("registration", "{}")},
			{"claims are no JSON", "invalid_request", authorizeParams("claims", "{")},
			{"claims are no object", "invalid_request", authorizeParams("claims", `{"id_token":{"sub":7}}`)},
			{"a hint that is no token", "invalid_request", authorizeParams("id_token_hint", "x.y.z")},
			{"huge state", "invalid_request", authorizeParams("state", strings.Repeat("s", 3000))},
			{"huge login_hint", "invalid_request", authorizeParams("login_hint", strings.Repeat("h", 321))},
			{"a nonce twice", "invalid_request", twice("nonce")},
			{"a parameter of nobody twice", "invalid_request", twice("x")},
		} {
			rec := w.authorize(w.visitor(), tc.params)
			u := w.location(rec)
			q := u.Query()
			if u.Host != "app.example" || q.Get("error") != tc.want || q.Get("iss") != issuer || q.Get("code") != "" {
				t.Errorf("%s: sent to %s, want error %s", tc.name, u, tc.want)
			}
			if state := tc.params.Get("state"); len(state) < 100 && q.Get("state") != state {
				t.Errorf("%s: the state is %q", tc.name, q.Get("state"))
			}
			if d := q.Get("error_description"); d == "" || len(d) > 400 {
				t.Errorf("%s: description %q", tc.name, d)
			}
		}
	})
}

// prompt, max_age and hints (OpenID Connect Core §3.1.2.1, §3.1.2.6).
func TestWhatStillStandsBetweenARequestAndACode(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		hint := w.tokens("web").text("id_token") // and consent is remembered from here on
		access := w.tokens("web").text("access_token")
		w.clock.Advance(time.Hour)
		fresh, old := w.signIn, func() *browser {
			b := w.signIn()
			b.session.AuthTime = w.clock.Now().Add(-30 * time.Minute)
			return b
		}
		somebody := func() *browser {
			b := w.signIn()
			b.user = &authz.User{ID: authz.PrefixUser + "bob", Username: "bob"}
			return b
		}
		for _, tc := range []struct {
			name    string
			browser *browser
			params  url.Values
			want    string // a path, "code" or an error
		}{
			{"nobody is signed in", w.visitor(), authorizeParams(), "/login"},
			{"signed in and consented", fresh(), authorizeParams(), "code"},
			{"fewer scopes than consented", fresh(), authorizeParams("scope", "openid"), "code"},
			{"a new scope", fresh(), authorizeParams("scope", "openid orders:write"), "/consent"},
			{"a new resource", fresh(), authorizeParams("resource", billing, "scope", "openid bills:read"), "/consent"},
			{"prompt=login", fresh(), authorizeParams("prompt", "login"), "/login"},
			{"prompt=select_account", fresh(), authorizeParams("prompt", "select_account"), "/login"},
			{"prompt=consent", fresh(), authorizeParams("prompt", "consent"), "/consent"},
			{"prompt=none without a session", w.visitor(), authorizeParams("prompt", "none"), "login_required"},
			{"prompt=none, consented", fresh(), authorizeParams("prompt", "none"), "code"},
			{"prompt=none, not consented", fresh(), authorizeParams("prompt", "none", "scope", "openid orders:write"), "consent_required"},
			{"max_age met", old(), authorizeParams("max_age", "3600"), "code"},
			{"max_age exceeded", old(), authorizeParams("max_age", "60"), "/login"},
			{"max_age=0", fresh(), authorizeParams("max_age", "0"), "/login"},
			{"max_age exceeded, prompt=none", old(), authorizeParams("max_age", "60", "prompt", "none"), "login_required"},
			{"hint of the same person", fresh(), authorizeParams("id_token_hint", hint), "code"},
			{"hint of another person", somebody(), authorizeParams("id_token_hint", hint), "/login"},
			{"hint of another person, prompt=none", somebody(), authorizeParams("id_token_hint", hint, "prompt", "none"), "login_required"},
			{"an access token as hint", fresh(), authorizeParams("id_token_hint", access), "invalid_request"},
			{"hint for another client", fresh(), authorizeParams("client_id", "other", "id_token_hint", hint), "invalid_request"},
			{"claims demand another person", somebody(), authorizeParams("claims", `{"id_token":{"sub":{"value":"usr_alice"}}}`), "/login"},
			{"claims demand an acr", fresh(), authorizeParams("claims", `{"id_token":{"acr":{"essential":true,"values":["gold"]}}}`), "unmet_authentication_requirements"},
			{"claims demand the acr that there is", fresh(), authorizeParams("claims", `{"id_token":{"acr":{"essential":true,"values":["gold","1"]}}}`), "code"},
			{"claims wish for an acr", fresh(), authorizeParams("claims", `{"id_token":{"acr":{"values":["gold"]}}}`), "code"},
			{"display and ui_locales are accepted", fresh(), authorizeParams("display", "page", "ui_locales", "de fr", "acr_values", "x"), "code"},
		} {
			u := w.location(w.authorize(tc.browser, tc.params))
			got := u.Path
			if u.Host == "app.example" {
				if got = u.Query().Get("error"); got == "" {
					got = "code"
				}
			}
			if got != tc.want {
				t.Errorf("%s: %s, want %s", tc.name, u, tc.want)
			}
		}
	})
}

// A key may be rotated away and its ID tokens may expire: they are still good as hints.
func TestAHintOutlivesItsKeyAndItsExpiry(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		hint := w.tokens("web").text("id_token")
		w.must(w.ring.Rotate(t.Context(), "", true))
		w.clock.Advance(2 * time.Hour)
		u := w.location(w.authorize(w.signIn(), authorizeParams("id_token_hint", hint, "prompt", "none")))
		if u.Query().Get("code") == "" {
			t.Errorf("sent to %s, want a code", u)
		}
		w.clock.Advance(60 * 24 * time.Hour)
		w.must(w.ring.Tend(t.Context())) // the old key is gone: nobody can tell any more whom the hint names
		for prompt, want := range map[string]string{"none": "login_required", "": ""} {
			v := authorizeParams("id_token_hint", hint, "prompt", prompt)
			if got := w.location(w.authorize(w.signIn(), v)).Query().Get("error"); got != want {
				t.Errorf("prompt=%q: error %q, want %q", prompt, got, want)
			}
		}
	})
}

func TestNoStateIsEchoedWhenNoneWasSent(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for name, v := range map[string]url.Values{
			"success": authorizeParams("state", "-"),
			"error":   authorizeParams("state", "-", "scope", "openid fly"),
		} {
			if got := w.walk(w.signIn(), v); got.Has("state") || got.Get("iss") != issuer {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

func TestAnInteractionBelongsToOneBrowserAndYieldsOneCode(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.signIn()
		id := w.location(w.authorize(b, authorizeParams())).Query().Get("interaction")
		thief := w.signIn()
		if _, err := w.provider.Pending(thief.context(), id); err == nil {
			t.Error("another browser sees the interaction")
		}
		if _, err := w.provider.Answer(thief.context(), id, true, authz.Scopes{"openid"}); err == nil {
			t.Error("another browser answers the interaction")
		}
		if rec := w.get(thief, "/oauth2/authorize?interaction="+id); rec.Code != http.StatusBadRequest {
			t.Errorf("another browser continues the interaction: %d", rec.Code)
		}
		_, err := w.provider.Answer(b.context(), id, true, authz.Scopes{"openid", "profile"})
		w.must(err)
		codes := 0
		for _, a := range race(8, func() answer {
			rec := w.get(b, "/oauth2/authorize?interaction="+id)
			return answer{status: rec.Code, header: rec.Header()}
		}) {
			if strings.Contains(a.header.Get("Location"), "code=") {
				codes++
			}
		}
		if codes != 1 {
			t.Errorf("one interaction gave %d codes", codes)
		}
	})
}

func TestWhatIsNotTickedIsNotGranted(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.signIn()
		id := w.location(w.authorize(b, authorizeParams())).Query().Get("interaction")
		// A person may not allow what was not asked, whatever a form says.
		_, err := w.provider.Answer(b.context(), id, true, authz.Scopes{"orders:read", "orders:write", "email"})
		w.must(err)
		q := w.location(w.get(b, "/oauth2/authorize?interaction="+id)).Query()
		a := w.post("/oauth2/token", "web", codeForm(q.Get("code")))
		if a.text("scope") != "openid orders:read" || a.body["refresh_token"] != nil {
			t.Errorf("granted %q, refresh token %v", a.text("scope"), a.body["refresh_token"])
		}
		if again := w.location(w.authorize(w.signIn(), authorizeParams())); again.Query().Get("code") == "" {
			t.Errorf("what was declined is asked again: %s", again)
		}
	})
}

func TestADenialAndACancelledLoginGoBackToTheApp(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for name, b := range map[string]*browser{"denied": w.signIn(), "cancelled": w.visitor()} {
			id := w.location(w.authorize(b, authorizeParams())).Query().Get("interaction")
			_, err := w.provider.Answer(b.context(), id, false, nil)
			w.must(err)
			q := w.location(w.get(b, "/oauth2/authorize?interaction="+id)).Query()
			if q.Get("error") != "access_denied" || q.Get("iss") != issuer || q.Get("state") != "s-1" {
				t.Errorf("%s: %v", name, q)
			}
			if rec := w.get(b, "/oauth2/authorize?interaction="+id); rec.Code != http.StatusBadRequest {
				t.Errorf("%s: the interaction goes on: %d", name, rec.Code)
			}
		}
	})
}

func TestConsentIsAskedEveryTimeWhereNothingProvesTheApp(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for redirect, want := range map[string]string{
			"http://127.0.0.1:51234/callback": "/consent", // any port (RFC 8252 §7.3)
			"https://app.example/native":      "",
		} {
			v := authorizeParams("client_id", "native", "redirect_uri", redirect)
			w.walk(w.signIn(), v)
			if u := w.location(w.authorize(w.signIn(), v)); want != "" && u.Path != want {
				t.Errorf("second time for %s: %s", redirect, u)
			} else if want == "" && u.Query().Get("code") == "" {
				t.Errorf("second time for %s: %s", redirect, u)
			}
		}
	})
}

func TestFormPostIsForTheWeb(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addClient("device", func(m *authz.ClientMetadata) {
			m.Type, m.AuthMethod = authz.ClientNative, authz.AuthNone
			m.RedirectURIs = []string{"com.example.app:/cb", "http://127.0.0.1/cb"}
		})
		for redirect, refused := range map[string]bool{"com.example.app:/cb": true, "http://127.0.0.1:5000/cb": false} {
			u := w.location(w.authorize(w.signIn(), authorizeParams("client_id", "device", "redirect_uri", redirect, "response_mode", "form_post")))
			if (u.Query().Get("error") == "invalid_request") != refused {
				t.Errorf("form_post to %s: sent to %s", redirect, u)
			}
		}
	})
}

func TestFormPostSendsTheAnswerAsAForm(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.tokens("web")
		rec := w.authorize(w.signIn(), authorizeParams("response_mode", "form_post"))
		body, ok := strings.CutPrefix(rec.Body.String(), "form "+appURI+"?")
		q, err := url.ParseQuery(body)
		if !ok || err != nil || q.Get("code") == "" || q.Get("iss") != issuer || q.Get("state") != "s-1" {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// Errors come in the response mode that was asked for (OAuth 2.0 Form Post Response Mode §2),
// and nothing is posted to an unverified address.
func TestErrorsComeInTheResponseModeAskedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		denied := w.begin(w.signIn(), authorizeParams("response_mode", "form_post"))
		denied.deny()
		for name, rec := range map[string]*httptest.ResponseRecorder{
			"invalid_scope":   w.authorize(w.signIn(), authorizeParams("response_mode", "form_post", "scope", "openid fly")),
			"login_required":  w.authorize(w.visitor(), authorizeParams("response_mode", "form_post", "prompt", "none")),
			"invalid_request": w.authorize(w.signIn(), authorizeParams("response_mode", "form_post", "response_type", "-")),
			"access_denied":   w.get(denied.browser, "/oauth2/authorize?interaction="+denied.id),
		} {
			body, ok := strings.CutPrefix(rec.Body.String(), "form "+appURI+"?")
			q, err := url.ParseQuery(body)
			if !ok || err != nil || q.Get("error") != name || q.Get("iss") != issuer || q.Get("state") != "s-1" {
				t.Errorf("%s: %d to %q: %s", name, rec.Code, rec.Header().Get("Location"), rec.Body)
			}
			if rec.Header().Get("Cache-Control") != "no-store" || rec.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: %v", name, rec.Header())
			}
		}
		unverified := w.authorize(w.signIn(), authorizeParams("response_mode", "form_post", "redirect_uri", "https://evil.example/"))
		if unverified.Code != http.StatusBadRequest || !strings.HasPrefix(unverified.Body.String(), "page: ") {
			t.Errorf("form_post to an address that is not verified: %d %s", unverified.Code, unverified.Body)
		}
	})
}

func TestPostToAuthorizeReadsTheBodyOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.tokens("web") // consent is remembered
		r := httptest.NewRequest(http.MethodPost, "/oauth2/authorize?client_id=other&scope=x",
			strings.NewReader(authorizeParams().Encode())).WithContext(w.signIn().context())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a := w.send(r)
		if u, err := url.Parse(a.header.Get("Location")); err != nil || u.Query().Get("code") == "" {
			t.Errorf("%d %v %s", a.status, a.header, a.raw)
		}
	})
}
