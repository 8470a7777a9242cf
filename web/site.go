package web

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"

	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/authz/revocation"
	"github.com/signet-auth/signet/authz/session"
	"github.com/signet-auth/signet/web/account"
	"github.com/signet-auth/signet/web/adminapi"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/gatewayapi"
	"github.com/signet-auth/signet/web/interaction"
	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/page"
	"github.com/signet-auth/signet/web/statuslist"
)

// maxBody is the most that any request may carry, in bytes.
const maxBody = 64 << 10

// Config names all that a server needs to speak HTTP.
type Config struct {
	Issuer         string
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Request-Id are believed; Gateway has its own
	FormKey        []byte         // at least 32 bytes, the same for all replicas

	Pages     *page.Set
	Protocol  *oauth2.Provider
	Passwords *login.Service
	Sessions  *session.Service
	People    *directory.Service
	Consents  *consent.Service
	APITokens *apitoken.Service
	APIs      *catalog.Service
	REST      *adminapi.API
	Gateway   *gatewayapi.API
	Statuses  *revocation.Lists

	// Ready reports whether the server can do its work: the database answers, and there is
	// a key to sign with. It bounds how long it takes to find out.
	Ready func(context.Context) error
	// AnswerWithin is how long requests wait for what they need; 0: 10 s.
	AnswerWithin time.Duration

	Log    *slog.Logger
	Now    func() time.Time
	Random io.Reader
}

// Site is the server's HTTP side. It is safe for concurrent use.
type Site struct {
	Config
	answers  *answer.Writer
	handler  http.Handler
	stopping atomic.Bool

	ignored    *middleware.Ignored
	cookies    middleware.Cookies
	sameOrigin middleware.Middleware
	steps      *interaction.Steps
	account    *account.Pages
	statuses   *statuslist.Handler
}

// New mounts every URL of the server.
func New(c Config) (*Site, error) {
	if len(c.FormKey) < 32 {
		return nil, errors.New("the form key needs at least 32 bytes")
	}
	if c.AnswerWithin <= 0 {
		c.AnswerWithin = answerWithin
	}
	answers := answer.New(c.Pages, c.Now)
	sameOrigin, err := middleware.SameOrigin(c.Issuer, answers.Page)
	if err != nil {
		return nil, err
	}
	s := &Site{Config: c, answers: answers, cookies: middleware.NewCookies(c.Issuer), sameOrigin: sameOrigin}
	s.ignored = middleware.NewIgnored(c.Log, c.Now)
	tokens := middleware.NewFormTokens(c.FormKey)
	s.steps = interaction.New(interaction.Config{
		Requests: c.Protocol, Passwords: c.Passwords, Sessions: c.Sessions, People: c.People,
		Answers: answers, Cookies: s.cookies, Tokens: tokens, Now: c.Now,
	})
	s.account = account.New(account.Config{
		Consents: c.Consents, Sessions: c.Sessions, APITokens: c.APITokens, APIs: c.APIs,
		Answers: answers, Forms: tokens, Cookies: s.cookies,
	})
	s.statuses = statuslist.New(statuslist.Config{Lists: c.Statuses, AnswerWithin: c.AnswerWithin, Answers: answers})
	s.handler = middleware.Chain(s.router(),
		middleware.LimitBody(maxBody), middleware.Origin(c.TrustedProxies, s.newID, s.ignored))
	return s, nil
}

func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Ignored is how many requests said what only trusted proxies are believed, and were not.
func (s *Site) Ignored() uint64 { return s.ignored.Count() }

// Stopping has the readiness probe say no from now on, so that no new work is sent here,
// and answers those who wait for something to change.
func (s *Site) Stopping() {
	s.stopping.Store(true)
	s.statuses.Stop()
}

// newID makes a correlation id. One that cannot be random is still worth an answer.
func (s *Site) newID() string {
	raw := make([]byte, 10)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "unavailable"
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw))
}

// router mounts the table, and our own answers to what is not in it.
func (s *Site) router() *mux.Router {
	router := mux.NewRouter()
	// A path is what was sent: no redirect from one spelling to another, and a slash in the
	// name of a thing stays encoded.
	router.UseEncodedPath().SkipClean(true)
	for _, one := range byPath(s.routes()) {
		h := s.resource(one)
		if strings.HasSuffix(one.path, "/") && one.path != "/" {
			router.PathPrefix(one.path).Handler(h)
			continue
		}
		router.Path(one.path).Handler(h)
	}
	router.NotFoundHandler = middleware.Chain(http.HandlerFunc(s.notFound), s.around(unknown, "unknown")...)
	return router
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	s.answers.ByAccept(w, r, answer.Trouble{
		Status: http.StatusNotFound, Code: "not_found",
		Reason: "There is nothing at this address.",
		Advice: "Check the address, or go back to where you came from.",
		Back:   answer.ToAccount(),
	})
}

// health says that the process is alive; it looks at nothing else.
func (s *Site) health(w http.ResponseWriter, _ *http.Request) { writeProbe(w) }

// ready says whether requests should be sent here, and what an operator should know although
// they should.
func (s *Site) ready(w http.ResponseWriter, r *http.Request) {
	if s.stopping.Load() {
		s.answers.Problem(w, r, answer.Trouble{
			Status: http.StatusServiceUnavailable, Code: "stopping", Reason: "This process is about to stop.",
		})
		return
	}
	if err := s.Ready(r.Context()); err != nil {
		t := answer.Outage(fmt.Errorf("check readiness: %w", err))
		t.Code, t.Reason = "not_ready", "The database does not answer, or there is no signing key."
		s.answers.Problem(w, r, t)
		return
	}
	writeProbe(w)
	if n := s.Ignored(); n > 0 {
		_, _ = fmt.Fprintf(w, "requests whose X-Forwarded headers were ignored: %d\n", n)
	}
}

func writeProbe(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok\n")
}
