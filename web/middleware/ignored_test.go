package middleware_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/web/middleware"
)

func TestWhatStrangersSayIsCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer    string
		headers []string
		want    uint64
	}{
		"nothing":                      {"203.0.113.9:1", nil, 0},
		"nothing that proxies say":     {"203.0.113.9:1", []string{"X-Request-Id", "0123456789", "X-Forwarded", "x"}, 0},
		"an address":                   {"203.0.113.9:1", []string{"X-Forwarded-For", "198.51.100.1"}, 1},
		"an empty one":                 {"203.0.113.9:1", []string{"X-Forwarded-For", ""}, 1},
		"a URL, in many headers":       {"203.0.113.9:1", []string{"X-Forwarded-For", "::1", "X-Forwarded-Host", "a", "X-Forwarded-Uri", "/"}, 1},
		"a URL, to nginx's check":      {"203.0.113.9:1", []string{"X-Original-URL", "https://a/"}, 1},
		"a scheme, to Envoy's check":   {"203.0.113.9:1", []string{"X-Forwarded-Proto", "https"}, 1},
		"the same by a trusted proxy":  {"10.0.0.1:1", []string{"X-Forwarded-For", "198.51.100.1", "X-Original-URL", "https://a/"}, 0},
		"by a socket without address":  {"@", []string{"X-Forwarded-For", "198.51.100.1"}, 1},
		"by who names a trusted proxy": {"203.0.113.9:1", []string{"X-Forwarded-For", "10.0.0.1"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ignored := middleware.NewIgnored(slog.New(slog.DiscardHandler), time.Now)
			visit(ignored, c.peer, c.headers...)
			if got := ignored.Count(); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
		})
	}
}

func visit(ignored *middleware.Ignored, peer string, headers ...string) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = peer
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	h := middleware.Chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		middleware.Origin([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, func() string { return "made-here" }, ignored))
	h.ServeHTTP(httptest.NewRecorder(), r)
}

// The log hears of the first and then of as many as there are by then, once a minute.
func TestTheLogIsToldOfStrangersOnceAMinute(t *testing.T) {
	t.Parallel()
	var clock authztest.Clock
	var out bytes.Buffer
	ignored := middleware.NewIgnored(slog.New(slog.NewJSONHandler(&out, nil)), clock.Now)
	for _, step := range []struct {
		name  string
		ahead time.Duration
		times int
		want  string // how many the log says there were; empty: nothing
	}{
		{"the first", 0, 1, "1"},
		{"more at once", 0, 4, ""},
		{"a little later", time.Minute - 1, 2, ""},
		{"after a minute", 1, 3, "8"},
		{"more then", time.Second, 1, ""},
		{"much later", time.Hour, 1, "12"},
		{"a clock that was set back", -2 * time.Hour, 1, "13"},
	} {
		clock.Advance(step.ahead)
		out.Reset()
		for range step.times {
			visit(ignored, "203.0.113.9:1", "X-Forwarded-For", "198.51.100.1")
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 1 || (lines[0] == "") != (step.want == "") {
			t.Errorf("%s: the log says %q", step.name, lines)
			continue
		}
		if step.want == "" {
			continue
		}
		var line struct {
			Level, Address string
			IgnoredSoFar   json.Number `json:"ignored_so_far"`
		}
		if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
			t.Fatal(err)
		}
		if line.Level != "WARN" || line.Address != "203.0.113.9" || line.IgnoredSoFar.String() != step.want {
			t.Errorf("%s: the log says %s, want %s so far", step.name, lines[0], step.want)
		}
	}
}
