package interaction_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/web/interaction"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

// anonymous is a page without what differs from one request to the next.
func anonymous(p *webtest.Page, username string) string {
	body := regexp.MustCompile(`(name="(csrf|interaction)" value=")[^"]*`).ReplaceAllString(p.Body, "$1")
	return strings.ReplaceAll(body, username, "NAME")
}

func TestWrongPasswordAndUnknownNameAreTheSame(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	disabled := w.Person("carol", password)
	if err := w.People.SetDisabled(t.Context(), disabled.ID, true); err != nil {
		t.Fatal(err)
	}
	b := w.Browser()
	var first string
	for _, c := range []struct{ username, password string }{
		{"alice", "wrong password"}, {"nobody", password}, {"carol", password}, {"alice@example.com", "wrong password"},
	} {
		p := b.Open("/login").Fill("username", c.username).Fill("password", c.password).Press("sign-in")
		if p.Status != http.StatusForbidden || !p.Says("do not match") || sessionOf(b) != "" {
			t.Errorf("%s: status %d: %s", c.username, p.Status, p.Body)
		}
		if strings.Contains(p.Body, c.password) {
			t.Errorf("%s: the password came back", c.username)
		}
		if body := anonymous(p, c.username); first == "" {
			first = body
		} else if body != first {
			t.Errorf("%s: another page than for a wrong password:\n%s\n%s", c.username, body, first)
		}
	}
}

func TestTooManyTries(t *testing.T) {
	t.Parallel()
	var waited atomic.Int64
	w := onSQLite(t, webtest.With(func(c *parts.Config) {
		c.Wait = func(context.Context, time.Duration) error { waited.Add(1); return nil }
	}))
	b := w.Browser()
	pages := map[string]string{}
	for _, username := range []string{"alice", "nobody"} {
		var p *webtest.Page
		for range login.NameBurst + login.ReserveBurst + 1 {
			p = b.Open("/login").Fill("username", username).Fill("password", "a guess").Press("sign-in")
		}
		if p.Status != http.StatusTooManyRequests || p.Header.Get("Retry-After") == "" || !p.Says("Too many tries") {
			t.Errorf("%s: status %d, Retry-After %q", username, p.Status, p.Header.Get("Retry-After"))
		}
		pages[username] = regexp.MustCompile(`Wait \d+ seconds?`).ReplaceAllString(anonymous(p, username), "Wait")
	}
	if pages["alice"] != pages["nobody"] {
		t.Errorf("the throttle tells who exists:\n%s\n%s", pages["alice"], pages["nobody"])
	}
	if n := waited.Load(); n != 1 {
		t.Errorf("%d attempts waited for the reserve of their address", n)
	}
	w.Clock.Advance(login.ReserveRefill)
	if p := signIn(b.Open("/login"), "alice"); p.URL.Path != "/account" {
		t.Errorf("still locked out after the pause: %d at %s", p.Status, p.URL)
	}
}

func TestSessionChangesAtLogin(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	planted := "ses_planted.planted"
	b.SetCookie(&http.Cookie{Name: "signet_session", Value: planted, Path: "/"})
	signIn(b.Open("/login"), "alice")
	first := sessionOf(b)
	if first == "" || first == planted {
		t.Fatalf("session %q after login", first)
	}
	signIn(b.Open(w.app.Ask("openid", "prompt", "login")), "alice")
	second := sessionOf(b)
	if second == first {
		t.Error("the second login kept the session")
	}
	old := w.Browser()
	old.SetCookie(&http.Cookie{Name: "signet_session", Value: first, Path: "/"})
	if p := old.Open("/account"); p.URL.Path != "/login" {
		t.Errorf("the first session is still good: at %s", p.URL)
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options []webtest.Option
		prefix  string
	}{
		"https":         {[]webtest.Option{webtest.WithHTTPS()}, "__Host-"},
		"loopback http": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onSQLite(t, c.options...)
			b := w.Browser()
			page := b.Open("/login")
			set := page.Header.Values("Set-Cookie")
			form := url.Values{"csrf": {page.Value("csrf")}, "username": {"alice"}, "password": {password}}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+"/login", strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, one := range b.Cookies() {
				r.AddCookie(one)
			}
			res, err := w.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			set = append(set, res.Header.Values("Set-Cookie")...)
			want := map[string]string{
				"signet_browser": "; Path=/; HttpOnly", "signet_session": "; Path=/; Max-Age=2591", "signet_device": "; Path=/; Max-Age=34560000; HttpOnly",
			}
			for _, line := range set {
				base := strings.TrimPrefix(line[:strings.Index(line, "=")], c.prefix)
				value := line[strings.Index(line, "=")+1:]
				rest := value[strings.Index(value, ";"):]
				if !strings.HasPrefix(rest, want[base]) || want[base] == "" || !strings.HasPrefix(line, c.prefix) || !strings.Contains(rest, "; HttpOnly") ||
					!strings.Contains(rest, "; SameSite=Lax") || strings.Contains(rest, "; Secure") != (c.prefix != "") || strings.Contains(rest, "Domain") {
					t.Errorf("cookie %s", line)
				}
				delete(want, base)
			}
			if len(want) > 0 {
				t.Errorf("cookies %v were not set", want)
			}
		})
	}
}

func TestOwnPath(t *testing.T) {
	t.Parallel()
	for returnTo, want := range map[string]string{
		"":                                 "",
		"/account/apps":                    "/account/apps",
		"/account/apps?done=x&seal=y":      "/account/apps?done=x&seal=y",
		"/account/apps#part":               "/account/apps",
		"/account?next=https://elsewhere/": "/account?next=https://elsewhere/",
		"account":                          "",
		"//evil.example":                   "",
		"///evil.example":                  "",
		`/\evil.example`:                   "",
		`\\evil.example`:                   "",
		`/account\..\..\\evil.example`:     "",
		"/%5cevil.example":                 "",
		"/%2f%2fevil.example":              "",
		"/%2fevil.example":                 "",
		"/\t/evil.example":                 "",
		"/\n/evil.example":                 "",
		"\t//evil.example":                 "",
		" //evil.example":                  "",
		"/%09/evil.example":                "",
		"/.//evil.example":                 "",
		"/..//evil.example":                "",
		"/account/..//evil.example":        "",
		"https://evil.example":             "",
		"https:/evil.example":              "",
		"https:evil.example":               "",
		"javascript:alert(1)":              "",
		"//alice@evil.example":             "",
		"/" + strings.Repeat("a", 3000):    "",
	} {
		if got := interaction.OwnPath(returnTo); got != want {
			t.Errorf("return_to %q leads to %q, want %q", returnTo, got, want)
		}
	}
}

func TestReturnToStaysHere(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	for returnTo, want := range map[string]string{
		"/account/apps": "/account/apps", "//evil.example": "/account", `/\evil.example`: "/account",
		"https://evil.example": "/account", "/%2fevil.example": "/account",
	} {
		link := w.Browser().Open("/login?" + url.Values{"return_to": {returnTo}}.Encode())
		if got := signIn(link, "alice").Trail[1]; got != w.Issuer+want {
			t.Errorf("return_to %q of the link leads to %s, want %s", returnTo, got, want)
		}
		form := w.Browser().Open("/login?return_to=%2F").Forge("return_to", returnTo)
		if got := signIn(form, "alice").Trail[1]; got != w.Issuer+want {
			t.Errorf("return_to %q of the form leads to %s, want %s", returnTo, got, want)
		}
	}
}

// A browser drops tabs and line breaks from an address, and takes backslashes for slashes.
func asBrowsersRead(address string) string {
	return strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(address))
}

func FuzzReturnTo(f *testing.F) {
	for _, seed := range []string{"/account", "//e", `/\e`, "/%2f/e", "/.//e", "https://e", "/\te", "/a?b=//c#d", "/;//e"} {
		f.Add(seed)
	}
	home, err := url.Parse("https://id.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, returnTo string) {
		path := interaction.OwnPath(returnTo)
		if path == "" {
			return
		}
		u, err := url.Parse(asBrowsersRead(path))
		if err != nil || asBrowsersRead(path) != path {
			t.Fatalf("return_to %q leads to %q, which is read as something else", returnTo, path)
		}
		if to := home.ResolveReference(u); to.Host != home.Host || to.Scheme != home.Scheme || strings.HasPrefix(to.Path, "//") {
			t.Errorf("return_to %q leads to %s", returnTo, to)
		}
	})
}

func TestSignedInAlready(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	signIn(b.Open("/login"), "alice")
	if p := b.Open("/login?return_to=%2Faccount%2Fsessions"); p.URL.Path != "/account/sessions" {
		t.Errorf("at %s", p.URL)
	}
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	tokens := w.app.Redeem(signIn(b.Open(w.app.Ask("openid offline_access")), "alice").Press("allow"))
	w.Browser().Open("/login").Fill("username", "alice").Fill("password", "mistyped-secret").Press("sign-in")
	log := w.Log.String()
	if strings.Count(log, `"route":"/oauth2/authorize"`) != 3 || !strings.Contains(log, `"correlation_id":"`) {
		t.Errorf("log lines are missing:\n%s", log)
	}
	for name, secret := range map[string]string{
		"password": password, "mistyped password": "mistyped-secret", "session": sessionOf(b),
		"access token": tokens.AccessToken, "refresh token": tokens.RefreshToken, "client secret": w.app.Secret.Reveal(),
		"a query": "code_challenge",
	} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has the %s", name)
		}
	}
}

// A database that is gone must look like neither a wrong password nor being signed out.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	b := w.Browser()
	page := b.Open("/login")
	waiting := b.Open(w.app.Ask("openid"))
	signedIn := w.Browser()
	signIn(signedIn.Open("/login"), "alice")
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*webtest.Page{
		"login":            signIn(page, "alice"),
		"login for an app": signIn(waiting, "alice"),
		"account":          signedIn.Open("/account"),
		"login page":       signedIn.Open("/login"),
		"logout":           signedIn.Post("/logout", url.Values{}),
		"first visit":      w.Browser().Open(w.app.Ask("openid")),
		"authorize":        signedIn.Open(w.app.Ask("openid")),
		"setup":            b.Open("/setup?token=" + w.People.SetupToken().Reveal()),
	} {
		if p.Status != http.StatusServiceUnavailable || p.Header.Get("Retry-After") == "" || !p.Says("Signet cannot answer right now. Wait a few seconds") {
			t.Errorf("%s: status %d at %s: %s", name, p.Status, p.URL, p.Body)
		}
		for _, line := range p.Header.Values("Set-Cookie") {
			if strings.Contains(line, "session") {
				t.Errorf("%s: sets %s", name, line)
			}
		}
	}
}
