package account_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/webtest"
)

const (
	orders   = "https://orders.example"
	callback = "https://calendar.example/callback"
	password = "correct horse battery"
)

func start(t *testing.T, store *storage.Store) (*webtest.Server, *webtest.App) {
	t.Helper()
	s := webtest.Start(t, store)
	s.Person("alice", password)
	s.Person("bob", password)
	s.API(authz.API{Identifier: orders, Name: "Orders", Scopes: []authz.APIScope{{Name: "orders:read", Description: "See your orders"}}})
	return s, s.App("calendar", callback, func(m *authz.ClientMetadata) {
		m.Name, m.APIs, m.DefaultAPI = "Acme Calendar", []string{orders}, orders
		m.Scope = authz.OIDCScopes().With(authz.Scopes{"orders:read"})
	})
}

func signIn(s *webtest.Server, username string) (*webtest.Browser, *webtest.Page) {
	b := s.Browser()
	return b, b.Open("/login").Fill("username", username).Fill("password", password).Press("sign-in")
}

func TestApps(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		s, app := start(t, open())
		b, account := signIn(s, "alice")
		if account.URL.Path != "/account" || !account.Says("alice@example.com") {
			t.Fatalf("at %s: %s", account.URL, account.Body)
		}
		if p := b.Open("/account/apps"); !p.Says("Nothing can act for you yet") {
			t.Errorf("before any: %s", p.Body)
		}
		tokens := app.Redeem(b.Open(app.Ask("openid offline_access orders:read")).Press("allow"))
		list := b.Open("/account/apps")
		for _, words := range []string{"Acme Calendar", "calendar.example", "See your orders", "Keep this access while you are away"} {
			if !list.Says(words) {
				t.Errorf("the list does not say %q: %s", words, list.Body)
			}
		}
		after := list.Press("Yes, remove access of Acme Calendar")
		if after.URL.Path != "/account/apps" || !after.Says("Acme Calendar no longer has access.") || !after.Says("Nothing can act for you yet") {
			t.Errorf("at %s: %s", after.URL, after.Body)
		}
		refreshed := app.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}})
		if refreshed.Error != "invalid_grant" {
			t.Errorf("the app still gets tokens: %d %s", refreshed.Status, refreshed.Error)
		}
		if twice := list.Press("Yes, remove access of Acme Calendar"); twice.Status != http.StatusOK || twice.Has("flash") {
			t.Errorf("a second time: status %d: %s", twice.Status, twice.Body)
		}
		if p := b.Open(app.Ask("openid orders:read")); p.URL.Path != "/consent" {
			t.Errorf("the app is not asked about again: at %s", p.URL)
		}
	})
}

func TestSessions(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		s, _ := start(t, open())
		here, _ := signIn(s, "alice")
		there, _ := signIn(s, "alice")
		elsewhere, _ := signIn(s, "alice")
		list := here.Open("/account/sessions")
		if strings.Count(list.Body, "<h2>Firefox on Linux") != 3 || !list.Says("This device") || !list.Says("127.0.0.1") {
			t.Errorf("three sessions, one of them this one: %s", list.Body)
		}
		if before, _, _ := strings.Cut(list.Body, "This device"); strings.Count(before, "<h2>Firefox on Linux") != 1 {
			t.Errorf("this device is not the first: %s", list.Body)
		}
		const end = "Sign out Firefox on Linux, 127.0.0.1"
		after := list.Press(end)
		if !after.Says("Firefox on Linux is signed out.") || strings.Count(after.Body, "<h2>Firefox on Linux") != 2 {
			t.Errorf("at %s: %s", after.URL, after.Body)
		}
		if again := list.Press(end); again.Status != http.StatusOK || again.Has("flash") {
			t.Errorf("one that is gone already: status %d", again.Status)
		}
		if p := list.Press("end-others"); !p.Says("You are signed out everywhere else.") || p.Has("end-others") {
			t.Errorf("at %s: %s", p.URL, p.Body)
		}
		for name, b := range map[string]*webtest.Browser{"there": there, "elsewhere": elsewhere} {
			if p := b.Open("/account/sessions"); p.URL.Path != "/login" {
				t.Errorf("still signed in %s: at %s", name, p.URL)
			}
		}
		if p := here.Open("/account"); p.URL.Path != "/account" {
			t.Errorf("signed out here too: at %s", p.URL)
		}
	})
}

func TestNobodyEndsAnothersSession(t *testing.T) {
	t.Parallel()
	s, _ := start(t, storagetest.New(t))
	alice, _ := signIn(s, "alice")
	signIn(s, "alice")
	victims := alice.Open("/account/sessions")
	bob, _ := signIn(s, "bob")
	signIn(s, "bob")
	bob.Open("/account/sessions").Forge("id", victims.Value("id")).Press("Sign out Firefox on Linux, 127.0.0.1")
	if p := alice.Open("/account/sessions"); strings.Count(p.Body, "<h2>Firefox on Linux") != 2 {
		t.Errorf("bob has ended alice's session: %s", p.Body)
	}
}

func TestFormsNeedTheirOwnToken(t *testing.T) {
	t.Parallel()
	s, app := start(t, storagetest.New(t))
	b, _ := signIn(s, "alice")
	b.Open(app.Ask("openid")).Press("allow")
	signIn(s, "alice")
	other, _ := signIn(s, "alice")
	for path, button := range map[string]string{
		"/account/apps": "Yes, remove access of Acme Calendar", "/account/sessions": "end-others",
	} {
		for name, token := range map[string]string{"none": "", "another session's": other.Open("/account").Value("csrf")} {
			forged := map[string]string{"/account/apps": "/account/apps/revoke", "/account/sessions": "/account/sessions/end-others"}[path]
			refused := b.Post(forged, url.Values{"csrf": {token}, "kind": {"app"}, "id": {"calendar"}})
			if refused.Status != http.StatusForbidden || refused.Text("error") != "form_expired" {
				t.Errorf("%s with %s token: status %d: %s", forged, name, refused.Status, refused.Body)
			}
			if again := refused.Link("Open it again"); again.URL.Path != path || again.Body == "" {
				t.Errorf("%s: no way on: %s", forged, again.URL)
			}
		}
		if p := b.Open(path).Press(button); p.Status != http.StatusOK {
			t.Errorf("%s: the page itself stopped working: %d", path, p.Status)
		}
	}
}

func TestPagesNeedASession(t *testing.T) {
	t.Parallel()
	s, _ := start(t, storagetest.New(t))
	for _, path := range []string{"/", "/account", "/account/apps", "/account/sessions"} {
		login := s.Browser().Open(path)
		if login.URL.Path != "/login" {
			t.Errorf("%s: at %s", path, login.URL)
			continue
		}
		want := path
		if path == "/" {
			want = "/account"
		}
		if back := login.Fill("username", "alice").Fill("password", password).Press("sign-in"); back.URL.Path != want {
			t.Errorf("%s: back at %s", path, back.URL)
		}
	}
	for _, path := range []string{"/account/apps/revoke", "/account/sessions/end", "/account/sessions/end-others"} {
		if p := s.Browser().Post(path, url.Values{}); p.URL.Path != "/login" {
			t.Errorf("%s: at %s", path, p.URL)
		}
	}
}

// flashOf gives what a browser was told to keep for the next page; it has not opened it.
func flashOf(t *testing.T, b *webtest.Browser, form *webtest.Page) string {
	t.Helper()
	answer := b.PostOnly("/account/sessions/end-others", url.Values{"csrf": {form.Value("csrf")}})
	for _, c := range b.Cookies() {
		if c.Name == "signet_flash" {
			return c.Value
		}
	}
	t.Fatalf("status %d: nothing is left for the next page", answer.Status)
	return ""
}

// Nobody can have our page say what they like, and it says nothing twice.
func TestFlashIsOurs(t *testing.T) {
	t.Parallel()
	s, _ := start(t, storagetest.New(t))
	b, _ := signIn(s, "alice")
	signIn(s, "alice")
	said := flashOf(t, b, b.Open("/account/sessions"))
	text, rest, _ := strings.Cut(said, ".")
	invented := base64.RawURLEncoding.EncodeToString([]byte("Call 0800 123456"))
	other, _ := signIn(s, "bob")
	for name, c := range map[string]struct {
		browser *webtest.Browser
		flash   string
	}{
		"nothing of ours":          {b, "Call 0800 123456"},
		"without a seal":           {b, invented},
		"with another's seal":      {b, invented + "." + rest},
		"with an invented seal":    {b, invented + ".done.seal"},
		"in another tone":          {b, text + strings.Replace("."+rest, ".done.", ".failed.", 1)},
		"in another's browser":     {other, said},
		"what is not even base 64": {b, "!" + said},
	} {
		c.browser.SetCookie(&http.Cookie{Name: "signet_flash", Value: c.flash, Path: "/"})
		if p := c.browser.Open("/account/sessions"); p.Has("flash") || p.Status != http.StatusOK {
			t.Errorf("%s: %d %s", name, p.Status, p.Text("flash"))
		}
	}
	b.SetCookie(&http.Cookie{Name: "signet_flash", Value: said, Path: "/"})
	if p := b.Open("/account/sessions"); p.Text("flash") != "You are signed out everywhere else." {
		t.Errorf("our own is gone: %s", p.Body)
	}
	if p := b.Open("/account/sessions"); p.Has("flash") {
		t.Errorf("after a reload it is said again: %s", p.Text("flash"))
	}
}

// The number on the overview is that of the page behind it.
// What an administrator says of a person, they can see.
func TestOverviewTellsWhatIsSaidOfThePerson(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		s, _ := start(t, open())
		b, account := signIn(s, "alice")
		if account.Has("claims") {
			t.Errorf("before anything is said: %s", account.Body)
		}
		alice, err := s.People.Get(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.People.SetClaims(t.Context(), alice.ID, authz.UserClaims{
			"teams": []string{"a", "<b>"}, "desk": json.Number("7.50"), "remote": true, "department": "sales",
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Open("/account").Text("claims"); got != "departmentsales desk7.50 remotetrue teamsa, <b>" { // a term and what it says
			t.Errorf("it says %q", got)
		}
	})
}

func TestOverviewCountsWhatThePagesList(t *testing.T) {
	t.Parallel()
	s, b, _ := holder(t)
	app := s.App("calendar", callback)
	app.Redeem(b.Open(app.Ask("openid")).Press("allow"))
	b.Post("/account/tokens", webtestForm(b.Open("/account/tokens/new"), "orders:read", "30", ""))
	overview, list := b.Open("/account"), b.Open("/account/apps")
	if n := strings.Count(list.Body, `<li class="entry">`); n != 2 || !overview.Says("2What can act for you") || !list.Says("What can act for you") {
		t.Errorf("%d entries, and the overview says: %s", n, overview.Body)
	}
}

func TestATokenCanBeRevokedAmongTheApps(t *testing.T) {
	t.Parallel()
	_, b, _ := holder(t)
	b.Post("/account/tokens", webtestForm(b.Open("/account/tokens/new"), "orders:read", "30", ""))
	list := b.Open("/account/apps")
	after := list.Press("Yes, revoke it: backup script")
	if after.URL.Path != "/account/apps" || after.Text("flash") != "“backup script” no longer works." || !after.Says("Nothing can act for you yet") {
		t.Errorf("at %s: %s", after.URL, after.Body)
	}
	if twice := list.Press("Yes, revoke it: backup script"); twice.Status != http.StatusOK || twice.Has("flash") {
		t.Errorf("a second time: status %d: %s", twice.Status, twice.Text("flash"))
	}
}
