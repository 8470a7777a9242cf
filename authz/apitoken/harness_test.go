package apitoken_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

const (
	issuer = "https://signet.example"
	orders = "https://orders.example"
)

// apis are those that are registered.
type apis map[string]*authz.API

func (a apis) API(_ context.Context, identifier string) (*authz.API, error) {
	if api, ok := a[identifier]; ok {
		return api, nil
	}
	return nil, fmt.Errorf("read api: %w", authz.ErrNotFound)
}

// places gives out places in the status lists one after the other.
type places struct {
	store *storage.Store
	next  atomic.Int64
}

func (p *places) Allocate(ctx context.Context, expires time.Time) (int64, error) {
	index := p.next.Add(1)
	_, err := p.store.ClaimStatusIndex(ctx, index, expires)
	return index, err
}

// world is a service on a real store, with two people and an API.
type world struct {
	t          testing.TB
	clock      authztest.Clock
	store      *storage.Store
	statements atomic.Int64
	named      atomic.Int64
	service    *apitoken.Service
	events     authztest.Events
	apis       apis
	roles      []authz.Role // that everybody has
	alice, bob *authz.User
}

func newWorld(t testing.TB, open func(...storage.Option) *storage.Store) *world {
	t.Helper()
	w := &world{
		t: t, roles: []authz.Role{{Name: authz.RoleDefault, Scopes: authz.Scopes{"orders:read", "orders:write"}}},
		apis: apis{orders: {Identifier: orders, Name: "Orders", Scopes: []authz.APIScope{
			{Name: "orders:read"}, {Name: "orders:write"}, {Name: "orders:admin"},
		}}},
	}
	own := authz.ServerAPI(issuer)
	w.apis[issuer] = &own
	w.store = open(storage.WithStatementCounter(func(string) { w.statements.Add(1) }))
	w.alice, w.bob = w.person("alice"), w.person("bob")
	w.service = apitoken.NewService(apitoken.Config{
		Issuer: issuer, Store: w.store, Catalog: w.apis, Client: w.store.Client, Status: &places{store: w.store}, Audit: &w.events,
		Roles: func(context.Context, []string) ([]authz.Role, error) { return w.roles, nil },
		Now:   w.clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	return w
}

func (w *world) person(name string) *authz.User {
	w.t.Helper()
	now := w.clock.Now()
	u := &authz.User{ID: authz.PrefixUser + name, Username: name, CreatedAt: now, UpdatedAt: now, Version: 1}
	if err := w.store.InsertUser(context.Background(), u); err != nil {
		w.t.Fatal(err)
	}
	return u
}

// app registers a client that alice has let at her account, for some APIs and scopes.
func (w *world) app(id string, apis []string, scopes ...string) {
	w.t.Helper()
	ctx, now := context.Background(), w.clock.Now()
	g := &authz.Grant{
		ID: "g " + id, UserID: w.alice.ID, ClientID: id, CodeHash: []byte(id), CodeChallenge: "c", AuthTime: now,
		CodeExpiresAt: now.Add(time.Minute), CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	err := errors.Join(
		w.store.InsertClient(ctx, &authz.Client{
			ID: id, Metadata: authz.ClientMetadata{Name: "Acme " + id, APIs: apis, Scope: scopes}, CreatedAt: now, UpdatedAt: now, Version: 1,
		}),
		w.store.InsertGrant(ctx, g),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.RedeemCode(ctx, authz.CodeClaim{
		GrantID: g.ID, ClientID: id, CodeHash: g.CodeHash, CodeChallenge: "c", Now: now,
	}); err != nil {
		w.t.Fatal(err)
	}
}

// good is a token that may be made, with a name of its own and living for 30 days.
func (w *world) good() apitoken.New {
	return apitoken.New{
		Name: fmt.Sprint("backup ", w.named.Add(1)), API: orders, Scopes: authz.Scopes{"orders:read"}, ExpiresAt: w.clock.Now().Add(30 * 24 * time.Hour),
	}
}

// create makes a token of alice.
func (w *world) create(n apitoken.New) (*authz.APIToken, string) {
	w.t.Helper()
	v, token, err := w.service.Create(context.Background(), w.alice, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return v, token.Reveal()
}

// stored reads a token as the database has it.
func (w *world) stored(id string) *authz.APIToken {
	w.t.Helper()
	v, err := w.store.APIToken(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// counting tells how many statements fn makes.
func (w *world) counting(fn func()) int64 {
	before := w.statements.Load()
	fn()
	return w.statements.Load() - before
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		test(t, newWorld(t, open))
	})
}

// alone gives a world on a database that needs nothing installed.
func alone(t testing.TB) *world {
	t.Helper()
	return newWorld(t, func(options ...storage.Option) *storage.Store { return storagetest.New(t, options...) })
}
