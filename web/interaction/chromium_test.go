package interaction_test

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/web/webtest"
)

// realApp is an app on another site than the server, which sends people on to a third one
// after its callback, as apps do.
type realApp struct {
	origin string
	home   string
	params url.Values
}

func newRealApp(t *testing.T) *realApp {
	t.Helper()
	a := &realApp{}
	home := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `<!doctype html><p id="arrived">You are back</p>`)
	}))
	t.Cleanup(home.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", a.front)
	mux.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, home.URL+"/?method="+r.Method+"&code="+url.QueryEscape(r.FormValue("code")), http.StatusFound)
	})
	mux.HandleFunc("/popup", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `<!doctype html><script>window.opener.document.title = "signed in"</script>`)
	})
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	a.origin, a.home = strings.Replace(server.URL, "127.0.0.1", "localhost", 1), home.URL
	return a
}

// front has a link, and a form with the same request.
func (a *realApp) front(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	_ = template.Must(template.New("").Parse(`<!doctype html>
		<a id="link" href="{{.Link}}">Sign in</a>
		<form method="post" action="{{.To}}">{{range $name, $values := .Params}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">{{end}}{{end}}
		<button id="form">Sign in</button></form>`)).Execute(w, map[string]any{
		"To": to, "Link": to + "?" + a.params.Encode(), "Params": a.params,
	})
}

// A whole sign-in in a real browser: what only a browser enforces (where forms may end,
// which cookies travel, who may reach whose window) must not stand in the way.
func TestInChromium(t *testing.T) {
	t.Parallel()
	w := onSQLite(t, webtest.WithHTTPS())
	real := newRealApp(t)
	app := w.App("real", real.origin+"/callback")
	chromium := webtest.StartChromium(t)
	begin := func(press string, more ...string) {
		real.params = app.Params("openid", more...)
		chromium.Open(real.origin + "/?to=" + url.QueryEscape(w.Issuer+"/oauth2/authorize"))
		chromium.Press(press)
	}
	arrive := func(step, method string) {
		t.Helper()
		chromium.WaitFor("document.getElementById('arrived') !== null")
		at, err := url.Parse(chromium.URL())
		if err != nil || at.Query().Get("code") == "" || at.Query().Get("method") != method {
			t.Errorf("%s: at %s, %v", step, chromium.URL(), err)
		}
	}

	begin("link")
	chromium.Fill("username", "alice")
	chromium.Fill("password", password)
	chromium.Press("sign-in")
	chromium.Press("allow")
	arrive("login and consent", http.MethodGet)

	begin("form")
	arrive("request as a form of another site, signed in already", http.MethodGet)

	begin("link", "response_mode", "form_post", "prompt", "consent")
	chromium.Press("allow")
	arrive("answer as a form", http.MethodPost)

	begin("link", "prompt", "login")
	chromium.Press("cancel")
	chromium.WaitFor("location.href.startsWith(" + fmt.Sprintf("%q", real.home) + ")")

	// Apps sign people in in popups too, which then speak to the window that opened them.
	popup := w.App("popup", real.origin+"/popup")
	real.params = popup.Params("openid")
	chromium.Open(w.Issuer + "/oauth2/authorize?" + real.params.Encode())
	chromium.Press("allow") // opened by nobody: its callback finds no window to speak to
	// The answer must have arrived before the browser is sent elsewhere, or it is never given.
	chromium.WaitFor("location.href.startsWith(" + fmt.Sprintf("%q", real.origin+"/popup") + ")")
	chromium.Open(real.origin + "/")
	chromium.WaitFor("document.getElementById('link') !== null")
	chromium.Eval(fmt.Sprintf("window.open(%q) && ''", popup.Ask("openid")))
	chromium.WaitFor("document.title === 'signed in'")

	for _, complaint := range chromium.Console() {
		if strings.Contains(complaint, "Content Security Policy") || strings.Contains(complaint, "Cross-Origin") {
			t.Errorf("the browser complained: %s", complaint)
		}
	}
}
