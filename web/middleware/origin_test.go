package middleware_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/middleware"
)

// originOf gives what Origin makes of a request.
func originOf(t *testing.T, r *http.Request, trusted ...string) (authz.Origin, http.Header) {
	t.Helper()
	var prefixes []netip.Prefix
	for _, s := range trusted {
		prefixes = append(prefixes, netip.MustParsePrefix(s))
	}
	var got authz.Origin
	h := middleware.Chain(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = authz.OriginFrom(r.Context())
	}), middleware.Origin(prefixes, func() string { return "made-here" }, middleware.NewIgnored(slog.New(slog.DiscardHandler), time.Now)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return got, w.Header()
}

func TestAddressIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	proxies := []string{"10.0.0.0/8", "fd00::/8"}
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy":                             {"203.0.113.9:1234", nil, "203.0.113.9"},
		"a stranger's claim":                   {"203.0.113.9:1234", []string{"198.51.100.1"}, "203.0.113.9"},
		"a stranger who claims to be a proxy":  {"203.0.113.9:1234", []string{"198.51.100.1, 10.0.0.1"}, "203.0.113.9"},
		"one proxy":                            {"10.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		"two proxies":                          {"10.0.0.1:1234", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"what the client sent is further left": {"10.0.0.1:1234", []string{"127.0.0.1, 8.8.8.8, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"several headers are one list":         {"10.0.0.1:1234", []string{"8.8.8.8", "198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		"with ports":                           {"10.0.0.1:1234", []string{"198.51.100.1:5678"}, "198.51.100.1"},
		"IPv6":                                 {"[fd00::1]:1234", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with port":                       {"[fd00::1]:1234", []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		"IPv6 in brackets":                     {"[fd00::1]:1234", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv4 in IPv6 is the same proxy":       {"[::ffff:10.0.0.1]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"no address ends at the proxy":         {"10.0.0.1:1234", []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		"rubbish ends at the peer":             {"10.0.0.1:1234", []string{"<script>"}, "10.0.0.1"},
		"empty header":                         {"10.0.0.1:1234", []string{""}, "10.0.0.1"},
		"all are proxies":                      {"10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a unix socket has no address":         {"@", []string{"198.51.100.1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header["X-Forwarded-For"] = c.forwarded
			if got, _ := originOf(t, r, proxies...); got.Address != c.want {
				t.Errorf("address %q, want %q", got.Address, c.want)
			}
		})
	}
}

func TestCorrelationID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ peer, sent, want string }{
		"none":                       {"10.0.0.1:1", "", "made-here"},
		"of a trusted proxy":         {"10.0.0.1:1", "0123-abcd_EF.9", "0123-abcd_EF.9"},
		"of a stranger":              {"203.0.113.9:1", "0123-abcd_EF.9", "made-here"},
		"too short":                  {"10.0.0.1:1", "abc", "made-here"},
		"too long":                   {"10.0.0.1:1", strings.Repeat("a", 65), "made-here"},
		"what could break log lines": {"10.0.0.1:1", "abcdefgh level=error", "made-here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header.Set("X-Request-Id", c.sent)
			got, header := originOf(t, r, "10.0.0.0/8")
			if got.CorrelationID != c.want || header.Get("X-Request-Id") != c.want {
				t.Errorf("context %q, answer %q, want %q", got.CorrelationID, header.Get("X-Request-Id"), c.want)
			}
		})
	}
}

func FuzzForwardedFor(f *testing.F) {
	f.Add("198.51.100.1, 10.0.0.2", "10.0.0.1:1")
	f.Add("[::1%eth0]:5,,", "[fd00::1]:9")
	f.Fuzz(func(t *testing.T, forwarded, peer string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = peer
		r.Header["X-Forwarded-For"] = []string{forwarded}
		got, _ := originOf(t, r, "10.0.0.0/8", "fd00::/8")
		if got.Address == "" {
			return
		}
		if _, err := netip.ParseAddr(got.Address); err != nil {
			t.Errorf("%q is no address: %v", got.Address, err)
		}
	})
}
