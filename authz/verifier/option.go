package verifier

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

const (
	defaultLeeway   = 30 * time.Second
	maxLeeway       = 5 * time.Minute
	defaultMaxStale = 5 * time.Minute
)

// Option changes how a [Verifier] works. Those that make it accept more than it should begin
// with Insecure.
type Option func(*config)

type config struct {
	issuer, audience string

	client    *http.Client
	now       func() time.Time
	log       *slog.Logger
	leeway    time.Duration
	maxStale  time.Duration
	failOpen  bool
	allowHTTP bool
	resource  *ResourceMetadata
}

// WithHTTPClient sets what the issuer is asked with, for a proxy or a private certificate
// authority. The client is copied: its redirect policy is replaced by "same origin only" and
// its Timeout bounds ordinary requests (10 s at most), not long polls.
func WithHTTPClient(client *http.Client) Option { return func(c *config) { c.client = client } }

// WithClock sets what tells the time to which tokens, keys and status lists are held; time.Now
// by default.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// WithLogger sets where the beginning and the end of an outage are logged (warn, info), and
// refusals (debug); slog.Default() by default. Tokens are never logged.
func WithLogger(log *slog.Logger) Option { return func(c *config) { c.log = log } }

// WithLeeway sets by how much the clocks of issuer and service may differ when exp, nbf and iat
// are compared: 30 s by default, 5 min at most.
func WithLeeway(d time.Duration) Option { return func(c *config) { c.leeway = d } }

// WithMaxStale sets how long a status list serves after the issuer last confirmed it: 5 min by
// default. After that, tokens that carry a status are answered with [ErrStaleStatus].
func WithMaxStale(d time.Duration) Option { return func(c *config) { c.maxStale = d } }

// WithResourceMetadata describes the API (RFC 9728): [Verifier.ResourceMetadata] serves it, and
// refusals point to it. Resource and AuthorizationServers may be left out: they are the audience
// and the issuer then. Resource has to be a URL.
func WithResourceMetadata(m ResourceMetadata) Option { return func(c *config) { c.resource = &m } }

// InsecureFailOpen accepts tokens whose status cannot be told because the list is stale or was
// never there: a revocation is then not noticed for as long as the issuer cannot be reached.
// Without it they are refused for that time, with [ErrStaleStatus].
func InsecureFailOpen() Option { return func(c *config) { c.failOpen = true } }

// InsecureAllowHTTP accepts an issuer without TLS on a machine other than this one: whoever
// sits between the two can then hand out keys of their own.
func InsecureAllowHTTP() Option { return func(c *config) { c.allowHTTP = true } }

func newConfig(issuer, audience string, options []Option) *config {
	c := &config{
		issuer: issuer, audience: audience,
		client: newClient(), now: time.Now, log: slog.Default(),
		leeway: defaultLeeway, maxStale: defaultMaxStale,
	}
	for _, option := range options {
		option(c)
	}
	return c
}

func (c *config) check() error {
	f := fetcher{allowHTTP: c.allowHTTP}
	if err := f.checkURL(c.issuer); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if u, err := url.Parse(c.issuer); err != nil || u.RawQuery != "" || u.ForceQuery {
		return fmt.Errorf("issuer: %q has a query", c.issuer)
	}
	switch {
	case c.audience == "":
		return errors.New("audience is empty: give the identifier under which the API is registered")
	case c.client == nil || c.now == nil || c.log == nil:
		return errors.New("an option was given nil")
	case c.leeway < 0 || c.leeway > maxLeeway:
		return fmt.Errorf("leeway %s is not between 0 and %s", c.leeway, maxLeeway)
	case c.maxStale <= 0:
		return fmt.Errorf("max stale %s is not positive", c.maxStale)
	}
	return nil
}
