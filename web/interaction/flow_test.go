package interaction_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

func TestSignInFromAnApp(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		w := newWorld(t, open())
		login := w.Browser().Open(w.app.Ask("openid profile email offline_access orders:read orders:write", "login_hint", "alice"))
		if login.Status != http.StatusOK || !login.Says("to continue to Acme Calendar") || login.Value("username") != "alice" {
			t.Fatalf("login page %d: %s", login.Status, login.Body)
		}
		consent := signIn(login, "alice")
		if consent.URL.Path != "/consent" || !consent.Says("Acme Calendar") || !consent.Says("See your orders") || !consent.Says("calendar.example") {
			t.Fatalf("consent page %s: %s", consent.URL, consent.Body)
		}
		if got := consent.Boxes("scope"); !slices.Contains(got, "orders:write") || slices.Contains(got, "openid") {
			t.Errorf("boxes %q: what cannot be left out must have none", got)
		}
		tokens := w.app.Redeem(consent.Untick("scope", "orders:write").Untick("scope", "email").Press("allow"))
		if got := authz.ParseScopes(tokens.Scope); tokens.Status != http.StatusOK || got.Has("orders:write") || got.Has("email") ||
			!got.Contains(authz.Scopes{"openid", "profile", "orders:read"}) {
			t.Errorf("tokens %d with scope %q", tokens.Status, tokens.Scope)
		}
		if tokens.AccessToken == "" || tokens.IDToken == "" || tokens.RefreshToken == "" {
			t.Error("a token is missing")
		}
	})
}

// A login begun on one process finishes on another.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		w := newWorld(t, open())
		other := webtest.Start(t, open(), webtest.With(func(c *parts.Config) { c.Issuer = w.Issuer }))
		b := w.Browser()
		b.Visit(other.Issuer)
		login := b.Open(w.app.Ask("openid"))
		consent := signIn(b.Open(other.Issuer+login.URL.RequestURI()), "alice")
		if consent.URL.Path != "/consent" || consent.URL.Host == login.URL.Host {
			t.Fatalf("at %s: %s", consent.URL, consent.Body)
		}
		if tokens := w.app.Redeem(b.Open(w.Issuer + consent.URL.RequestURI()).Press("allow")); tokens.Status != http.StatusOK {
			t.Errorf("tokens %d %s", tokens.Status, tokens.Error)
		}
	})
}

func TestWhatWasAnsweredIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	signIn(b.Open(w.app.Ask("openid orders:read")), "alice").Press("allow")
	if again := b.Open(w.app.Ask("openid orders:read")); w.app.Answer(again).Get("code") == "" {
		t.Error("no code without asking")
	}
	more := b.Open(w.app.Ask("openid orders:read orders:write"))
	if more.URL.Path != "/consent" || strings.Count(more.Body, ">New<") != 1 {
		t.Errorf("at %s; what is new must be marked: %s", more.URL, more.Body)
	}
}

func TestTwoTabsBothFinish(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	one, two := b.Open(w.app.Ask("openid")), b.Open(w.app.Ask("openid orders:read"))
	consentOne := signIn(one, "alice")
	consentTwo := signIn(two, "alice") // begins another session in place of the first
	if tokens := w.app.Redeem(consentTwo.Press("allow")); !strings.Contains(tokens.Scope, "orders:read") {
		t.Errorf("second tab: scope %q, error %q", tokens.Scope, tokens.Error)
	}
	if tokens := w.app.Redeem(consentOne.Press("allow")); tokens.Status != http.StatusOK || strings.Contains(tokens.Scope, "orders:read") {
		t.Errorf("first tab: scope %q, error %q", tokens.Scope, tokens.Error)
	}
}

// A request that has become wrong while its page was open is refused like any other: to the
// app where there is one to tell, and never as an outage.
func TestAnAppIsChangedWhileItsPageIsOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(ctx context.Context, w *world) error
		answer string // what the app gets; empty: the person is told
	}{
		{"a scope is taken from it", func(ctx context.Context, w *world) error {
			client, err := w.Clients.Get(ctx, w.app.ID)
			if err != nil {
				return err
			}
			client.Metadata.Scope = authz.OIDCScopes()
			_, err = w.Clients.Update(ctx, w.app.ID, 0, client.Metadata)
			return err
		}, "invalid_scope"},
		{"it is disabled", func(ctx context.Context, w *world) error { return w.Clients.SetDisabled(ctx, w.app.ID, true) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := onSQLite(t)
			login := w.Browser().Open(w.app.Ask("openid orders:read"))
			consent := signIn(w.Browser().Open(w.app.Ask("openid orders:read")), "alice")
			if err := c.change(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			w.Clock.Advance(time.Minute) // what is held in memory is forgotten
			for page, got := range map[string]*webtest.Page{"login": signIn(login, "bob"), "consent": consent.Press("allow")} {
				if c.answer == "" && (got.Status != http.StatusBadRequest || got.Text("error") != "invalid_client") {
					t.Errorf("%s page: %d %s", page, got.Status, got.Body)
				}
				if c.answer != "" && w.app.Answer(got).Get("error") != c.answer {
					t.Errorf("%s page: at %s", page, got.URL)
				}
			}
		})
	}
}

func TestDeny(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	back := signIn(w.Browser().Open(w.app.Ask("openid")), "alice").Press("deny")
	if got := w.app.Answer(back).Get("error"); got != "access_denied" {
		t.Errorf("error %q", got)
	}
}

func TestCancelOnTheLoginPage(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	back := b.Open(w.app.Ask("openid")).Press("cancel")
	if got := w.app.Answer(back).Get("error"); got != "access_denied" {
		t.Errorf("error %q", got)
	}
	if sessionOf(b) != "" {
		t.Error("somebody is signed in")
	}
}

func TestUseAnotherAccount(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	consent := signIn(b.Open(w.app.Ask("openid profile")), "alice")
	first := sessionOf(b)
	login := consent.Press("switch")
	if login.URL.Path != "/login" {
		t.Fatalf("at %s", login.URL)
	}
	if stay := login.Link("Continue as alice"); stay.URL.Path != "/consent" || !stay.Has("allow") {
		t.Errorf("there is no way back: at %s", stay.URL)
	}
	wrong := login.Fill("username", "bob").Fill("password", "mistyped").Press("sign-in")
	if !wrong.Has("stay") {
		t.Errorf("after a mistake there is no way back: %s", wrong.Body)
	}
	consent = signIn(wrong, "bob")
	if !consent.Says("bob") || consent.Says("alice") {
		t.Errorf("the consent page is not bob's: %s", consent.Body)
	}
	if tokens := w.app.Redeem(consent.Press("allow")); tokens.Status != http.StatusOK {
		t.Errorf("tokens %d %s", tokens.Status, tokens.Error)
	}
	if sessionOf(b) == first {
		t.Error("the session is still alice's")
	}
}

// Signing in as somebody else in another tab must not turn alice's click into bob's consent.
func TestConsentIsOfWhoWasAsked(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	consent := signIn(b.Open(w.app.Ask("openid")), "alice")
	signIn(consent.Press("switch"), "bob")
	refused := consent.Press("allow")
	if refused.Status != http.StatusForbidden || refused.Text("error") != "form_expired" {
		t.Fatalf("status %d, error %q", refused.Status, refused.Text("error"))
	}
	if again := refused.Link("Open it again"); !again.Says("bob") {
		t.Errorf("no way on: %s", again.Body)
	}
}

// A person sees what of them is shown, and what the app has not asked for.
func TestConsentShowsTheDataItself(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	consent := signIn(w.Browser().Open(w.app.Ask("openid profile email orders:read")), "alice")
	for _, words := range []string{"alice@example.com", "Always needed", "Change your orders", "See your password"} {
		if !consent.Says(words) {
			t.Errorf("the page does not say %q: %s", words, consent.Body)
		}
	}
	if _, limits, _ := strings.Cut(consent.Body, "This does not let it"); strings.Contains(limits, "See your orders") {
		t.Error("what is asked for stands among what is not")
	}
	all := signIn(w.Browser().Open(w.app.Ask("openid orders:read orders:write")), "alice")
	if _, limits, _ := strings.Cut(all.Body, "This does not let it"); strings.Contains(limits, "orders") || strings.Contains(all.Body, "alice@example.com") {
		t.Errorf("more is said than there is to say: %s", all.Body)
	}
}

func TestFormPost(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	page := signIn(w.Browser().Open(w.app.Ask("openid", "response_mode", "form_post")), "alice").Press("allow")
	if page.Status != http.StatusOK || page.Value("code") == "" || page.Value("iss") != w.Issuer {
		t.Fatalf("status %d: %s", page.Status, page.Body)
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https:;") {
		t.Errorf("the page may not send its form: %s", policy)
	}
}

func TestPrivateUseScheme(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	native := w.App("phone", "com.example.app:/callback", func(m *authz.ClientMetadata) { m.Type = authz.ClientNative })
	login := w.Browser().Open(native.Ask("openid"))
	consent := signIn(login, "alice")
	if !consent.Says("nobody has checked its name") {
		t.Errorf("no warning: %s", consent.Body)
	}
	for _, page := range []*webtest.Page{login, consent} {
		if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https: com.example.app:;") {
			t.Errorf("%s may not end at the app: %s", page.URL.Path, policy)
		}
	}
	native.Answer(consent.Press("allow"))
}

// Who signed out in another tab is asked to sign in again, not told that nothing waits.
func TestConsentOfNobody(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	consent := signIn(b.Open(w.app.Ask("openid")), "alice")
	b.Open("/logout").Press("sign-out")
	for name, p := range map[string]*webtest.Page{"page": b.Open(consent.URL.String()), "form": consent.Press("allow")} {
		if p.URL.Path != "/login" || !p.Says("to continue to Acme Calendar") {
			t.Errorf("%s: at %s: %s", name, p.URL, p.Body)
		}
	}
	if back := signIn(b.Open(consent.URL.String()), "alice").Press("allow"); w.app.Answer(back).Get("code") == "" {
		t.Error("the sign-in was lost")
	}
}

// A form of another site brings no cookies along; the visit it is turned into does.
func TestRequestAsAFormOfAnotherSite(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	other := b.Open(w.app.Ask("openid")) // a sign-in of another tab
	signIn(b.Open(w.app.Ask("openid")), "alice").Press("allow")
	back := b.PostFromElsewhere("/oauth2/authorize", w.app.Params("openid"))
	if w.app.Answer(back).Get("code") == "" {
		t.Error("who is signed in had to sign in again")
	}
	if got := signIn(other, "alice"); w.app.Answer(got).Get("code") == "" {
		t.Error("the other tab's sign-in was lost")
	}
}

// Another site can have a browser send what it likes here: the sign-ins of its tabs go on.
func TestAnotherSiteEndsNoSignIn(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	params := w.app.Params("openid")
	long := w.app.Params("openid", "state", strings.Repeat("x", 10_000))
	for name, send := range map[string]func(b *webtest.Browser) *webtest.Page{
		"an address with a query": func(b *webtest.Browser) *webtest.Page { return b.PostFromElsewhere("/oauth2/authorize?x", params) },
		"a long form":             func(b *webtest.Browser) *webtest.Page { return b.PostFromElsewhere("/oauth2/authorize", long) },
		"nothing": func(b *webtest.Browser) *webtest.Page {
			return b.PostFromElsewhere("/oauth2/authorize?x", url.Values{})
		},
	} {
		b := w.Browser()
		waiting := b.Open(w.app.Ask("openid"))
		p := send(b)
		if name == "a long form" && (p.Status != http.StatusRequestEntityTooLarge || p.Text("error") != "too_large" || !p.Says("longer than")) {
			t.Errorf("%s: status %d: %s", name, p.Status, p.Body)
		}
		back := signIn(waiting, "alice")
		if back.Has("allow") {
			back = back.Press("allow")
		}
		if w.app.Answer(back).Get("code") == "" {
			t.Errorf("%s: the sign-in of the tab was lost", name)
		}
	}
}

func TestExpiredForeignAndFinishedInteractions(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	finished := signIn(b.Open(w.app.Ask("openid")), "alice")
	finished.Press("allow")
	waiting := b.Open(w.app.Ask("openid", "prompt", "login"))
	for name, c := range map[string]struct {
		browser *webtest.Browser
		path    string
	}{
		"login of another browser":   {w.Browser(), "/login?" + waiting.URL.RawQuery},
		"consent of another browser": {w.Browser(), "/consent?" + waiting.URL.RawQuery},
		"unknown":                    {b, "/login?interaction=nothing"},
		"finished":                   {b, "/consent?" + finished.URL.RawQuery},
		"consent without an id":      {b, "/consent"},
	} {
		p := c.browser.Open(c.path)
		if p.Status != http.StatusNotFound || p.Text("error") != "sign_in_expired" || !p.Says("Go back to the app and start again") || p.Text("error-id") == "" {
			t.Errorf("%s: status %d: %s", name, p.Status, p.Body)
		}
	}
	w.Clock.Advance(2 * time.Hour)
	late := signIn(waiting, "alice")
	if late.Status != http.StatusNotFound || late.Text("error") != "sign_in_expired" {
		t.Errorf("expired: status %d at %s", late.Status, late.URL)
	}
}

func TestFormsNeedTheirOwnToken(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	login, other := b.Open(w.app.Ask("openid")), b.Open(w.app.Ask("openid"))
	consent := signIn(b.Open(w.app.Ask("openid")), "alice")
	stranger := w.Browser().Open("/login")
	id := func(p *webtest.Page) string { return p.URL.Query().Get("interaction") }
	for name, c := range map[string]struct {
		path string
		form url.Values
	}{
		"login without one":               {"/login", url.Values{"interaction": {id(login)}}},
		"login with another tab's":        {"/login", url.Values{"interaction": {id(login)}, "csrf": {other.Value("csrf")}}},
		"login with the consent page's":   {"/login", url.Values{"interaction": {id(consent)}, "csrf": {consent.Value("csrf")}}},
		"login with another browser's":    {"/login", url.Values{"csrf": {stranger.Value("csrf")}}},
		"login by itself with a tab's":    {"/login", url.Values{"csrf": {login.Value("csrf")}}},
		"cancel without one":              {"/login", url.Values{"interaction": {id(login)}, "decision": {"deny"}}},
		"consent without one":             {"/consent", url.Values{"interaction": {id(consent)}, "decision": {"allow"}}},
		"consent with the login page's":   {"/consent", url.Values{"interaction": {id(login)}, "decision": {"allow"}, "csrf": {login.Value("csrf")}}},
		"consent with another tab's":      {"/consent", url.Values{"interaction": {id(login)}, "decision": {"allow"}, "csrf": {consent.Value("csrf")}}},
		"logout without one":              {"/logout", url.Values{"decision": {"sign-out"}}},
		"logout with the consent page's":  {"/logout", url.Values{"decision": {"sign-out"}, "csrf": {consent.Value("csrf")}}},
		"the right one, but in the query": {"/consent?csrf=" + consent.Value("csrf"), url.Values{"interaction": {id(consent)}, "decision": {"allow"}}},
	} {
		form := c.form
		form.Set("username", "bob")
		form.Set("password", password)
		before := sessionOf(b)
		if p := b.Post(c.path, form); p.Status != http.StatusForbidden {
			t.Errorf("%s: status %d at %s", name, p.Status, p.URL)
		}
		if sessionOf(b) != before {
			t.Errorf("%s: the session has changed", name)
		}
	}
	if tokens := w.app.Redeem(consent.Press("allow")); tokens.Status != http.StatusOK {
		t.Errorf("the page itself stopped working: %d %s", tokens.Status, tokens.Error)
	}
}
