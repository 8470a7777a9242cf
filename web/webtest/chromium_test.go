package webtest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/webtest"
)

// TestFormsMayEndAtAnApp pins what our content security policy is made for: a form that we
// answer with a redirect to the app, which redirects on to a host of its own. Under a bare
// form-action 'self' Chromium stops there without a word to the person.
func TestFormsMayEndAtAnApp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy  func(h http.Header, redirectURI string)
		arrives bool
	}{
		"as our pages are sent": {middleware.AllowFormRedirect, true},
		"under form-action 'self'": {func(h http.Header, _ string) {
			h.Set("Content-Security-Policy", "form-action 'self'")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`<h1 id="home">the app</h1>`))
			}))
			t.Cleanup(home.Close)
			app := httptest.NewServer(http.RedirectHandler(home.URL, http.StatusFound))
			t.Cleanup(app.Close)
			server := http.NewServeMux()
			server.HandleFunc("GET /consent", func(w http.ResponseWriter, _ *http.Request) {
				c.policy(w.Header(), app.URL+"/callback")
				_, _ = w.Write([]byte(`<!doctype html><form method="post" action="/consent"><button id="allow">Allow</button></form>`))
			})
			server.Handle("POST /consent", http.RedirectHandler("/oauth2/authorize", http.StatusSeeOther))
			server.Handle("/oauth2/authorize", http.RedirectHandler(app.URL+"/callback", http.StatusSeeOther))
			issuer := httptest.NewServer(server)
			t.Cleanup(issuer.Close)

			browser := webtest.StartChromium(t)
			browser.Open(issuer.URL + "/consent")
			browser.Press("allow")
			if c.arrives {
				browser.WaitFor("document.getElementById('home') !== null")
			}
			for !c.arrives && !strings.Contains(strings.Join(browser.Console(), "\n"), "form-action") {
				browser.URL() // until the browser has complained
			}
			if got := browser.URL(); strings.HasPrefix(got, home.URL) != c.arrives {
				t.Errorf("the browser is at %s, console %q", got, browser.Console())
			}
		})
	}
}
