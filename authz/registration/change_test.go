package registration_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, secret := w.create(t, registration.New{Metadata: webApp()})
	w.clock.Advance(time.Hour)
	next := c.Metadata
	next.Name = "Acme Calendar 2"
	updated, err := w.Update(t.Context(), c.ID, c.Version, next)
	if err != nil {
		t.Fatal(err)
	}
	kept := w.client(t, c.ID)
	if updated.Version != 2 || kept.Version != 2 || kept.Metadata.Name != next.Name || !kept.UpdatedAt.Equal(w.clock.Now()) || kept.CreatedAt.Equal(w.clock.Now()) {
		t.Errorf("updated to %+v, kept %+v", updated, kept)
	}
	if !w.accepts(t, c.ID, secret) {
		t.Error("the secret is gone")
	}
	if e := w.events.Last(); e.Kind != authz.EventClientChanged || e.ClientID != c.ID {
		t.Errorf("recorded %+v", e)
	}
	if _, err := w.Update(t.Context(), c.ID, c.Version, next); !errors.Is(err, authz.ErrStale) {
		t.Errorf("of the version before: %v", err)
	}
	if _, err := w.Update(t.Context(), c.ID, 0, next); err != nil {
		t.Errorf("of whichever version: %v", err)
	}
	if _, err := w.Update(t.Context(), "unknown", 0, next); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("of an unknown client: %v", err)
	}
}

func TestUpdateValidatesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.create(t, registration.New{Metadata: webApp()})
	for _, one := range []struct {
		field  string
		change func(*metadata)
	}{
		{"client_name", func(m *metadata) { m.Name = "\u202e" }},
		{"redirect_uris", func(m *metadata) { m.RedirectURIs = nil }},
		{"require_pkce", func(m *metadata) { m.AuthMethod, m.RotateRefreshTokens, m.RequirePKCE = authz.AuthNone, true, false }},
		{"rotate_refresh_tokens", func(m *metadata) { m.AuthMethod = authz.AuthNone }},
		{"apis", func(m *metadata) { m.APIs = []string{"https://unknown.example"} }},
		{"jwks", func(m *metadata) { m.AuthMethod = authz.AuthPrivateKeyJWT }},
	} {
		m := c.Metadata
		one.change(&m)
		if _, err := w.Update(t.Context(), c.ID, 0, m); field(err) != one.field {
			t.Errorf("got %v, want an error about %s", err, one.field)
		}
	}
	if kept := w.client(t, c.ID); kept.Version != c.Version {
		t.Errorf("a refused change was written: %+v", kept)
	}
}

func TestUpdateFillsWhatMustNotBeEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.create(t, registration.New{Metadata: webApp(), DefaultIDTokenAlg: authz.AlgES256})
	bare := webApp(func(m *metadata) { m.RequirePKCE = true })
	updated, err := w.Update(t.Context(), c.ID, 0, bare)
	if err != nil {
		t.Fatal(err)
	}
	m := updated.Metadata
	if m.Type != authz.ClientWeb || m.AuthMethod != authz.AuthSecretBasic || len(m.GrantTypes) != 2 ||
		!slices.Equal(m.ResponseTypes, []string{"code"}) || m.IDTokenAlg != authz.AlgES256 {
		t.Errorf("updated to %+v", m)
	}
	m.GrantTypes, m.RedirectURIs = []string{authz.GrantClientCredentials}, nil
	if updated, err = w.Update(t.Context(), c.ID, 0, m); err != nil || len(updated.Metadata.ResponseTypes) != 0 {
		t.Errorf("without a code: %+v, %v", updated, err)
	}
}

func TestADeletedAPIDoesNotStopOtherChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.create(t, registration.New{Metadata: webApp(func(m *metadata) { m.APIs = []string{orders, parcels} })})
	if err := w.store.DeleteAPI(t.Context(), orders, 0); err != nil {
		t.Fatal(err)
	}
	m := c.Metadata
	m.Name = "Acme 2"
	if _, err := w.Update(t.Context(), c.ID, 0, m); err != nil {
		t.Fatal(err)
	}
	m.APIs, m.DefaultAPI = []string{parcels}, ""
	if _, err := w.Update(t.Context(), c.ID, 0, m); err != nil {
		t.Fatal(err)
	}
	m.APIs = []string{parcels, orders}
	if _, err := w.Update(t.Context(), c.ID, 0, m); field(err) != "apis" {
		t.Errorf("named again: %v", err)
	}
}

func TestTheDefaultAPIFollowsTheAPIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name string
		was  []string
		is   string // the default before
		now  []string
		asks string // the default that the update names
		want string
	}{
		{"the first API", nil, "", []string{orders}, "", orders},
		{"one of two is left", []string{orders, parcels}, orders, []string{parcels}, orders, parcels},
		{"a second API", []string{orders}, orders, []string{orders, parcels}, orders, orders},
		{"two APIs, none of them the default", nil, "", []string{orders, parcels}, "", ""},
		{"no API is left", []string{orders}, orders, nil, orders, ""},
		{"the API is another", []string{orders}, orders, []string{parcels}, orders, parcels},
		{"another of two", []string{orders, parcels}, orders, []string{orders, parcels}, parcels, parcels},
	} {
		client, _ := w.create(t, registration.New{Metadata: webApp(func(m *metadata) { m.APIs, m.DefaultAPI = c.was, c.is })})
		m := client.Metadata
		m.APIs, m.DefaultAPI = c.now, c.asks
		updated, err := w.Update(t.Context(), client.ID, 0, m)
		if err != nil || updated.Metadata.DefaultAPI != c.want {
			t.Errorf("%s: %v, %v, want %q", c.name, updated, err, c.want)
		}
	}
	c, _ := w.create(t, registration.New{Metadata: webApp(func(m *metadata) { m.APIs = []string{orders} })})
	m := c.Metadata
	m.DefaultAPI = parcels
	if _, err := w.Update(t.Context(), c.ID, 0, m); field(err) != "default_api" {
		t.Errorf("a default that is named and not one of its APIs: %v", err)
	}
}

// A client names scopes that exist; one that its API drops later stands in the way of nothing.
func TestADroppedScopeDoesNotStopOtherChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.create(t, registration.New{Metadata: webApp(func(m *metadata) { m.APIs = []string{orders} })})
	api, err := w.store.API(t.Context(), orders)
	if err != nil {
		t.Fatal(err)
	}
	api.Scopes = api.Scopes[:1]
	if err := w.store.UpdateAPI(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	m := c.Metadata
	m.Name = "Acme 2"
	if _, err := w.Update(t.Context(), c.ID, 0, m); err != nil || !m.Scope.Has("orders:write") {
		t.Errorf("with %s: %v", m.Scope, err)
	}
	m.Scope = c.Metadata.Scope.With(authz.Scopes{"orders:reed"})
	_, err = w.Update(t.Context(), c.ID, 0, m)
	if field(err) != "scope" || !strings.Contains(err.Error(), `did you mean "orders:read"`) {
		t.Errorf("a new one that is mistyped: %v", err)
	}
	m.Scope = c.Metadata.Scope.Without(authz.Scopes{"orders:write"})
	if _, err := w.Update(t.Context(), c.ID, 0, m); err != nil {
		t.Fatal(err)
	}
	m.Scope = c.Metadata.Scope
	if _, err := w.Update(t.Context(), c.ID, 0, m); field(err) != "scope" {
		t.Errorf("named again: %v", err)
	}
}

func TestWhoNeedsNoSecretKeepsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, secret := w.create(t, registration.New{Metadata: webApp()})
	m := c.Metadata
	m.AuthMethod = authz.AuthSecretPost
	if _, err := w.Update(t.Context(), c.ID, 0, m); err != nil || !w.accepts(t, c.ID, secret) {
		t.Errorf("another way to send it: %v", err)
	}
	m.AuthMethod, m.RotateRefreshTokens = authz.AuthNone, true
	updated, err := w.Update(t.Context(), c.ID, 0, m)
	if err != nil || len(updated.Secrets) != 0 || w.live(t, c.ID) != 0 {
		t.Errorf("the secret lives: %v", err)
	}
	if _, err := w.RotateSecret(t.Context(), c.ID, 0); field(err) != "token_endpoint_auth_method" {
		t.Errorf("a public client got a secret: %v", err)
	}
	m.AuthMethod = authz.AuthSecretBasic
	if _, err := w.Update(t.Context(), c.ID, 0, m); err != nil || w.accepts(t, c.ID, secret) {
		t.Errorf("the old secret came back: %v", err)
	}
}

func TestSetDisabled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.create(t, registration.New{Metadata: webApp()})
	for _, one := range []struct {
		disabled bool
		events   int
	}{{false, 1}, {true, 2}, {true, 2}, {false, 3}} {
		if err := w.SetDisabled(t.Context(), c.ID, one.disabled); err != nil {
			t.Fatal(err)
		}
		recorded := len(w.events.All())
		if got := w.client(t, c.ID).Disabled(); got != one.disabled || recorded != one.events {
			t.Errorf("disabled: %v, want %v; recorded %d, want %d", got, one.disabled, recorded, one.events)
		}
	}
	if err := w.SetDisabled(t.Context(), "unknown", true); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("of an unknown client: %v", err)
	}
}

func TestDeleteLeavesNothingToALaterClientOfTheSameID(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorldOn(t, open(storage.WithMaxConns(1)))
		w.create(t, registration.New{ID: "acme", Metadata: webApp()})
		api, err := w.store.API(t.Context(), orders)
		if err != nil {
			t.Fatal(err)
		}
		api.OwnerClientID = "acme"
		if err := w.store.UpdateAPI(t.Context(), api); err != nil {
			t.Fatal(err)
		}
		if err := w.Delete(t.Context(), "acme", 0); err != nil {
			t.Fatal(err)
		}
		if e := w.events.Last(); e.Kind != authz.EventClientDeleted || e.ClientID != "acme" {
			t.Errorf("recorded %+v", e)
		}
		w.create(t, registration.New{ID: "acme", Metadata: webApp()})
		after, err := w.store.API(t.Context(), orders)
		if err != nil || after.OwnerClientID != "" || after.Version != api.Version+1 {
			t.Errorf("it owns %+v, %v", after, err)
		}
		if n := len(w.client(t, "acme").Secrets); n != 1 {
			t.Errorf("it has %d secrets", n)
		}
		for _, id := range []string{"unknown", "", "\x00"} {
			if err := w.Delete(t.Context(), id, 0); !errors.Is(err, authz.ErrNotFound) {
				t.Errorf("Delete(%q) gave %v", id, err)
			}
		}
	})
}

// Whoever has an API token that a client made needs the client no more: it ends with it.
func TestTheAPITokensOfAClientEndWithIt(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world) error{
		"disabled": func(w *world) error { return w.SetDisabled(context.Background(), "acme", true) },
		"deleted":  func(w *world) error { return w.Delete(context.Background(), "acme", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
				w := newWorldOn(t, open(storage.WithMaxConns(1)))
				w.create(t, registration.New{ID: "acme", Metadata: webApp()})
				w.create(t, registration.New{ID: "other", Metadata: webApp()})
				now := w.clock.Now()
				for _, user := range []string{"ann", "bob"} {
					u := &authz.User{ID: user, Username: user, CreatedAt: now, UpdatedAt: now, Version: 1}
					if err := w.store.InsertUser(t.Context(), u); err != nil {
						t.Fatal(err)
					}
					for _, made := range [][2]string{{"tok_1", "acme"}, {"tok_11", "tok_1" + user}, {"tok_2", "other"}, {"tok_3", ""}} {
						id := made[0] + user
						v := &authz.APIToken{ID: id, Hash: []byte(id), UserID: user, MadeBy: made[1], CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
						if err := w.store.InsertAPIToken(t.Context(), v); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := end(w); err != nil {
					t.Fatal(err)
				}
				for id, want := range map[string]bool{"tok_1": false, "tok_11": false, "tok_2": true, "tok_3": true} {
					for _, user := range []string{"ann", "bob"} {
						if _, _, err := w.store.LiveAPIToken(t.Context(), id+user, now); (err == nil) != want {
							t.Errorf("%s of %s: %v, want live %v", id, user, err, want)
						}
					}
				}
				if e := w.events.Last(); e.ClientID != "acme" || e.Detail["api_tokens"] != "4" {
					t.Errorf("recorded %+v", e)
				}
			})
		})
	}
}

func TestChangesAtOnceAllCount(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorldOn(t, open())
		c, _ := w.create(t, registration.New{Metadata: webApp()})
		var all sync.WaitGroup
		var won int
		var mu sync.Mutex
		for range 4 {
			all.Go(func() {
				_, err := w.Update(t.Context(), c.ID, c.Version, c.Metadata)
				if err != nil && !errors.Is(err, authz.ErrStale) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				}
			})
		}
		all.Wait()
		if won != 1 {
			t.Errorf("%d changes of one version were written", won)
		}
	})
}
