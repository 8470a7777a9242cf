package gateway_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

func TestTheClientOfAnAPIFollowsIt(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		store, ctx, now := open(), t.Context(), time.Now()
		api := &authz.API{Identifier: "https://orders.example", Name: "Orders", Scopes: []authz.APIScope{{Name: "read", Description: "Read"}}}
		register := func(want bool) *authz.Client {
			t.Helper()
			changed, err := gateway.Register(ctx, store, api, now)
			if err != nil || changed != want {
				t.Fatalf("changed %v, %v; want %v", changed, err, want)
			}
			c, err := store.Client(ctx, gateway.ClientID(api.Identifier))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		first := register(true)
		if len(first.Secrets) > 0 || first.Public() || first.Metadata.Scope.String() != "openid read" {
			t.Errorf("registered %+v", first)
		}
		register(false)
		api.Name, api.Scopes = "All orders", append(api.Scopes, authz.APIScope{Name: "write", Description: "Write"})
		if c := register(true); c.Metadata.Name != "All orders" || c.Metadata.Scope.String() != "openid read write" {
			t.Errorf("changed to %+v", c.Metadata)
		}
		c := register(false)
		c.DisabledAt = now
		if err := store.UpdateClient(ctx, c); err != nil {
			t.Fatal(err)
		}
		api.Name = "Orders"
		if c := register(true); !c.Disabled() {
			t.Error("a client that was switched off is on again")
		}
	})
}

func TestReplicasRegisterOneClient(t *testing.T) {
	t.Parallel()
	store := storagetest.New(t)
	api := &authz.API{Identifier: "https://orders.example", Name: "Orders"}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := gateway.Register(t.Context(), store, api, time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// While a client that an administrator has deleted is being removed, nobody can sign in: that
// is an outage, and nobody is told that there is a client.
func TestAClientThatIsBeingRemovedIsNotThere(t *testing.T) {
	t.Parallel()
	ctx, now, url := t.Context(), time.Now(), storagetest.URL(t, storagetest.SQLite)
	store := storagetest.Open(t, url)
	api := &authz.API{Identifier: "https://orders.example", Name: "Orders"}
	if _, err := gateway.Register(ctx, store, api, now); err != nil {
		t.Fatal(err)
	}
	id := gateway.ClientID(api.Identifier)
	if err := errors.Join(
		store.InsertUser(ctx, &authz.User{ID: "ann", Username: "ann", CreatedAt: now, UpdatedAt: now, Version: 1}),
		store.InsertGrant(ctx, &authz.Grant{
			ID: "g", ClientID: id, UserID: "ann", CodeHash: []byte{1}, AuthTime: now, CodeExpiresAt: now, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		})); err != nil {
		t.Fatal(err)
	}
	storagetest.Copies(ctx, t, url, "grants", "id = 'g'", 2500, map[string]string{"id": "'g' || i"})
	if removed, err := store.DeleteClient(ctx, id, 0, now); err != nil || removed.Finished {
		t.Fatalf("removed %+v, %v", removed, err)
	}
	changed, err := gateway.Register(ctx, store, api, now)
	if changed || err == nil || errors.Is(err, authz.ErrNotFound) || errors.Is(err, authz.ErrConflict) {
		t.Errorf("changed %v, %v", changed, err)
	}
	if _, err := store.Sweep(ctx, now); err != nil {
		t.Fatal(err)
	}
	if changed, err := gateway.Register(ctx, store, api, now); err != nil || !changed {
		t.Errorf("when all of it is gone: changed %v, %v", changed, err)
	}
}

func TestAnAPIThatNobodyCanSignInToHasNoClient(t *testing.T) {
	t.Parallel()
	var invalid *authz.InvalidError
	for _, identifier := range []string{"http://orders.example", "urn:orders", "https://orders.example/?a=b"} {
		_, err := gateway.Register(t.Context(), storagetest.New(t), &authz.API{Identifier: identifier, Name: "Orders"}, time.Now())
		if !errors.As(err, &invalid) || invalid.Field != "identifier" {
			t.Errorf("%s: %v", identifier, err)
		}
	}
}
