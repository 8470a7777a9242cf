package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

const (
	issuer = "https://signet.example"
	orders = "https://orders.example" // has scopes, and people sign in there
	bills  = "https://bills.example"
)

var (
	here  = netip.MustParseAddr("192.0.2.7")
	there = netip.MustParseAddr("203.0.113.9")
)

// nothing records nothing.
type nothing struct{}

func (nothing) Record(context.Context, authz.Event) {}

// places gives out places in the status lists one after the other.
type places struct{ next atomic.Int64 }

func (p *places) Allocate(context.Context, time.Time) (int64, error) { return p.next.Add(1), nil }

func (p *places) ClientIndex(context.Context, *authz.Client) (int64, error) { return 7, nil }

// world is a gateway with all that stands behind it, on a real store.
type world struct {
	t          testing.TB
	clock      authztest.Clock
	store      *storage.Store
	statements atomic.Int64
	mints      atomic.Int64
	uses       atomic.Int64
	seen       atomic.Int64
	down       atomic.Bool  // the database is out of reach
	mute       atomic.Bool  // no key signs
	before     atomic.Value // a func() that happens before each lookup has read anything
	during     atomic.Value // a func() that happens after each lookup has read
	clients    sync.Map     // as the server has them from memory
	ring       *keys.Ring
	provider   *oauth2.Provider
	tokens     *apitoken.Service
	service    *gateway.Service
	apis       []*authz.API
	roles      []authz.Role // that everybody has
	alice      *authz.User
}

func newWorld(t testing.TB, open func(...storage.Option) *storage.Store, change ...func(*gateway.Config)) *world {
	t.Helper()
	w := &world{
		t: t, roles: []authz.Role{{Name: authz.RoleDefault, Scopes: authz.Scopes{authz.AnyScope}}},
		apis: []*authz.API{
			{Identifier: orders, Name: "Orders", BrowserSignIn: true, Scopes: []authz.APIScope{{Name: "orders:read"}, {Name: "orders:write"}}},
			{Identifier: bills, Name: "Bills", Scopes: []authz.APIScope{{Name: "bills:read"}}},
		},
	}
	w.store = open(storage.WithStatementCounter(func(string) { w.statements.Add(1) }))
	w.seed()
	w.protocol()
	w.tokens = apitoken.NewService(apitoken.Config{
		Store: w.store, Catalog: w, Status: &places{}, Audit: nothing{}, Roles: w.rolesOf,
		Now: w.clock.Now, Random: rand.Reader,
	})
	cfg := gateway.Config{
		APIs: w.registered, Tokens: w, AccessTokens: w, Sessions: w, Roles: w.rolesOf, Mint: w.mint,
		Seen:      func(context.Context, *authz.Session) { w.seen.Add(1) },
		CookieKey: bytes.Repeat([]byte{3}, 32), Now: w.clock.Now, Random: rand.Reader,
	}
	for _, fn := range change {
		fn(&cfg)
	}
	var err error
	w.service, err = gateway.New(cfg)
	w.must(err)
	return w
}

func (w *world) seed() {
	ctx, now := context.Background(), w.clock.Now()
	w.alice = &authz.User{
		ID: authz.PrefixUser + "alice", Username: "alice", Email: "alice@example.com", EmailVerified: true,
		Profile: authz.Profile{Name: "Alice Liddell"}, Roles: []string{"clerk", "reader"}, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	w.must(w.store.InsertUser(ctx, w.alice))
	for _, id := range []string{"app", "service", "relay"} {
		w.must(w.store.InsertClient(ctx, &authz.Client{
			ID: id, CreatedAt: now, UpdatedAt: now, Version: 1, Metadata: authz.ClientMetadata{Type: authz.ClientWeb},
		}))
	}
	_, err := gateway.Register(ctx, w.store, w.apis[0], now)
	w.must(err)
}

func (w *world) protocol() {
	master, err := keys.NewMaster(bytes.Repeat([]byte{7}, 32))
	w.must(err)
	w.ring, err = keys.Open(context.Background(), keys.Config{
		Store: w.store, Master: master, Algorithms: []string{authz.AlgES256},
		Now: w.clock.Now, Audit: nothing{}, Log: slog.New(slog.DiscardHandler),
	})
	w.must(err)
	w.provider, err = oauth2.New(oauth2.Config{
		Issuer: issuer, Store: w.store, Interactions: w.store, Consents: w, Keys: w.ring, Statuses: &places{}, Audit: nothing{},
		Client: func(ctx context.Context, id string) (*authz.Client, error) {
			if c, ok := w.clients.Load(id); ok {
				return c.(*authz.Client), nil
			}
			c, err := w.store.Client(ctx, id)
			if err == nil {
				w.clients.Store(id, c)
			}
			return c, err
		},
		API: w.API, Roles: w.rolesOf, Lifetimes: oauth2.DefaultLifetimes(),
		RefreshKey: bytes.Repeat([]byte{9}, 32), Now: w.clock.Now, Random: rand.Reader,
	})
	w.must(err)
	for _, id := range []string{"app", "service", "relay"} {
		_, err := w.provider.Client(context.Background(), id)
		w.must(err)
	}
}

// Find and Remember have nobody asked for consent before.
func (w *world) Find(context.Context, string, string) (*authz.Consent, error) { return nil, nil }

func (w *world) Remember(context.Context, authz.Consent) error { return nil }

func (w *world) rolesOf(context.Context, []string) ([]authz.Role, error) { return w.roles, w.outage() }

func (w *world) registered(context.Context) ([]*authz.API, error) { return w.apis, w.outage() }

// Used counts, and hands on.
func (w *world) Used(id string, address netip.Addr, agent string) {
	w.uses.Add(1)
	w.tokens.Used(id, address, agent)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

var errDown = errors.New("the database is out of reach")

func (w *world) outage() error {
	if w.down.Load() {
		return errDown
	}
	return nil
}

// asked is what every lookup begins with.
func (w *world) asked(read func() error) error {
	if fn, ok := w.before.Load().(func()); ok {
		fn()
	}
	if err := w.outage(); err != nil {
		return err
	}
	err := read()
	if fn, ok := w.during.Load().(func()); ok {
		fn()
	}
	return err
}

// API looks one up, as the catalogue of the server does.
func (w *world) API(_ context.Context, identifier string) (*authz.API, error) {
	for _, api := range w.apis {
		if api.Identifier == identifier {
			return api, nil
		}
	}
	return nil, authz.ErrNotFound
}

// APIToken, AccessToken and GrantWithSession show the gateway what the server has.
func (w *world) APIToken(ctx context.Context, token string) (who *gateway.Identity, err error) {
	err = w.asked(func() error {
		v, err := w.tokens.Find(ctx, token)
		if errors.Is(err, apitoken.ErrInvalid) {
			return gateway.ErrRefused
		}
		if err == nil {
			who = &gateway.Identity{
				User: v.User, ClientID: v.Token.ID, Audience: []string{v.Token.API}, Granted: v.Token.Scopes,
				Networks: v.Token.Networks, Ends: v.Token.ExpiresAt, Origin: v.Token.ID, Status: v.Token.StatusIndex,
			}
		}
		return err
	})
	return who, err
}

func (w *world) AccessToken(ctx context.Context, token string) (who *gateway.Identity, err error) {
	err = w.asked(func() error {
		v, err := w.provider.ShownAtGateway(ctx, token)
		if errors.Is(err, oauth2.ErrInvalidToken) {
			return gateway.ErrRefused
		}
		if err == nil {
			who = &gateway.Identity{
				User: v.User, ClientID: v.ClientID, Clients: v.Clients, Audience: v.Audience, Granted: v.Scopes,
				Ends: v.Ends, Origin: v.Origin, TokenID: v.TokenID, AuthTime: v.AuthTime, ACR: v.ACR, AMR: v.AMR,
			}
		}
		return err
	})
	return who, err
}

func (w *world) GrantWithSession(ctx context.Context, id string, now time.Time) (g *authz.Grant, s *authz.Session, u *authz.User, err error) {
	err = w.asked(func() (err error) {
		g, s, u, err = w.store.GrantWithSession(ctx, id, now)
		return err
	})
	return g, s, u, err
}

func (w *world) mint(_ context.Context, c gateway.Claims) (string, time.Time, error) {
	w.mints.Add(1)
	if w.mute.Load() {
		return "", time.Time{}, errors.New("no key signs")
	}
	return w.provider.MintForGateway(oauth2.GatewayToken(c))
}

// apiToken makes an API token of alice for orders, for a day.
func (w *world) apiToken(change ...func(*apitoken.New)) (*authz.APIToken, string) {
	w.t.Helper()
	n := apitoken.New{
		Name: rand.Text(), API: orders, Scopes: authz.Scopes{"orders:read", "orders:write"}, ExpiresAt: w.clock.Now().Add(24 * time.Hour),
	}
	for _, fn := range change {
		fn(&n)
	}
	v, token, err := w.tokens.Create(context.Background(), w.alice, n)
	w.must(err)
	return v, token.Reveal()
}

// grant makes a redeemed grant of alice to a client.
func (w *world) grant(clientID, sessionID string) *authz.Grant {
	w.t.Helper()
	ctx, now := context.Background(), w.clock.Now()
	g := &authz.Grant{
		ID: random(16), ClientID: clientID, UserID: w.alice.ID, SessionID: sessionID,
		Scopes: authz.Scopes{"openid", "orders:read", "orders:write"}, Resources: []string{orders},
		AuthTime: now, AMR: []string{"pwd"}, CodeHash: []byte(random(32)), CodeExpiresAt: now.Add(time.Minute),
		CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour), StatusIndex: 11,
	}
	w.must(w.store.InsertGrant(ctx, g))
	_, err := w.store.RedeemCode(ctx, authz.CodeClaim{GrantID: g.ID, ClientID: clientID, CodeHash: g.CodeHash, Now: now})
	w.must(err)
	return g
}

// session signs alice in with a browser.
func (w *world) session() *authz.Session {
	w.t.Helper()
	now := w.clock.Now()
	id, err := authz.NewID(authz.PrefixSession, rand.Reader)
	w.must(err)
	s := &authz.Session{
		ID: id, SecretHash: []byte{1}, UserID: w.alice.ID, AuthTime: now, AMR: []string{"pwd"}, CreatedAt: now,
		LastSeenAt: now, IdleExpiresAt: now.Add(12 * time.Hour), ExpiresAt: now.Add(24 * time.Hour),
	}
	w.must(w.store.InsertSession(context.Background(), s))
	return s
}

// cookie is what alice's browser has at the host of orders, and what it stands for.
func (w *world) cookie() (string, *authz.Grant) {
	w.t.Helper()
	g := w.grant(gateway.ClientID(orders), w.session().ID)
	value, err := w.service.SealSession(orders, g.ID)
	w.must(err)
	return value.Reveal(), g
}

// accessToken is one of alice's for the client "app", and the grant behind it.
func (w *world) accessToken(changes ...any) (string, *authz.Grant) {
	w.t.Helper()
	g := w.grant("app", "")
	return w.sign(map[string]any{"sub": w.alice.ID, "client_id": "app", "jti": g.ID + random(12)}, changes...), g
}

// exchangedToken is one that the client "service" got for what "relay" had got for a token of
// alice for "app".
func (w *world) exchangedToken() string {
	w.t.Helper()
	actors := map[string]any{"sub": "service", "act": map[string]any{"sub": "relay"}}
	token, _ := w.accessToken("client_id", "service", "act", actors)
	return token
}

// clientToken is one that the client "service" has for itself.
func (w *world) clientToken() string {
	w.t.Helper()
	return w.sign(map[string]any{"sub": "service", "client_id": "service", "jti": random(16)})
}

func (w *world) sign(claims map[string]any, changes ...any) string {
	w.t.Helper()
	now := w.clock.Now()
	claims["iss"], claims["aud"], claims["scope"] = issuer, orders, "openid orders:read orders:write"
	claims["iat"], claims["exp"] = now.Unix(), now.Add(10*time.Minute).Unix()
	for i := 0; i < len(changes); i += 2 {
		claims[changes[i].(string)] = changes[i+1]
	}
	raw, err := json.Marshal(claims)
	w.must(err)
	token, err := w.ring.Sign("", "at+jwt", raw)
	w.must(err)
	return token
}

func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// asking gives the facts of a call with a bearer token.
func asking(token string, scopes ...string) gateway.Facts {
	return gateway.Facts{
		Method: "GET", URL: parse(orders + "/7"), Scopes: scopes, Address: here,
		Authorization: []string{"Bearer " + token}, UserAgent: "curl/8",
	}
}

// browsing gives the facts of a visit with a cookie.
func browsing(cookie string) gateway.Facts {
	return gateway.Facts{Method: "GET", URL: parse(orders + "/7"), Address: here, SessionCookie: cookie, Browser: true}
}

func parse(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

// check asks, and wants an outcome.
func (w *world) check(f gateway.Facts, want gateway.Outcome) gateway.Verdict {
	w.t.Helper()
	v, err := w.service.Check(context.Background(), f)
	if v.Outcome != want {
		w.t.Fatalf("%v (%s, %v), want %v", v.Outcome, v.Reason, err, want)
	}
	if (v.Token != "") != (want == gateway.Allow) || (v.Headers != nil) != (want == gateway.Allow) {
		w.t.Fatalf("%v with token %q and headers %v", v.Outcome, v.Token, v.Headers)
	}
	if (err != nil) != (want == gateway.Unavailable || want == gateway.Misconfigured) {
		w.t.Fatalf("%v with error %v", v.Outcome, err)
	}
	return v
}

// cost tells how many statements and signatures fn takes.
func (w *world) cost(fn func()) (statements, signatures int64) {
	s, m := w.statements.Load(), w.mints.Load()
	fn()
	return w.statements.Load() - s, w.mints.Load() - m
}

// claims reads the claims of a token that a key of ours has signed.
func (w *world) claims(token string) map[string]any {
	w.t.Helper()
	typ, raw, err := w.ring.Verify(token)
	w.must(err)
	if typ != "at+jwt" {
		w.t.Fatalf("type %q, want an access token", typ)
	}
	var out map[string]any
	w.must(json.Unmarshal(raw, &out))
	return out
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Helper()
		test(t, newWorld(t, open))
	})
}

// alone gives a world on a database that needs nothing installed.
func alone(t testing.TB, change ...func(*gateway.Config)) *world {
	t.Helper()
	return newWorld(t, func(options ...storage.Option) *storage.Store { return storagetest.New(t, options...) }, change...)
}
