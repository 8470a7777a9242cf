package gatewayapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/web/webtest"
)

// visit sends a browser's request for a path of a protected host, with cookies as a proxy
// passes them on.
func (w *world) visit(host, path string, cookies ...*http.Cookie) *answer {
	w.t.Helper()
	at, err := url.Parse(host)
	w.must(err)
	var texts []string
	for _, c := range cookies {
		texts = append(texts, c.Name+"="+c.Value)
	}
	d := dialect{
		path: func(string, string) string { return path },
		header: func(string, string) http.Header {
			return http.Header{"X-Forwarded-Proto": {at.Scheme}, "X-Forwarded-Host": {at.Host}}
		},
	}
	return w.check(d, "", "", "Accept", "text/html", "Cookie", strings.Join(texts, "; "))
}

// cookies are those that an answer sets.
func (a *answer) cookies() []*http.Cookie { return (&http.Response{Header: a.header}).Cookies() }

// to is where an answer sends the browser.
func (a *answer) to() *url.URL {
	a.t.Helper()
	if a.status != http.StatusSeeOther {
		a.t.Fatalf("status %d: %s", a.status, a.body)
	}
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		a.t.Fatal(err)
	}
	return u
}

func checkCookie(t *testing.T, c *http.Cookie, name string, secure bool) {
	t.Helper()
	if !strings.HasPrefix(c.Name, name) || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %s: secure %v, http only %v, same site %v, path %q, domain %q", c.Name, c.Secure, c.HttpOnly, c.SameSite, c.Path, c.Domain)
	}
}

// Over http, which there is on loopback only, browsers take neither the prefix nor Secure.
func TestCookiesOfAProtectedHost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		host   string
		prefix string
		secure bool
	}{
		"https":    {orders, "__Host-", true},
		"loopback": {"http://127.0.0.1:4711", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.host != orders {
				w.API(authz.API{Identifier: c.host, Name: "Local", BrowserSignIn: true, Scopes: []authz.APIScope{{Name: "x", Description: "X"}}})
			}
			begun := w.visit(c.host, "/.signet/sign-in?return_to=/here%3Fa=b")
			state := begun.cookies()[0]
			checkCookie(t, state, c.prefix+"signet_gateway_state_", c.secure)
			if state.MaxAge <= 0 || state.MaxAge > int(time.Hour/time.Second) {
				t.Errorf("the state is kept for %d s", state.MaxAge)
			}
			b := webtest.NewBrowser(t, w.Issuer, nil)
			answered := signIn(b.Open(begun.to().String()))
			if got, want := answered.URL.Scheme+"://"+answered.URL.Host+answered.URL.Path, c.host+gateway.CallbackPath; got != want {
				t.Fatalf("the answer goes to %s, not %s: %s", got, want, answered.Body)
			}
			done := w.visit(c.host, answered.URL.RequestURI(), state)
			if done.to().String() != c.host+"/here?a=b" {
				t.Errorf("sent to %s", done.to())
			}
			all := done.cookies()
			if len(all) != 2 || all[0].MaxAge >= 0 || all[0].Name != state.Name {
				t.Fatalf("the state stays: %v", all)
			}
			checkCookie(t, all[1], c.prefix+"signet_gateway", c.secure)
			if all[1].MaxAge != 0 || !strings.HasPrefix(all[1].Value, gateway.PrefixSession) {
				t.Errorf("session cookie %v", all[1])
			}
			// The same answer again, as after pressing Back: there is no harm, and no second session.
			if again := w.visit(c.host, answered.URL.RequestURI(), all[1]); again.to().String() != c.host+"/" || len(again.cookies()) > 0 {
				t.Errorf("a second callback leads to %s with %v", again.to(), again.cookies())
			}
		})
	}
}

func TestTheAuthorizationRequestIsAnOrdinaryOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.visit(orders, "/.signet/sign-in").to(), w.visit(orders, "/.signet/sign-in").to()
	q := first.Query()
	if first.Scheme+"://"+first.Host+first.Path != w.Issuer+"/oauth2/authorize" {
		t.Errorf("sent to %s", first)
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": gateway.ClientID(orders), "resource": orders,
		"redirect_uri": orders + "/.signet/callback", "code_challenge_method": "S256",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"state", "code_challenge"} {
		if q.Get(name) == "" || q.Get(name) == second.Query().Get(name) {
			t.Errorf("%s is %q and then %q", name, q.Get(name), second.Query().Get(name))
		}
	}
	client, err := w.Store.Client(t.Context(), gateway.ClientID(orders))
	w.must(err)
	if len(client.Secrets) > 0 || !client.Metadata.FirstParty || client.Public() {
		t.Errorf("the client is %+v", client)
	}
}

// answers that no authorization endpoint of ours has given to this browser.
func TestWrongAnswersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		query  string // beside the state
		status int
		code   string // "access_denied" is what the person wanted
	}{
		"no issuer":             {"code=sgc_x", 400, "sign_in_expired"},
		"another issuer":        {"code=sgc_x&iss=https://evil.example", 400, "sign_in_expired"},
		"no code":               {"iss=" + w.Issuer, 400, "sign_in_expired"},
		"an invented code":      {"code=sgc_x&iss=" + w.Issuer, 400, "sign_in_expired"},
		"not allowed":           {"error=access_denied&iss=" + w.Issuer, 403, "access_denied"},
		"an error of our words": {"error=%3Cb%3Ecall+0900%3C/b%3E&iss=" + w.Issuer, 403, "sign_in_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := w.visit(orders, "/.signet/sign-in?return_to=/here%3Fa=b")
			a := w.visit(orders, "/.signet/callback?state="+begun.to().Query().Get("state")+"&"+c.query, begun.cookies()[0])
			if a.status != c.status || !strings.Contains(a.body, `id="error">`+c.code+"<") || strings.Contains(a.body, "0900") {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			for _, one := range a.cookies() {
				if one.Value != "" {
					t.Errorf("it sets %v", one)
				}
			}
			if !strings.Contains(a.body, `href="`+orders+`/here?a=b"`) || strings.Contains(a.body, "<title>You are not signed in ·") != (c.code == "access_denied") {
				t.Errorf("the page leads nowhere, or says it wrong: %s", a.body)
			}
			policy := a.header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "style-src "+w.Issuer) || !strings.Contains(policy, "default-src 'none'") {
				t.Errorf("the page has the policy %q", policy)
			}
		})
	}
}

func TestACodeIsOfNoUseToAnotherSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun, other := w.visit(orders, "/.signet/sign-in"), w.visit(orders, "/.signet/sign-in")
	answered := signIn(webtest.NewBrowser(t, w.Issuer, nil).Open(begun.to().String()))
	q := answered.URL.Query()
	q.Set("state", other.to().Query().Get("state"))
	if a := w.visit(orders, "/.signet/callback?"+q.Encode(), other.cookies()[0]); a.status != http.StatusBadRequest {
		t.Errorf("status %d with the verifier of another sign-in", a.status)
	}
	// Another server's answer, which is made to look as if it were to this sign-in (RFC 9207).
	q.Set("state", begun.to().Query().Get("state"))
	q.Set("iss", "https://evil.example")
	if a := w.visit(orders, "/.signet/callback?"+q.Encode(), begun.cookies()[0]); a.status != http.StatusBadRequest {
		t.Errorf("status %d for the answer of another server", a.status)
	}
	// A code that is shown twice is spent (RFC 6749 §4.1.2).
	path := answered.URL.RequestURI()
	session := w.visit(orders, path, begun.cookies()[0]).cookies()[1]
	if a := w.visit(orders, path, begun.cookies()[0]); a.status != http.StatusBadRequest {
		t.Errorf("status %d for a code that was redeemed", a.status)
	}
	w.until("what grew from it has ended", func() bool {
		return w.check(dialects["nginx"], "/", "", "Cookie", session.Name+"="+session.Value).status == http.StatusUnauthorized
	})
}

func TestHostsWithoutSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.API(authz.API{Identifier: "https://machine.example", Name: "Machines", Scopes: []authz.APIScope{{Name: "m", Description: "M"}}})
	for _, host := range []string{"https://machine.example", "https://elsewhere.example", "http://orders.example.com", w.Issuer} {
		for _, path := range []string{gateway.SignInPath, gateway.CallbackPath, gateway.SignOutPath} {
			if a := w.visit(host, path); a.status != http.StatusNotFound || !strings.Contains(a.body, `id="error">not_found<`) {
				t.Errorf("%s%s: status %d", host, path, a.status)
			}
		}
	}
	if a := w.visit(orders, "/.signet/sign-in?api=https://machine.example"); a.status != http.StatusNotFound {
		t.Errorf("an API of another host: status %d", a.status)
	}
	if a := w.visit(orders, "/.signet/nothing"); a.status != http.StatusNotFound {
		t.Errorf("an unknown page: status %d", a.status)
	}
}

// One browser may be signed in to several APIs of one host.
func TestSeveralAPIsAtOneHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const archive = orders + "/archive"
	w.API(authz.API{Identifier: archive, Name: "Archive", BrowserSignIn: true, Scopes: []authz.APIScope{{Name: "archive:read", Description: "See the archive"}}})
	b := webtest.NewBrowser(t, w.Issuer, nil)
	var session *http.Cookie
	enter := func(path, client string) {
		t.Helper()
		begun := w.visit(orders, path)
		if got := begun.to().Query().Get("client_id"); got != gateway.ClientID(client) {
			t.Fatalf("%s signs in with %s", path, got)
		}
		p := b.Open(begun.to().String())
		if p.Status == http.StatusOK {
			p = signIn(p)
		}
		cookies := begun.cookies()
		if session != nil {
			cookies = append(cookies, session)
		}
		session = w.visit(orders, p.URL.RequestURI(), cookies...).cookies()[1]
	}
	enter("/.signet/sign-in?api="+url.QueryEscape(orders), orders)
	enter("/.signet/sign-in?return_to="+url.QueryEscape(archive+"/1"), archive)
	for path, client := range map[string]string{"/x": orders, "/archive/x": archive} {
		a := w.check(dialects["nginx"], path, "", "Cookie", session.Name+"="+session.Value)
		if a.status != http.StatusOK {
			t.Errorf("%s of %s: status %d: %s", path, client, a.status, a.body)
		}
	}
}

// What an API has learned since a person signed in is theirs with the next sign-in.
func TestASignInKnowsTheAPIAsItIsNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := webtest.NewBrowser(t, w.Issuer, nil)
	signIn(b.Open(w.visit(orders, "/.signet/sign-in").to().String()))
	api, err := w.APIs.Get(t.Context(), orders)
	w.must(err)
	api.Scopes = append(api.Scopes, authz.APIScope{Name: "orders:cancel", Description: "Cancel your orders"})
	_, err = w.APIs.Update(t.Context(), orders, api.Version, *api)
	w.must(err)
	w.until("the gateway has heard of it", func() bool {
		_, token := w.token(time.Hour, ordersRead)
		return w.check(dialects["nginx"], "/", "scope=orders:cancel", "Authorization", "Bearer "+token).status == http.StatusForbidden
	})
	begun := w.visit(orders, "/.signet/sign-in")
	answered := b.Open(begun.to().String())
	session := w.visit(orders, answered.URL.RequestURI(), begun.cookies()[0]).cookies()[1]
	a := w.check(dialects["nginx"], "/", "scope=orders:cancel", "Cookie", session.Name+"="+session.Value)
	if a.status != http.StatusOK {
		t.Errorf("status %d: %s", a.status, a.header.Get("WWW-Authenticate"))
	}
}

// Who visits nothing but what is behind the gateway is no less active for that.
func TestAVisitKeepsThePersonSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun := w.visit(orders, "/.signet/sign-in")
	answered := signIn(webtest.NewBrowser(t, w.Issuer, nil).Open(begun.to().String()))
	session := w.visit(orders, answered.URL.RequestURI(), begun.cookies()[0]).cookies()[1]
	idle := func() time.Time {
		all, err := w.Sessions.List(t.Context(), w.alice.ID)
		w.must(err)
		if len(all) != 1 {
			t.Fatalf("%d sessions", len(all))
		}
		return all[0].IdleExpiresAt
	}
	for range 2 { // together longer than a session may be idle
		w.Clock.Advance(11 * time.Hour)
		before := idle()
		if a := w.check(dialects["nginx"], "/", "", "Cookie", session.Name+"="+session.Value); a.status != http.StatusOK {
			t.Fatalf("status %d", a.status)
		}
		w.until("the visit is noted", func() bool { return idle().Sub(before) > 10*time.Hour })
	}
}

// Somebody may make a browser begin any number of sign-ins.
func TestABrowserKeepsFewSignInsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kept := map[string]*http.Cookie{}
	for range 20 {
		var all []*http.Cookie
		for _, c := range kept {
			all = append(all, c)
		}
		for _, c := range w.visit(orders, "/.signet/sign-in", all...).cookies() {
			if c.MaxAge < 0 {
				delete(kept, c.Name)
			} else {
				kept[c.Name] = c
			}
		}
	}
	if len(kept) == 0 || len(kept) > 6 {
		t.Errorf("%d sign-ins are kept", len(kept))
	}
}

// A link of another site does not sign anybody out.
func TestOthersCannotSignAPersonOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun := w.visit(orders, "/.signet/sign-in")
	answered := signIn(webtest.NewBrowser(t, w.Issuer, nil).Open(begun.to().String()))
	session := w.visit(orders, answered.URL.RequestURI(), begun.cookies()[0]).cookies()[1]
	cookie := fmt.Sprintf("%s=%s", session.Name, session.Value)
	d := dialect{
		path: func(string, string) string { return gateway.SignOutPath },
		header: func(string, string) http.Header {
			return http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"orders.example.com"}}
		},
	}
	a := w.check(d, "", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site")
	if a.to().String() != w.Issuer+"/logout" || len(a.cookies()) > 0 {
		t.Errorf("sent to %s with %v", a.to(), a.cookies())
	}
	if a := w.check(dialects["nginx"], "/", "", "Cookie", cookie); a.status != http.StatusOK {
		t.Errorf("signed out: status %d", a.status)
	}
	w.must(w.Store.Close())
	if a := w.check(d, "", "", "Cookie", cookie, "Accept", "text/html"); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || len(a.cookies()) > 0 {
		t.Errorf("an outage while signing out: status %d with %v", a.status, a.cookies())
	}
}

func TestAnOutageOfTheDatabaseWhileSigningIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun := w.visit(orders, "/.signet/sign-in")
	answered := signIn(webtest.NewBrowser(t, w.Issuer, nil).Open(begun.to().String()))
	w.must(w.Store.Close())
	for name, a := range map[string]*answer{
		"at the beginning": w.visit(orders, "/.signet/sign-in"),
		"at the end":       w.visit(orders, answered.URL.RequestURI(), begun.cookies()[0]),
	} {
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `id="error-id"`) {
			t.Errorf("%s: status %d: %s", name, a.status, a.body)
		}
		for _, c := range a.cookies() {
			t.Errorf("%s: sets %v", name, c)
		}
	}
}
