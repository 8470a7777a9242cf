package oauth2_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/cache"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// counter counts the statements of a store.
type counter struct {
	mu   sync.Mutex
	seen []string
}

func (c *counter) count(statement string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, strings.Join(strings.Fields(statement), " "))
}

func (c *counter) since(fn func()) []string {
	c.mu.Lock()
	before := len(c.seen)
	c.mu.Unlock()
	fn()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[before:]
}

// cached looks clients and APIs up as the server does, from memory.
func cached(store *storage.Store) func(*oauth2.Config) {
	return func(cfg *oauth2.Config) {
		clients := cache.New(cache.Config[*authz.Client]{Load: store.Client, TTL: time.Hour})
		apis := cache.New(cache.Config[*authz.API]{Load: cfg.API, TTL: time.Hour})
		cfg.Client, cfg.API = clients.Get, apis.Get
	}
}

// What each request may cost is a promise: a statement more is a slower server.
func TestStatementsPerRequest(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		var c counter
		store := open(storage.WithStatementCounter(c.count))
		w := newWorld(t, store, cached(store))
		own := url.Values{"grant_type": {"client_credentials"}}
		w.post("/oauth2/token", "service", own) // fills the caches
		a := w.tokens("web")
		code := w.code(authorizeParams())
		refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.text("refresh_token")}}
		token := url.Values{"token": {a.text("access_token")}}
		ownToken := url.Values{"token": {w.post("/oauth2/token", "service", own).text("access_token")}}
		for _, tc := range []struct {
			name string
			most int
			do   func() int
		}{
			{"client credentials", 0, func() int { return w.post("/oauth2/token", "service", own).status }},
			{"code exchange", 1, func() int { return w.post("/oauth2/token", "web", codeForm(code)).status }},
			{"refresh", 1, func() int { return w.post("/oauth2/token", "web", refresh).status }},
			{"introspection of a person's token", 1, func() int { return w.post("/oauth2/introspect", "web", token).status }},
			{"introspection of a client's token", 1, func() int { return w.post("/oauth2/introspect", "service", ownToken).status }},
			{"userinfo", 1, func() int { return w.userinfo(a.text("access_token")).status }},
			{"jwks", 0, func() int { return w.get(w.visitor(), "/.well-known/jwks.json").Code }},
			{"metadata", 0, func() int { return w.get(w.visitor(), "/.well-known/openid-configuration").Code }},
		} {
			status := 0
			got := c.since(func() { status = tc.do() })
			if status != http.StatusOK {
				t.Errorf("%s: status %d", tc.name, status)
			}
			if len(got) > tc.most {
				t.Errorf("%s took %d statements, want %d:\n%s", tc.name, len(got), tc.most, strings.Join(got, "\n"))
			}
		}
	})
}

// A database that is gone is 503 with Retry-After everywhere, and never a refusal: clients
// throw their tokens away when they are told that those are bad.
func TestAnOutageIsNeverARefusal(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web")
		code := w.code(authorizeParams())
		own := w.post("/oauth2/token", "service", url.Values{"grant_type": {"client_credentials"}}).text("access_token")
		b := w.signIn()
		*w.outage = true
		for name, got := range map[string]answer{
			"code exchange":      w.post("/oauth2/token", "web", codeForm(code)),
			"refresh":            w.post("/oauth2/token", "web", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.text("refresh_token")}}),
			"client credentials": w.post("/oauth2/token", "service", url.Values{"grant_type": {"client_credentials"}}),
			"introspection":      w.post("/oauth2/introspect", "web", url.Values{"token": {a.text("access_token")}}),
			"own token":          w.post("/oauth2/introspect", "service", url.Values{"token": {own}}),
			"revocation":         w.post("/oauth2/revoke", "web", url.Values{"token": {a.text("refresh_token")}}),
			"access revocation":  w.post("/oauth2/revoke", "web", url.Values{"token": {a.text("access_token")}}),
			"userinfo":           w.userinfo(a.text("access_token")),
		} {
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
				t.Errorf("%s: %d %v %s, want 503 with Retry-After", name, got.status, got.header, got.raw)
			}
		}
		page := w.authorize(b, authorizeParams())
		if page.Code != http.StatusServiceUnavailable || page.Header().Get("Retry-After") == "" {
			t.Errorf("authorize: %d %v, want a page with 503", page.Code, page.Header())
		}
		*w.outage = false
		if got := w.post("/oauth2/token", "web", codeForm(code)); got.status != http.StatusOK {
			t.Errorf("the code after the outage: %d %s", got.status, got.raw)
		}
	})
}

func (w *world) send(r *http.Request) answer { return w.serve(r.WithContext(w.trouble(r.Context()))) }

// trouble gives a request the context that fails it at the database when the test says so:
// it is over before a statement runs, which is what a dead connection comes to.
func (w *world) trouble(ctx context.Context) context.Context {
	if *w.outage {
		ended, stop := context.WithCancel(ctx)
		stop()
		return ended
	}
	return w.cut.context(ctx)
}
