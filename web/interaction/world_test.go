package interaction_test

import (
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

// world is a server with two people, an API and an app.
type world struct {
	*webtest.Server
	alice, bob *authz.User
	app        *webtest.App
}

func newWorld(t testing.TB, store *storage.Store, options ...webtest.Option) *world {
	t.Helper()
	w := &world{Server: webtest.Start(t, store, options...)}
	w.alice, w.bob = w.Person("alice", password), w.Person("bob", password)
	w.API(authz.API{Identifier: orders, Name: "Orders", Scopes: []authz.APIScope{
		{Name: "orders:read", Description: "See your orders"},
		{Name: "orders:write", Description: "Change your orders"},
	}})
	w.app = w.App("calendar", callback, func(m *authz.ClientMetadata) {
		m.Name = "Acme Calendar"
		m.APIs, m.DefaultAPI = []string{orders}, orders
		m.Scope = authz.OIDCScopes().With(authz.Scopes{"orders:read", "orders:write"})
	})
	return w
}

func onSQLite(t testing.TB, options ...webtest.Option) *world {
	t.Helper()
	return newWorld(t, storagetest.New(t), options...)
}

// signIn fills in the login page.
func signIn(p *webtest.Page, username string) *webtest.Page {
	return p.Fill("username", username).Fill("password", password).Press("sign-in")
}

// sessionOf gives the session cookie of a browser.
func sessionOf(b *webtest.Browser) string {
	for _, c := range b.Cookies() {
		if c.Name == "signet_session" || c.Name == "__Host-signet_session" {
			return c.Value
		}
	}
	return ""
}
