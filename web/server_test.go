package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

func TestProbes(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	for _, path := range []string{"/healthz", "/readyz"} {
		if res := ask(t, s, "GET", path, nil); res.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, res.StatusCode)
		}
	}
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	res := ask(t, s, "GET", "/readyz", nil)
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(string(body), `"not_ready"`) {
		t.Errorf("without a database: status %d: %s", res.StatusCode, body)
	}
	if res := ask(t, s, "GET", "/healthz", nil); res.StatusCode != http.StatusOK {
		t.Errorf("an outage of the database is no reason to restart: %d", res.StatusCode)
	}
	s.Site.Stopping()
	res = ask(t, s, "GET", "/readyz", nil)
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), `"stopping"`) {
		t.Errorf("while stopping: status %d: %s", res.StatusCode, body)
	}
}

func TestForgedAddressesAreNotBelieved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		want    string
	}{
		"no proxy is trusted":   {nil, "127.0.0.1"},
		"the connection's is":   {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "198.51.100.1"},
		"another proxy's range": {[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Start(t, storagetest.New(t), webtest.With(func(p *parts.Config) { p.TrustedProxies = c.proxies }))
			ask(t, s, "GET", "/login", nil, "X-Forwarded-For", "127.0.0.1, 198.51.100.1")
			if log := s.Log.String(); !strings.Contains(log, `"address":"`+c.want+`"`) {
				t.Errorf("want %s: %s", c.want, log)
			}
		})
	}
}

// Whoever watches the process learns that somebody forges, or that a proxy is missing from
// the settings, wherever in the server it was said.
func TestForgedHeadersAreSeenToBeIgnored(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	ready := func() string {
		body, _ := io.ReadAll(ask(t, s, "GET", "/readyz", nil).Body)
		return string(body)
	}
	if got := ready(); got != "ok\n" {
		t.Errorf("before: %q", got)
	}
	for i, path := range []string{"/login", "/oauth2/token", "/api/v1/clients", "/gateway/forward-auth", "/gateway/nginx", "/.signet/sign-in", "/nothing"} {
		header := []string{"X-Forwarded-For", "X-Original-Url", "X-Forwarded-Host"}[i%3]
		ask(t, s, "GET", path, nil, header, "127.0.0.1")
	}
	if got := ready(); s.Site.Ignored() != 7 || got != "ok\nrequests whose X-Forwarded headers were ignored: 7\n" {
		t.Errorf("%d, and the probe says %q", s.Site.Ignored(), got)
	}
	if n := strings.Count(s.Log.String(), "who is no trusted proxy says"); n != 1 {
		t.Errorf("%d lines in the log: %s", n, s.Log)
	}
}

func TestHeadersTooLarge(t *testing.T) {
	t.Parallel()
	address, stop := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer stop()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The server may close before all is written.
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Large: %s\r\n\r\n", strings.Repeat("a", 128<<10))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) || !strings.Contains(line, " 431 ") {
		t.Errorf("answer %q, %v", line, err)
	}
}

// serve runs a handler on a port until stop is called, which gives what Serve returned.
func serve(t *testing.T, h http.Handler) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- web.Serve(ctx, l, h, slog.New(slog.DiscardHandler)) }()
	return l.Addr().String(), func() error { cancel(); return <-served }
}

// slow is a handler that a test holds up, and that hears of the stop.
type slow struct {
	arrived, stopping, finish chan struct{}
}

func (s *slow) Stopping() { close(s.stopping) }

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	close(s.arrived)
	<-s.finish
	if r.Context().Err() != nil {
		http.Error(w, "the stop has cancelled a request in flight", http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, "done")
}

func TestStopFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	h := &slow{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	address, stop := serve(t, h)
	type result struct {
		body string
		err  error
	}
	answered := make(chan result, 1)
	go func() {
		res, err := http.Get("http://" + address)
		if err != nil {
			answered <- result{err: err}
			return
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		answered <- result{string(body), err}
	}()
	<-h.arrived
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	<-h.stopping
	refused := refusing(address)
	for !refused { // the listener closes a moment after the handler was told
		refused = refusing(address)
	}
	close(h.finish)
	if got := <-answered; got.err != nil || got.body != "done" {
		t.Errorf("the request in flight got %q, %v", got.body, got.err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// refusing reports whether nobody takes connections at an address.
func refusing(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return true
	}
	_ = conn.Close()
	return false
}

func TestServeTellsOfABrokenListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := web.Serve(t.Context(), l, http.NotFoundHandler(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error")
	}
}
