package oauth2

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// Store is what the protocol remembers. Every method that may succeed once is one
// conditional statement; authz.ErrNotFound means that its condition was not met, any
// error beside the sentinels of package authz is an outage.
type Store interface {
	InTx(ctx context.Context, fn func(context.Context) error) error
	Grants
	RevokeToken(ctx context.Context, jti string, now, expires time.Time) error
	TokenRevoked(ctx context.Context, jti string) (bool, error)
	Consume(ctx context.Context, kind, issuer string, jtiHash []byte, now, expires time.Time) error
	LiveAPIToken(ctx context.Context, id string, now time.Time) (*authz.APIToken, *authz.User, error)
	User(ctx context.Context, id string) (*authz.User, error)
}

// Grants remembers codes and refresh families.
type Grants interface {
	InsertGrant(ctx context.Context, g *authz.Grant) error
	RedeemCode(ctx context.Context, c authz.CodeClaim) (*authz.RedeemedGrant, error)
	RevokeReusedCode(ctx context.Context, grantID, clientID string, codeHash []byte, now time.Time) error
	UseRefresh(ctx context.Context, c authz.RefreshClaim) (*authz.RedeemedGrant, error)
	RevokeReusedRefresh(ctx context.Context, grantID, clientID string, seq int64, now time.Time) error
	LiveGrant(ctx context.Context, id, jti string, now time.Time) (*authz.Grant, *authz.User, error)
	RevokeGrant(ctx context.Context, id, clientID, reason string, now time.Time) (int64, error)
}

// Interactions remembers the requests that wait for a person.
type Interactions interface {
	InsertInteraction(ctx context.Context, i *authz.Interaction) error
	Interaction(ctx context.Context, id string, now time.Time) (*authz.Interaction, error)
	SetInteractionSession(ctx context.Context, id, sessionID string) error
	SetInteractionDecision(ctx context.Context, id string, d authz.Decision) error
	ConsumeInteraction(ctx context.Context, id string, now time.Time) error
}

// Consents remembers what people have answered.
type Consents interface {
	// Find gives nil, nil when the person was never asked.
	Find(ctx context.Context, userID, clientID string) (*authz.Consent, error)
	Remember(ctx context.Context, c authz.Consent) error
}

// Keys signs and verifies, from memory.
type Keys interface {
	// Sign makes a JWT of claims; an empty alg is the default one.
	Sign(alg, typ string, claims []byte) (string, error)
	// Verify gives the typ and the claims of a JWT that one of our keys signed, current or
	// retired. It says nothing about the claims. authz.ErrNotFound when the key is unknown,
	// or not known any more.
	Verify(token string) (typ string, claims []byte, err error)
	JWKS() (body []byte, etag string, maxAge time.Duration)
	Algorithms() []string
}

// Statuses gives out places in the published status lists.
type Statuses interface {
	// Allocate takes a place until it expires.
	Allocate(ctx context.Context, expires time.Time) (int64, error)
	// ClientIndex gives the place of a client, which it keeps for good.
	ClientIndex(ctx context.Context, c *authz.Client) (int64, error)
}

// Recorder takes down what may be asked about later.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Limiter counts what strangers may cause.
type Limiter interface {
	// Take spends one attempt of key; without one it says when the next comes.
	Take(key string) (ok bool, retryAfter time.Duration)
}

// What the limiter of a Config should allow.
const (
	FailureBurst  = 20
	FailureRefill = time.Minute
)

// Lifetimes are the server's own; clients and APIs may have others.
type Lifetimes struct {
	Code        time.Duration
	AccessToken time.Duration
	IDToken     time.Duration
	RefreshIdle time.Duration
	Refresh     time.Duration // the end of a grant, however often it is refreshed
	Interaction time.Duration
}

// DefaultLifetimes are those of a server without settings.
func DefaultLifetimes() Lifetimes {
	return Lifetimes{
		Code: time.Minute, AccessToken: 10 * time.Minute, IDToken: 10 * time.Minute,
		RefreshIdle: 30 * 24 * time.Hour, Refresh: 180 * 24 * time.Hour, Interaction: time.Hour,
	}
}

// PageError is an error that a person sees, because no client may be told.
type PageError struct {
	Status      int
	Code        string // a registered OAuth error code
	Description string
}

// Config names all that a Provider needs. Nothing in it may be changed afterwards.
type Config struct {
	Issuer       string // https, or http on a loopback address; without a trailing slash
	Store        Store
	Interactions Interactions
	Consents     Consents
	Keys         Keys
	Statuses     Statuses
	Audit        Recorder
	// Failures bounds how many failures of strangers are recorded, by the network that they
	// come from: the rows are kept, and a flood would fill the database. nil: no bound.
	Failures Limiter

	// Client, API and Roles look things up, from memory where they can. The first two give
	// authz.ErrNotFound for what is not registered. Roles gives the roles with these names
	// and the one that everybody has, and never nil.
	Client func(ctx context.Context, id string) (*authz.Client, error)
	API    func(ctx context.Context, identifier string) (*authz.API, error)
	Roles  func(ctx context.Context, names []string) ([]authz.Role, error)

	// GrantUsed is told that an access token of a grant was shown and found good. It must not
	// wait for anything; nil: nobody is told.
	GrantUsed func(grantID string)

	Lifetimes    Lifetimes
	RefreshGrace time.Duration // how long a rotated refresh token may be sent again; 0: not at all
	RefreshKey   []byte        // authenticates refresh tokens; at least 32 bytes

	// ErrorPage shows an error to a person; FormPost sends a form to a client
	// (OAuth 2.0 Form Post Response Mode).
	ErrorPage func(w http.ResponseWriter, r *http.Request, e PageError)
	FormPost  func(w http.ResponseWriter, r *http.Request, action string, params url.Values)

	Now    func() time.Time
	Random io.Reader
}

// Provider answers the protocol's endpoints. Its methods are safe for concurrent use.
type Provider struct {
	Config
	fosite     *fosite.Fosite
	metadata   document
	algorithms []string // that there are keys for
}

// New checks the configuration and makes a Provider.
func New(cfg Config) (*Provider, error) {
	if err := CheckIssuer(cfg.Issuer); err != nil {
		return nil, err
	}
	if len(cfg.RefreshKey) < 32 {
		return nil, errors.New("the refresh token key needs at least 32 bytes")
	}
	p := &Provider{Config: cfg, algorithms: cfg.Keys.Algorithms()}
	code, refresh := &codeGrant{p}, &refreshGrant{p}
	p.fosite = fosite.NewOAuth2Provider(requestClient{}, &fosite.Config{
		// This is the security profile of the server: what is not listed is not there.
		AuthorizeEndpointHandlers: fosite.AuthorizeEndpointHandlers{code},
		TokenEndpointHandlers:     fosite.TokenEndpointHandlers{code, refresh, &clientCredentialsGrant{p}, &exchangeGrant{p}},

		ClientAuthenticationStrategy: p.authenticateForFosite,
		ScopeStrategy:                fosite.ExactScopeStrategy,
		// Resources are decided by resource.go; fosite sees no audience.
		AudienceMatchingStrategy: fosite.ExactAudienceMatchingStrategy,
		// The getters of these write the configuration when they are unset, which is a race.
		ClientSecretsHasher: noHasher{},
		JWKSFetcherStrategy: fosite.NewDefaultJWKSFetcherStrategy(),
		// State is optional; authorize.go accepts that it is missing.
		MinParameterEntropy: 1,
	})
	var err error
	if p.metadata, err = newMetadata(cfg.Issuer, p.algorithms); err != nil {
		return nil, fmt.Errorf("build metadata: %w", err)
	}
	return p, nil
}

// CheckIssuer says whether a URL may be an issuer: https, or http on a loopback address or
// localhost, without query, fragment or trailing slash (RFC 8414 §2).
func CheckIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("issuer %q: must be an absolute URL", issuer)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.ForceQuery:
		return fmt.Errorf("issuer %q: must have no query, fragment or user name", issuer)
	case u.Path != "":
		return fmt.Errorf("issuer %q: must have no path, not even a trailing slash", issuer)
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && authz.CheckRedirectURI(issuer) == nil:
		return nil
	}
	return fmt.Errorf("issuer %q: must be https, unless it is a loopback address", issuer)
}

func (p *Provider) record(ctx context.Context, e authz.Event) { p.Audit.Record(ctx, e) }

// recordFailure records what anybody can cause, unless they have caused too much of it.
func (p *Provider) recordFailure(ctx context.Context, e authz.Event) {
	if p.Failures != nil {
		if ok, _ := p.Failures.Take(authz.OriginFrom(ctx).Network()); !ok {
			return
		}
	}
	p.record(ctx, e)
}

// equalMAC compares two authenticators in constant time.
func equalMAC(a, b []byte) bool { return hmac.Equal(a, b) }

// noHasher refuses: client secrets are compared by clientauth.go.
type noHasher struct{}

func (noHasher) Compare(context.Context, []byte, []byte) error {
	return errors.New("client secrets are not compared here")
}

func (noHasher) Hash(context.Context, []byte) ([]byte, error) {
	return nil, errors.New("client secrets are not hashed here")
}
