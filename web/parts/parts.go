// Package parts puts a server together: the list of its parts, each made from those above
// it. Command signet starts what New gives on the database of the settings, and tests on
// one of their own. How the database was opened, and when the server stops, is theirs.
package parts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/audit"
	"github.com/signet-auth/signet/authz/cache"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/authz/lastuse"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/authz/ratelimit"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/authz/revocation"
	"github.com/signet-auth/signet/authz/session"
	"github.com/signet-auth/signet/web"
	"github.com/signet-auth/signet/web/adminapi"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/gatewayapi"
	"github.com/signet-auth/signet/web/interaction"
	"github.com/signet-auth/signet/web/page"
)

// Store is what all parts together remember; *storage.Store is one.
type Store interface {
	apitoken.Store
	audit.Store
	catalog.Store
	consent.Store
	directory.Store
	gateway.Clients
	gateway.Sessions
	keys.Store
	login.Store
	oauth2.Store
	oauth2.Interactions
	registration.Store
	revocation.Store
	session.Store
	NoteGrantUse(ctx context.Context, id string, used time.Time) error
	Ping(ctx context.Context) error
}

// Config is what differs between servers. What has a zero value here that the parts know
// a default for, gets it from them.
type Config struct {
	Issuer string
	Store  Store
	Master *keys.Master // claimed for this store already

	Lifetimes        oauth2.Lifetimes // zero: oauth2.DefaultLifetimes
	RefreshGrace     time.Duration    // 0: a rotated refresh token is never taken again
	SessionIdle      time.Duration
	Session          time.Duration
	APITokenLifetime time.Duration // the longest that API tokens may live; 0: a year
	KeyAlgorithms    []string
	KeyRotation      time.Duration
	DefaultRole      string
	TrustedProxies   []netip.Prefix
	Passwords        login.Argon2Params
	AnswerWithin     time.Duration // how long a request may take; 0: the site's default

	Log    *slog.Logger
	Now    func() time.Time
	Random io.Reader
	Wait   func(ctx context.Context, d time.Duration) error // how logins are slowed; nil: a timer
}

// Parts is a server that is put together and not yet started.
type Parts struct {
	Audit     *audit.Log
	Keys      *keys.Ring
	Passwords *login.Service
	Sessions  *session.Service
	People    *directory.Service
	Clients   *registration.Service
	APIs      *catalog.Service
	Consents  *consent.Service
	APITokens *apitoken.Service
	Statuses  *revocation.Lists
	GrantUses *lastuse.Notes[time.Time]
	Protocol  *oauth2.Provider
	Gateway   *gateway.Service
	Checks    *gatewayapi.API
	Site      *web.Site // the handler of every URL

	store       Store
	grantUsed   func(id string)
	pages       *page.Set
	clientCache *cache.Cache[*authz.Client]
	log         *slog.Logger
	unread      *authz.Outage // of status lists
	unwatched   *authz.Outage
}

// New puts a server together. It reads the database, and writes what a new one lacks:
// signing keys and the two roles that there always are.
func New(ctx context.Context, c Config) (*Parts, error) {
	if c.Lifetimes == (oauth2.Lifetimes{}) {
		c.Lifetimes = oauth2.DefaultLifetimes()
	}
	p := &Parts{store: c.Store, log: c.Log}
	p.unread = &authz.Outage{Log: c.Log, Now: c.Now, What: "status lists cannot be read"}
	p.unwatched = &authz.Outage{Log: c.Log, Now: c.Now, What: "changes by others may be heard of late"}
	p.Audit = audit.New(audit.Config{Store: c.Store, Log: c.Log, Now: c.Now, Random: c.Random})
	for _, build := range []func(context.Context, Config) error{p.signing, p.people, p.programs, p.protocol, p.gateway, p.site} {
		if err := build(ctx, c); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// signing makes what signs tokens, and what tells which of them are not good any more.
func (p *Parts) signing(ctx context.Context, c Config) (err error) {
	p.Keys, err = keys.Open(ctx, keys.Config{
		Store: c.Store, Master: c.Master, Algorithms: c.KeyAlgorithms, RotateEvery: c.KeyRotation,
		KeepRetired: oauth2.MaxAccessTokenLifetime, Now: c.Now, Random: c.Random, Log: c.Log, Audit: p.Audit,
	})
	if err != nil {
		return fmt.Errorf("open signing keys: %w", err)
	}
	p.Statuses = revocation.New(revocation.Config{
		Store: c.Store, Issuer: c.Issuer, Sign: p.Keys.Sign, Now: c.Now, Random: c.Random,
		Failed: func(err error) { p.unread.Note(context.Background(), err) }, //nolint:contextcheck // it is no request that fails
	})
	return nil
}

// people makes what knows persons and who of them is signed in.
func (p *Parts) people(ctx context.Context, c Config) (err error) {
	limiter := func(burst int, refill time.Duration) *ratelimit.Limiter {
		return ratelimit.New(ratelimit.Config{Burst: burst, Refill: refill, Now: c.Now})
	}
	p.Passwords, err = login.New(login.Config{
		Store: c.Store, Audit: p.Audit, Params: c.Passwords, DeviceKey: c.Master.Derive("known devices"),
		PerAddress: limiter(login.AddressBurst, login.AddressRefill),
		PerName:    limiter(login.NameBurst, login.NameRefill),
		PerAccount: limiter(login.AttackBurst, login.AttackRefill),
		Reserve:    limiter(login.ReserveBurst, login.ReserveRefill),
		Now:        c.Now, Random: c.Random, Wait: c.Wait,
	})
	if err != nil {
		return fmt.Errorf("set up passwords: %w", err)
	}
	p.Sessions = session.New(session.Config{
		Store: c.Store, Audit: p.Audit, Idle: c.SessionIdle, Absolute: c.Session, Now: c.Now, Random: c.Random,
	})
	p.People = directory.NewService(directory.Config{
		Store: c.Store, Passwords: p.Passwords, Audit: p.Audit, DefaultRole: c.DefaultRole,
		SetupKey: c.Master.Derive("setup link"), Now: c.Now, Random: c.Random,
	})
	if err := p.People.EnsureRoles(ctx); err != nil {
		return fmt.Errorf("make the roles that there always are: %w", err)
	}
	return nil
}

// programs makes what knows clients, APIs, and what persons have allowed to whom.
func (p *Parts) programs(_ context.Context, c Config) error {
	p.APIs = catalog.New(catalog.Config{Store: c.Store, Issuer: c.Issuer, Audit: p.Audit, Now: c.Now})
	p.Clients = registration.NewService(registration.Config{
		Store: c.Store, APIs: registeredAPIs{c.Issuer, p.APIs}, Audit: p.Audit,
		Algorithms: p.Keys.Algorithms(), Now: c.Now, Random: c.Random,
	})
	p.clientCache = cache.New(cache.Config[*authz.Client]{Load: c.Store.Client, Now: c.Now})
	p.Consents = consent.New(consent.Config{Store: c.Store, Clients: p.Clients, Audit: p.Audit, Now: c.Now})
	p.APITokens = apitoken.NewService(apitoken.Config{
		Issuer: c.Issuer, Store: c.Store, Catalog: found(p.api), Client: p.clientCache.Get,
		Roles: p.People.RolesOf, Status: p.Statuses, Audit: p.Audit,
		MaxLifetime: c.APITokenLifetime, Now: c.Now, Random: c.Random, Log: c.Log,
	})
	p.GrantUses = lastuse.New(lastuse.Config[time.Time]{Write: c.Store.NoteGrantUse, What: "grants", Now: c.Now, Log: c.Log})
	p.grantUsed = func(id string) { p.GrantUses.Note(id, c.Now()) }
	return nil
}

// protocol makes the endpoints of OAuth and OpenID Connect, and the pages that they show.
func (p *Parts) protocol(_ context.Context, c Config) (err error) {
	if p.pages, err = page.New(); err != nil {
		return fmt.Errorf("read pages: %w", err)
	}
	replies := interaction.NewReplies(answer.New(p.pages, c.Now))
	p.Protocol, err = oauth2.New(oauth2.Config{
		Issuer: c.Issuer, Store: c.Store, Interactions: c.Store, Consents: p.Consents, Keys: p.Keys,
		Statuses: p.Statuses, Audit: p.Audit,
		Failures: ratelimit.New(ratelimit.Config{Burst: oauth2.FailureBurst, Refill: oauth2.FailureRefill, Now: c.Now}),
		Client:   p.clientCache.Get, API: p.api, Roles: p.People.RolesOf, GrantUsed: p.grantUsed,
		Lifetimes: c.Lifetimes, RefreshGrace: c.RefreshGrace, RefreshKey: c.Master.Derive("refresh tokens"),
		ErrorPage: replies.ErrorPage, FormPost: replies.FormPost,
		Now: c.Now, Random: c.Random,
	})
	return err
}

// site mounts every URL.
func (p *Parts) site(_ context.Context, c Config) (err error) {
	p.Site, err = web.New(web.Config{
		Issuer: c.Issuer, TrustedProxies: c.TrustedProxies, FormKey: c.Master.Derive("form tokens"),
		Pages: p.pages, Protocol: p.Protocol, Passwords: p.Passwords, Sessions: p.Sessions,
		People: p.People, Consents: p.Consents, APITokens: p.APITokens, APIs: p.APIs,
		Gateway: p.Checks, Statuses: p.Statuses,
		REST: adminapi.New(adminapi.Deps{
			Issuer: c.Issuer, Tokens: credentials{c.Issuer, p.Protocol, p.APITokens}, Clients: p.Clients, People: p.People, APIs: p.APIs,
			APITokens: p.APITokens, Consents: p.Consents, LeakReports: leakReports(c.Now), Now: c.Now,
		}),
		Ready: p.Ready, AnswerWithin: c.AnswerWithin, Log: c.Log, Now: c.Now, Random: c.Random,
	})
	return err
}

// api finds an API as it was a moment ago, the server's own among them.
func (p *Parts) api(ctx context.Context, identifier string) (*authz.API, error) {
	all, err := p.APIs.All(ctx)
	if err != nil {
		return nil, err
	}
	if api, ok := all.API(identifier); ok {
		return api, nil
	}
	return nil, fmt.Errorf("find API: %w", authz.ErrNotFound)
}

// found looks an API up, as an interface of one method.
type found func(ctx context.Context, identifier string) (*authz.API, error)

// API calls the function.
func (f found) API(ctx context.Context, identifier string) (*authz.API, error) {
	return f(ctx, identifier)
}

// registeredAPIs finds APIs as they are now, the server's own among them.
type registeredAPIs struct {
	issuer string
	others *catalog.Service
}

func (r registeredAPIs) API(ctx context.Context, identifier string) (*authz.API, error) {
	if identifier == r.issuer {
		own := authz.ServerAPI(r.issuer)
		return &own, nil
	}
	return r.others.Get(ctx, identifier)
}

// readyWithin is how long the database may take to say that it is there. Probes that ask
// again every few seconds need the answer before they give up themselves.
const readyWithin = 2 * time.Second

// Ready reports whether the server can do its work: the database answers, and there is a
// key to sign with.
func (p *Parts) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return errors.Join(p.store.Ping(ctx), p.Keys.Ready())
}
