package gateway

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	maxLifetime   = time.Minute
	defaultMax    = 10_000
	lookupTimeout = 5 * time.Second // of what has no answer yet
	againTimeout  = time.Second     // of what has one that may still be given
)

// Tokens verifies API tokens.
type Tokens interface {
	// APIToken says whose a token is: ErrRefused when it is not good, anything else is an
	// outage. The networks that it may come from are left to the caller.
	APIToken(ctx context.Context, token string) (*Identity, error)
	// Used notes that a token was used, without waiting for a database.
	Used(id string, address netip.Addr, agent string)
}

// AccessTokens verifies access tokens of this server in full, revocation included:
// ErrRefused when one is not good, anything else is an outage.
type AccessTokens interface {
	AccessToken(ctx context.Context, token string) (*Identity, error)
}

// Sessions reads what stands behind the cookie of a browser: a redeemed, live grant to an
// enabled client, the live session it was given in and the enabled person whose both are;
// authz.ErrNotFound when one of them is not so.
type Sessions interface {
	GrantWithSession(ctx context.Context, grantID string, now time.Time) (*authz.Grant, *authz.Session, *authz.User, error)
}

// Claims are what a short access token shall say.
type Claims struct {
	API      *authz.API
	Scopes   authz.Scopes
	ClientID string      // who asks: a client, or the id of an API token
	User     *authz.User // nil: the client acts for itself
	Origin   string      // the grant or API token behind it
	Status   int64       // the place of that in the status lists
	AuthTime time.Time
	ACR      string
	AMR      []string
	Lifetime time.Duration // at most
	Token    string        // the access token that was shown, if one was, whose actor and confirmation are kept
}

// Config names all that a Service needs.
type Config struct {
	// APIs gives all registered APIs, from memory where it can: the same slice until
	// something has changed. Nobody may change what it gives.
	APIs         func(ctx context.Context) ([]*authz.API, error)
	Tokens       Tokens
	AccessTokens AccessTokens
	Sessions     Sessions
	// Roles gives the roles with these names and the one that everybody has.
	Roles func(ctx context.Context, names []string) ([]authz.Role, error)
	// Mint signs a short access token (RFC 9068) and says when it ends.
	Mint func(ctx context.Context, c Claims) (token string, expires time.Time, err error)
	// GrantUsed is told that a request was let through by a grant: by an access token, or by
	// the session of a browser. It must not wait for anything; nil: nobody is told.
	GrantUsed func(grantID string)
	// Seen is told that a person is active in a browser session that was not noted for a
	// minute. It is called beside the request; nil: nobody is told.
	Seen func(ctx context.Context, session *authz.Session)
	// Lifetime is how long a short token lives; 0 and more than a minute: a minute.
	Lifetime time.Duration
	// Max is how many answers are kept; 0: 10000. The one that was asked for longest ago
	// makes room.
	Max       int
	CookieKey []byte // authenticates cookies; at least 32 bytes
	Now       func() time.Time
	Random    io.Reader
}

// Service answers checks. It is safe for use by many goroutines.
type Service struct {
	cfg        Config
	sessionKey []byte
	stateSeal  cipher.AEAD
	apis       held

	mu      sync.Mutex
	kept    *keep
	flights map[key]*flight
	epoch   uint64    // goes up when anything may have changed
	quiet   time.Time // until then nothing that has an answer is looked up again
}

// New checks the configuration and makes a Service.
func New(cfg Config) (*Service, error) {
	if len(cfg.CookieKey) < sha256.Size {
		return nil, errors.New("the gateway's cookie key needs at least 32 bytes")
	}
	if cfg.Lifetime <= 0 || cfg.Lifetime > maxLifetime {
		cfg.Lifetime = maxLifetime
	}
	if cfg.Max <= 0 {
		cfg.Max = defaultMax
	}
	s := &Service{cfg: cfg, kept: newKeep(cfg.Max), flights: make(map[key]*flight)}
	s.apis.load = cfg.APIs
	var err error
	if s.sessionKey, err = hkdf.Key(sha256.New, cfg.CookieKey, nil, "gateway session", sha256.Size); err != nil {
		return nil, fmt.Errorf("derive session key: %w", err)
	}
	stateKey, err := hkdf.Key(sha256.New, cfg.CookieKey, nil, "gateway state", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive state key: %w", err)
	}
	if s.stateSeal, err = newSeal(stateKey); err != nil {
		return nil, fmt.Errorf("make state seal: %w", err)
	}
	return s, nil
}

// Check answers whether a request may pass. The error is the cause of a Verdict that is
// Misconfigured or Unavailable, for the log; it has been noted for the request's own line
// (authz.NoteError). A Verdict with an error never is Allow.
func (s *Service) Check(ctx context.Context, f Facts) (Verdict, error) {
	c, err := s.catalogue(ctx)
	if err != nil {
		return failed(ctx, Verdict{Outcome: Unavailable, Reason: err.Error()}, err)
	}
	q, answered := ask(&f, c)
	if answered != nil {
		return failed(ctx, *answered, nil)
	}
	a, err := s.answer(ctx, &q)
	v := q.decide(&f, a.who, err)
	if v.Outcome != Allow {
		return failed(ctx, v, err)
	}
	v.Token, v.Headers = a.token, a.headers
	s.used(&q, &f, a.who.Origin)
	return v, nil
}

// used notes that a credential let a request through. A client's own token has no origin,
// and one that was exchanged for an API token's has that.
func (s *Service) used(q *question, f *Facts, origin string) {
	switch {
	case q.credential.kind == kindAPIToken:
		s.cfg.Tokens.Used(origin, f.Address, f.UserAgent)
	case origin != "" && !strings.HasPrefix(origin, authz.PrefixToken) && s.cfg.GrantUsed != nil:
		s.cfg.GrantUsed(origin)
	}
}

// Catalogue gives the APIs as the next check sees them.
func (s *Service) Catalogue(ctx context.Context) (*Catalogue, error) { return s.catalogue(ctx) }

func (s *Service) catalogue(ctx context.Context) (*Catalogue, error) {
	return s.apis.get(ctx, s.cfg.Now())
}

// failed gives a Verdict that is nobody's fault but an operator's its error.
func failed(ctx context.Context, v Verdict, err error) (Verdict, error) {
	if v.Outcome != Misconfigured && v.Outcome != Unavailable {
		return v, nil
	}
	if err == nil {
		err = errors.New(v.Reason)
	}
	err = fmt.Errorf("check request at gateway: %w", err)
	authz.NoteError(ctx, err)
	return v, err
}
