package gatewayapi_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/web/webtest"
)

// lastUsed is when an app of alice was used last, as her page says.
func (w *world) lastUsed(clientID string) time.Time {
	w.t.Helper()
	w.must(w.GrantUses.Flush(w.t.Context()))
	apps, err := w.Consents.Apps(w.t.Context(), w.alice.ID)
	w.must(err)
	for _, app := range apps {
		if app.Client.ID == clientID {
			return app.LastUsed
		}
	}
	w.t.Fatalf("alice has no app %s", clientID)
	return time.Time{}
}

// post sends a form of a client that authenticates to Signet itself.
func (w *world) post(app *webtest.App, path string, form url.Values) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.Issuer+path, strings.NewReader(form.Encode()))
	w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if app != nil {
		r.SetBasicAuth(app.ID, app.Secret.Reveal())
	}
	res, err := w.Client().Do(r)
	w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	return res.StatusCode, string(body)
}

// An app is used wherever its token is good for something, and not only when it gets one.
func TestTheUseOfAnAppIsNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app, tokens := w.acme()
	bearer := func(options string) int {
		return w.check(dialects["nginx"], "/orders", options, "Authorization", "Bearer "+tokens.AccessToken).status
	}
	for _, c := range []struct {
		name  string
		use   func() int
		want  int
		noted bool
	}{
		{"gateway", func() int { return bearer("") }, http.StatusOK, true},
		{"gateway, from memory", func() int { bearer(""); return bearer("") }, http.StatusOK, true},
		{"gateway, refused", func() int { return bearer("scope=" + ordersWrite) }, http.StatusForbidden, false},
		{"userinfo", func() int {
			status, _ := w.post(nil, "/oauth2/userinfo", url.Values{"access_token": {tokens.AccessToken}})
			return status
		}, http.StatusOK, true},
		{"introspection", func() int {
			status, _ := w.post(app, "/oauth2/introspect", url.Values{"token": {tokens.AccessToken}})
			return status
		}, http.StatusOK, true},
	} {
		before := w.lastUsed("acme")
		w.Clock.Advance(90 * time.Second)
		if status := c.use(); status != c.want {
			t.Fatalf("%s: status %d", c.name, status)
		}
		if after := w.lastUsed("acme"); after.After(before.Add(time.Minute)) != c.noted {
			t.Errorf("%s: last used at %v, before it at %v", c.name, after, before)
		}
	}
}

func TestTheUseOfABrowserSessionIsNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun := w.visit(orders, "/.signet/sign-in")
	answered := signIn(webtest.NewBrowser(t, w.Issuer, nil).Open(begun.to().String()))
	session := w.visit(orders, answered.URL.RequestURI(), begun.cookies()[0]).cookies()[1]
	for range 2 {
		before := w.lastUsed(gateway.ClientID(orders))
		w.Clock.Advance(time.Hour)
		if a := w.check(dialects["nginx"], "/", "", "Cookie", session.Name+"="+session.Value); a.status != http.StatusOK {
			t.Fatalf("status %d", a.status)
		}
		if after := w.lastUsed(gateway.ClientID(orders)); after.Sub(before) < time.Hour {
			t.Errorf("last used at %v, before it at %v", after, before)
		}
	}
}
