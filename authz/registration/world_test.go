package registration_test

import (
	"crypto/rand"
	"errors"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

const orders, parcels = "https://orders.example", "https://parcels.example"

// world is a registration service on a real store that knows two APIs, with a clock that
// stands still.
type world struct {
	*registration.Service
	store  *storage.Store
	clock  authztest.Clock
	events authztest.Events
}

func newWorld(t *testing.T) *world { return newWorldOn(t, storagetest.New(t)) }

func newWorldOn(t *testing.T, store *storage.Store) *world {
	t.Helper()
	w := &world{store: store}
	w.Service = w.over(store)
	for identifier, scopes := range map[string][]authz.APIScope{
		orders:  {{Name: "orders:read", Description: "See"}, {Name: "orders:write", Description: "Change"}},
		parcels: {{Name: "parcels:read", Description: "See"}},
	} {
		if err := store.InsertAPI(t.Context(), &authz.API{
			Identifier: identifier, Name: identifier, Scopes: scopes, CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(), Version: 1,
		}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// over gives a service on a store that is more than the world's.
func (w *world) over(store registration.Store) *registration.Service {
	return registration.NewService(registration.Config{
		Store: store, APIs: w.store, Audit: &w.events, Algorithms: []string{authz.AlgES256, authz.AlgRS256},
		Now: w.clock.Now, Random: rand.Reader,
	})
}

// create registers a client that must be good.
func (w *world) create(t *testing.T, n registration.New) (*authz.Client, authz.Secret) {
	t.Helper()
	c, secret, err := w.Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return c, secret
}

// live counts the secrets of a client that may be used now.
func (w *world) live(t *testing.T, id string) (n int) {
	t.Helper()
	for _, s := range w.client(t, id).Secrets {
		if s.Live(w.clock.Now()) {
			n++
		}
	}
	return n
}

// accepts reports whether a client may use a secret now.
func (w *world) accepts(t *testing.T, id string, secret authz.Secret) bool {
	t.Helper()
	for _, s := range w.client(t, id).Secrets {
		if s.Live(w.clock.Now()) && secret.Matches(s.Hash) {
			return true
		}
	}
	return false
}

func (w *world) client(t *testing.T, id string) *authz.Client {
	t.Helper()
	c, err := w.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// webApp is a client with nothing wrong.
func webApp(change ...func(*authz.ClientMetadata)) authz.ClientMetadata {
	m := authz.ClientMetadata{Name: "Acme Calendar", RedirectURIs: []string{"https://calendar.example/callback"}}
	for _, c := range change {
		c(&m)
	}
	return m
}

func field(err error) string {
	if invalid, ok := errors.AsType[*authz.InvalidError](err); ok {
		return invalid.Field
	}
	return ""
}
