package directory_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

const password = authz.Secret("correct horse battery")

// world is a directory on a real store, with a clock that stands still.
type world struct {
	*directory.Service
	store  *storage.Store
	now    atomic.Int64
	mu     sync.Mutex
	events []authz.Event
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
	w.now.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	w.Service = directory.NewService(directory.Config{
		Store: store, Passwords: hasher{}, Audit: w, SetupKey: []byte("0123456789abcdef0123456789abcdef"),
		Now: w.time, Random: rand.Reader,
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

func (w *world) time() time.Time         { return time.Unix(0, w.now.Load()).UTC() }
func (w *world) advance(d time.Duration) { w.now.Add(int64(d)) }

func (w *world) Record(_ context.Context, e authz.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// last gives the kind of the event that was recorded last, and of whom.
func (w *world) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == 0 {
		return ""
	}
	e := w.events[len(w.events)-1]
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
	err := w.store.InsertClient(t.Context(), &authz.Client{ID: "app", CreatedAt: w.time(), UpdatedAt: w.time(), Version: 1})
	if err != nil && !errors.Is(err, authz.ErrConflict) {
		t.Fatal(err)
	}
	s := &authz.Session{
		ID: "ses_" + name, UserID: u.ID, SecretHash: []byte("x"), AuthTime: w.time(), CreatedAt: w.time(),
		LastSeenAt: w.time(), IdleExpiresAt: w.time().Add(time.Hour), ExpiresAt: w.time().Add(time.Hour),
	}
	g := &authz.Grant{
		ID: "grant-" + name, UserID: u.ID, ClientID: "app", CodeHash: []byte(name), AuthTime: w.time(),
		CreatedAt: w.time(), CodeExpiresAt: w.time().Add(time.Minute), ExpiresAt: w.time().Add(time.Hour),
	}
	if err := errors.Join(w.store.InsertSession(t.Context(), s), w.store.InsertGrant(t.Context(), g)); err != nil {
		t.Fatal(err)
	}
	return s
}

// holds says what of a signIn still lives.
func (w *world) holds(t *testing.T, name string) string {
	t.Helper()
	_, _, sessionErr := w.store.SessionWithUser(t.Context(), "ses_"+name, w.time())
	_, _, grantErr := w.store.LiveGrant(t.Context(), "grant-"+name, "", w.time())
	return fmt.Sprintf("session %v, grant %v", sessionErr == nil, grantErr == nil)
}

func field(err error) string {
	var invalid *authz.InvalidError
	if errors.As(err, &invalid) {
		return invalid.Field
	}
	return ""
}

func to[T any](v T) *T { return &v }
