package directory_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

const password = authz.Secret("correct horse battery")

// world is a directory on a real store, with a clock that stands still.
type world struct {
	*directory.Service
	store  *storage.Store
	clock  authztest.Clock
	events authztest.Events
}

func newWorld(t *testing.T, options ...storage.Option) *world {
	t.Helper()
	return newWorldOn(storagetest.New(t, options...))
}

func newWorldOn(store *storage.Store) *world {
	w := newWorldOver(store)
	w.store = store
	return w
}

// newWorldOver takes a store that is more than one.
func newWorldOver(store directory.Store) *world {
	w := new(world)
	w.Service = directory.NewService(directory.Config{
		Store: store, Passwords: hasher{}, Audit: &w.events, SetupKey: []byte("0123456789abcdef0123456789abcdef"),
		Now: w.clock.Now, Random: rand.Reader,
	})
	return w
}

// hasher stands for the costly thing that package login does.
type hasher struct{}

func (hasher) Hash(_ context.Context, p authz.Secret) (string, error) {
	if len(p) < 8 {
		return "", authz.Invalid("password", "too short")
	}
	return "hash of " + p.Reveal(), nil
}

// last gives the kind of the event that was recorded last, and of whom.
func (w *world) last() string {
	e := w.events.Last()
	return e.Kind + " " + e.UserID
}

func (w *world) create(t *testing.T, n directory.New) *authz.User {
	t.Helper()
	u, err := w.Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// hash is what is stored of a person's password.
func (w *world) hash(t *testing.T, username string) string {
	t.Helper()
	_, hash, err := w.store.UserWithPassword(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// signIn gives a person a session and a grant to the client "app".
func (w *world) signIn(t *testing.T, u *authz.User, name string) *authz.Session {
	t.Helper()
	err := w.store.InsertClient(t.Context(), &authz.Client{ID: "app", CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(), Version: 1})
	if err != nil && !errors.Is(err, authz.ErrConflict) {
		t.Fatal(err)
	}
	s := &authz.Session{
		ID: "ses_" + name, UserID: u.ID, SecretHash: []byte("x"), AuthTime: w.clock.Now(), CreatedAt: w.clock.Now(),
		LastSeenAt: w.clock.Now(), IdleExpiresAt: w.clock.Now().Add(time.Hour), ExpiresAt: w.clock.Now().Add(time.Hour),
	}
	g := &authz.Grant{
		ID: "grant-" + name, UserID: u.ID, ClientID: "app", CodeHash: []byte(name), AuthTime: w.clock.Now(),
		CreatedAt: w.clock.Now(), CodeExpiresAt: w.clock.Now().Add(time.Minute), ExpiresAt: w.clock.Now().Add(time.Hour),
	}
	if err := errors.Join(w.store.InsertSession(t.Context(), s), w.store.InsertGrant(t.Context(), g)); err != nil {
		t.Fatal(err)
	}
	return s
}

// holds says what of a signIn still lives.
func (w *world) holds(t *testing.T, name string) string {
	t.Helper()
	_, _, sessionErr := w.store.SessionWithUser(t.Context(), "ses_"+name, w.clock.Now())
	_, _, grantErr := w.store.LiveGrant(t.Context(), "grant-"+name, "", w.clock.Now())
	return fmt.Sprintf("session %v, grant %v", sessionErr == nil, grantErr == nil)
}

func field(err error) string {
	if invalid, ok := errors.AsType[*authz.InvalidError](err); ok {
		return invalid.Field
	}
	return ""
}
