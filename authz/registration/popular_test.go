package registration_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// very is more than one call goes through.
const very = 2500

// popular gives a world with the client "acme", which was granted very much and has made very
// many API tokens.
func popular(t *testing.T, engine string) *world {
	t.Helper()
	ctx, url := t.Context(), storagetest.URL(t, engine)
	w := newWorldOn(t, storagetest.Open(t, url))
	w.create(t, registration.New{ID: "acme", Metadata: webApp()})
	now := w.clock.Now()
	for _, err := range []error{
		w.store.InsertUser(ctx, &authz.User{ID: "ann", Username: "ann", CreatedAt: now, UpdatedAt: now, Version: 1}),
		w.store.InsertGrant(ctx, &authz.Grant{
			ID: "g", ClientID: "acme", UserID: "ann", CodeHash: []byte{1}, AuthTime: now, CodeExpiresAt: now, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		}),
		w.store.InsertAPIToken(ctx, &authz.APIToken{
			ID: "tok", Hash: []byte{1}, UserID: "ann", MadeBy: "acme", CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	storagetest.Copies(ctx, t, url, "grants", "id = 'g'", very-1, map[string]string{"id": "'g' || i"})
	storagetest.Copies(ctx, t, url, "api_tokens", "id = 'tok'", very-1, map[string]string{"id": "'tok' || i"})
	return w
}

func onEach(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	for _, engine := range storagetest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, popular(t, engine))
		})
	}
}

// What an app has made is good no more when it is switched off, and revoked for good: it is
// not switched on before the last is.
func TestAPopularClientIsSwitchedOff(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		if err := w.SetDisabled(t.Context(), "acme", true); err != nil {
			t.Fatal(err)
		}
		if e := w.events.Last(); e.Kind != authz.EventClientChanged || e.Detail["api_tokens"] != "2000" || e.Detail["unfinished"] != "true" {
			t.Errorf("recorded %+v", e)
		}
		good := func() (n int) {
			for _, id := range []string{"tok", "tok1", "tok1000", "tok2499"} {
				if _, _, err := w.store.LiveAPIToken(t.Context(), id, w.clock.Now()); !errors.Is(err, authz.ErrNotFound) {
					n++
				}
			}
			return n
		}
		if n := good(); n != 0 {
			t.Errorf("%d of the API tokens are good", n)
		}
		if err := w.SetDisabled(t.Context(), "acme", false); err != nil { // which revokes the rest first
			t.Fatal(err)
		}
		if n := good(); n != 0 {
			t.Errorf("%d of the API tokens are good when it is on again", n)
		}
		if w.client(t, "acme").Disabled() {
			t.Error("it is not on again")
		}
	})
}

// overtaken lets something happen before a client is read for the second time.
type overtaken struct {
	*storage.Store
	reads int
	by    func()
}

func (o *overtaken) Client(ctx context.Context, id string) (*authz.Client, error) {
	if o.reads++; o.reads == 2 {
		o.by()
	}
	return o.Store.Client(ctx, id)
}

// Who switches on what is on already, and is overtaken by somebody who switches it off, brings
// nothing back to life.
func TestAPopularClientIsSwitchedOffWhileItIsSwitchedOn(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		off := func() {
			if err := w.SetDisabled(t.Context(), "acme", true); err != nil {
				t.Error(err)
			}
		}
		if err := w.over(&overtaken{Store: w.store, by: off}).SetDisabled(t.Context(), "acme", false); field(err) != "client_id" {
			t.Errorf("switched on: %v", err)
		}
		if !w.client(t, "acme").Disabled() {
			t.Error("it is on")
		}
	})
}

// Where even that leaves some, the client stays off for a while.
func TestAVeryPopularClientIsNotSwitchedOnAtOnce(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storagetest.SQLite)
	w := newWorldOn(t, storagetest.Open(t, url))
	w.create(t, registration.New{ID: "acme", Metadata: webApp()})
	now := w.clock.Now()
	if err := errors.Join(
		w.store.InsertUser(t.Context(), &authz.User{ID: "ann", Username: "ann", CreatedAt: now, UpdatedAt: now, Version: 1}),
		w.store.InsertAPIToken(t.Context(), &authz.APIToken{
			ID: "tok", Hash: []byte{1}, UserID: "ann", MadeBy: "acme", CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		})); err != nil {
		t.Fatal(err)
	}
	storagetest.Copies(t.Context(), t, url, "api_tokens", "id = 'tok'", 2*very, map[string]string{"id": "'tok' || i"})
	if err := w.SetDisabled(t.Context(), "acme", true); err != nil {
		t.Fatal(err)
	}
	if err := w.SetDisabled(t.Context(), "acme", false); field(err) != "client_id" {
		t.Errorf("switched on while API tokens of it are left: %v", err)
	}
	if _, err := w.store.Sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if err := w.SetDisabled(t.Context(), "acme", false); err != nil || w.client(t, "acme").Disabled() {
		t.Errorf("switched on when all are revoked: %v", err)
	}
}

// A client that was granted very much is gone when the call returns; its id is not to be had
// before the rest is.
func TestAPopularClientIsDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		if err := w.Delete(t.Context(), "acme", 0); err != nil {
			t.Fatal(err)
		}
		e := w.events.Last()
		if e.Kind != authz.EventClientDeleted || e.Detail["grants"] != "2000" || e.Detail["api_tokens"] != "2000" || e.Detail["unfinished"] != "true" {
			t.Errorf("recorded %+v", e)
		}
		if _, err := w.Get(t.Context(), "acme"); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("read: %v", err)
		}
		if err := w.Delete(t.Context(), "acme", 0); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("deleted again: %v", err)
		}
		if err := w.SetDisabled(t.Context(), "acme", false); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("switched on: %v", err)
		}
		again := registration.New{ID: "acme", Metadata: webApp()}
		if _, _, err := w.Create(t.Context(), again); !errors.Is(err, authz.ErrConflict) {
			t.Errorf("registered while it is removed: %v", err)
		}
		if _, err := w.store.Sweep(t.Context(), w.clock.Now()); err != nil {
			t.Fatal(err)
		}
		w.create(t, again)
		if _, _, err := w.store.LiveGrant(t.Context(), "g2400", "", w.clock.Now()); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("what the former was granted: %v", err)
		}
	})
}
