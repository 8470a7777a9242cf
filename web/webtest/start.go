package webtest

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/web/parts"
)

// Server is a whole server on a port of its own. Its parts are there to seed it with, and
// to look at what came of a request.
type Server struct {
	*parts.Parts
	Issuer string
	Store  *storage.Store
	Clock  *Clock
	Log    *Log

	t         testing.TB
	transport http.RoundTripper
}

// Option changes how a server is put together.
type Option func(*setup)

type setup struct {
	parts.Config
	https bool
}

// WithHTTPS gives the server an https issuer.
func WithHTTPS() Option { return func(s *setup) { s.https = true } }

// With changes the settings of a server.
func With(change func(*parts.Config)) Option { return func(s *setup) { change(&s.Config) } }

// MasterKey is what servers of tests are made with, so that two on one database agree.
func MasterKey() []byte { return bytes.Repeat([]byte{7}, 32) }

// Start puts a server together on a store and has it listen until the test ends. Passwords
// cost next to nothing there.
func Start(t testing.TB, store *storage.Store, options ...Option) *Server {
	t.Helper()
	master, err := keys.NewMaster(MasterKey())
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Store: store, Clock: &Clock{}, Log: &Log{}, t: t}
	set := setup{Config: parts.Config{
		Store: store, Master: master, RefreshGrace: 10 * time.Second,
		Passwords: login.Argon2Params{MemoryKiB: 64, Passes: 1, Parallelism: 1},
		Log:       slog.New(slog.NewJSONHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:       s.Clock.Now, Random: rand.Reader,
	}}
	for _, o := range options {
		o(&set)
	}
	s.listen(set)
	return s
}

// listen learns the port first: the issuer has it, and the parts have the issuer.
func (s *Server) listen(set setup) {
	s.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	scheme := "http://"
	if set.https {
		scheme = "https://"
	}
	s.Issuer = scheme + server.Listener.Addr().String()
	if set.Issuer == "" {
		set.Issuer = s.Issuer
	}
	var err error
	if s.Parts, err = parts.New(s.t.Context(), set.Config); err != nil {
		s.t.Fatal(err)
	}
	server.Config.Handler = s.Site
	if set.https {
		server.StartTLS()
	} else {
		server.Start()
	}
	s.transport = server.Client().Transport
	s.t.Cleanup(server.Close)
}

// Client speaks to the server as a program does: no cookies, no redirects.
func (s *Server) Client() *http.Client {
	return &http.Client{Transport: s.transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// Browser opens a new browser for the server's pages.
func (s *Server) Browser() *Browser {
	s.t.Helper()
	return NewBrowser(s.t, s.Issuer, s.transport)
}

// Person makes an account.
func (s *Server) Person(username, password string) *authz.User {
	s.t.Helper()
	u, err := s.People.Create(s.t.Context(), directory.New{
		Username: username, Email: username + "@example.com", Password: authz.Secret(password),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// API registers an API.
func (s *Server) API(a authz.API) *authz.API {
	s.t.Helper()
	created, err := s.APIs.Create(s.t.Context(), a)
	if err != nil {
		s.t.Fatal(err)
	}
	return created
}

// Clock is the server's time, which a test moves.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now gives the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Advance moves the time.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// Log keeps what the server has logged, as lines of JSON.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String gives all that was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
