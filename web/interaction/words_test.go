package interaction_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/webtest"
)

// What no app can be told about is told to a person, in words that are not its developer's.
func TestWordsForAPersonWhereNoAppCanBeTold(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	ask := func(change func(q map[string][]string)) *webtest.Page {
		q := w.app.Params("openid")
		change(q)
		return w.Browser().Open("/oauth2/authorize?" + q.Encode())
	}
	for name, c := range map[string]struct {
		page *webtest.Page
		code string
		says []string
	}{
		"an unknown app": {
			ask(func(q map[string][]string) { q["client_id"] = []string{"nobody"} }), "invalid_client",
			[]string{"The app that sent you here is not known to this server.", "tell the people who run that app"},
		},
		"an address that is not registered": {
			ask(func(q map[string][]string) { q["redirect_uri"] = []string{"https://elsewhere.example/"} }), "invalid_request",
			[]string{
				"Acme Calendar asked to send you to an address that it has not registered, so you were stopped here.",
				"Nothing was shared. If you build this app: register the exact redirect_uri",
			},
		},
		"a sign-in that is over": {
			w.Browser().Open("/oauth2/authorize?interaction=nothing"), "invalid_request",
			[]string{"This sign-in has expired"},
		},
		"a page that is not there":     {w.Browser().Open("/nowhere"), "not_found", []string{"Page not found"}},
		"a way that is not the form's": {w.Browser().Open("/account/apps/revoke"), "method_not_allowed", []string{"Your account"}},
		"an answer of no":              {w.Browser().Open("/error?error=access_denied"), "access_denied", []string{"You said no"}},
	} {
		if c.page.Text("error") != c.code {
			t.Errorf("%s: code %q, want %s", name, c.page.Text("error"), c.code)
		}
		for _, words := range c.says {
			if !c.page.Says(words) {
				t.Errorf("%s: the page does not say %q: %s", name, words, c.page.Body)
			}
		}
	}
}

func TestAnEmptyLoginIsNoWrongOne(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	for name, c := range map[string]struct{ username, password, marked string }{
		"nothing":     {"", "", "username"},
		"no password": {"alice", "", "password"},
		"no username": {"", password, "username"},
	} {
		b := w.Browser()
		form := b.Open("/login")
		p := b.Post("/login", map[string][]string{"csrf": {form.Value("csrf")}, "username": {c.username}, "password": {c.password}})
		_, field, _ := strings.Cut(p.Body, `id="`+c.marked+`"`)
		field, _, _ = strings.Cut(field, ">")
		if p.Status != http.StatusUnprocessableEntity || p.Text("problem") != "Type your username and password." ||
			!strings.Contains(field, `aria-invalid="true"`) || sessionOf(b) != "" {
			t.Errorf("%s: status %d: %s", name, p.Status, p.Body)
		}
	}
}

// Of an app that has not said where it lives, the page names where it is sent answers.
func TestLoginNamesAHost(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	homely := w.App("homely", callback, func(m *authz.ClientMetadata) { m.ClientURI = "https://home.example/" })
	native := w.App("native", "http://127.0.0.1/callback", func(m *authz.ClientMetadata) { m.Type = authz.ClientNative })
	for name, c := range map[string]struct {
		app         *webtest.App
		says, never string
	}{
		"by its own word":     {homely, "home.example", "calendar.example"},
		"by its redirect URI": {w.app, "calendar.example", "home.example"},
		"on the device":       {native, "to continue to", "127.0.0.1"},
	} {
		if p := w.Browser().Open(c.app.Ask("openid")); !p.Says(c.says) || p.Says(c.never) {
			t.Errorf("%s: %s", name, p.Body)
		}
	}
}
