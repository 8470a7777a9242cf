package gatewayapi_test

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

// BenchmarkCachedCheck is what a check costs whose answer is known, in the handler of its
// dialect, where what is said is read, judged and answered, and in the server as a whole.
func BenchmarkCachedCheck(b *testing.B) {
	w := newWorld(b, webtest.With(func(c *parts.Config) { c.Log = slog.New(slog.DiscardHandler) }))
	_, secret, err := w.APITokens.Create(b.Context(), w.alice, apitoken.New{
		Name: "script", API: orders, Scopes: authz.Scopes{ordersRead}, ExpiresAt: w.Clock.Now().Add(time.Hour),
	})
	w.must(err)
	handlers := map[string]http.HandlerFunc{"nginx": w.Checks.Nginx, "forward-auth": w.Checks.ForwardAuth, "envoy": w.Checks.Envoy}
	for name, d := range dialects {
		r := httptest.NewRequest(http.MethodGet, d.path("/orders?page=2", "scope="+ordersRead), nil)
		r.RemoteAddr, r.Host = "127.0.0.1:4711", "orders.example.com"
		maps.Copy(r.Header, d.header("/orders?page=2", "scope="+ordersRead))
		for header, value := range map[string]string{
			"Authorization": "Bearer " + secret.Reveal(), "Cookie": "theme=dark; lang=en", "User-Agent": "curl/7.88.1", "Accept": "*/*",
		} {
			r.Header.Set(header, value)
		}
		b.Run("handler/"+name, func(b *testing.B) { serve(b, handlers[name], r) })
		b.Run("server/"+name, func(b *testing.B) { serve(b, w.Site, r) })
	}
}

func serve(b *testing.B, h http.Handler, r *http.Request) {
	b.ReportAllocs()
	for b.Loop() {
		rec := &answered{header: http.Header{}}
		h.ServeHTTP(rec, r)
		if rec.status != http.StatusOK {
			b.Fatalf("status %d", rec.status)
		}
	}
}

// answered is a response writer that costs nothing.
type answered struct {
	header http.Header
	status int
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(status int)      { a.status = status }
func (a *answered) Write(p []byte) (int, error) { return len(p), nil }
