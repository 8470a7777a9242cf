package login_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/authz/ratelimit"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// cheap is what a hash costs in tests.
var cheap = login.Argon2Params{MemoryKiB: 64, Passes: 1, Parallelism: 1}

const right = authz.Secret("correct horse battery")

// world is a login service on a real store, with a clock that stands still.
type world struct {
	*login.Service
	store  *storage.Store
	now    atomic.Int64
	hashes atomic.Int64
	waited atomic.Int64 // nanoseconds that attempts were slowed

	mu     sync.Mutex
	events []authz.Event
}

func newWorld(t *testing.T) *world { return newWorldOn(t, storagetest.New(t), cheap) }

func newWorldOn(t *testing.T, store *storage.Store, params login.Argon2Params) *world {
	t.Helper()
	w := &world{store: store}
	w.now.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	limiter := func(burst int, refill time.Duration) *ratelimit.Limiter {
		return ratelimit.New(ratelimit.Config{Burst: burst, Refill: refill, Now: w.time})
	}
	s, err := login.New(login.Config{
		Store: store, Audit: w, Params: params, Hashing: 2, DeviceKey: bytes.Repeat([]byte{7}, 32),
		PerAddress: limiter(login.AddressBurst, login.AddressRefill),
		PerName:    limiter(login.NameBurst, login.NameRefill),
		PerAccount: limiter(login.AttackBurst, login.AttackRefill),
		Now:        w.time, Random: rand.Reader,
		Wait: func(_ context.Context, d time.Duration) error { w.waited.Add(int64(d)); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.WatchHashes(func(_ login.Argon2Params, compute func() []byte) []byte {
		w.hashes.Add(1)
		return compute()
	})
	w.Service = s
	return w
}

func (w *world) time() time.Time             { return time.Unix(0, w.now.Load()).UTC() }
func (w *world) advance(d time.Duration)     { w.now.Add(int64(d)) }
func (w *world) slowness() (d time.Duration) { return time.Duration(w.waited.Swap(0)) }

func (w *world) Record(_ context.Context, e authz.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// recorded gives the events of a kind.
func (w *world) recorded(kind string) (out []authz.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// person makes somebody with the right password, or without any.
func (w *world) person(t *testing.T, username string, password authz.Secret) *authz.User {
	t.Helper()
	now := w.time()
	u := &authz.User{
		ID: authz.PrefixUser + username, Username: username, Email: username + "@Example.com",
		Roles: []string{}, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	if err := w.store.InsertUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if password != "" {
		if err := w.SetPassword(t.Context(), u.ID, password); err != nil {
			t.Fatal(err)
		}
	}
	w.hashes.Store(0)
	return u
}

// from gives the context of a request from an address.
func from(t *testing.T, address string) context.Context {
	return authz.WithOrigin(t.Context(), authz.Origin{Address: address})
}
