package login_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
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
	clock  authztest.Clock
	events authztest.Events
	hashes atomic.Int64
	waited atomic.Int64 // nanoseconds that attempts were slowed
}

func newWorld(t *testing.T) *world { return newWorldOn(t, storagetest.New(t), cheap) }

func newWorldOn(t *testing.T, store *storage.Store, params login.Argon2Params, change ...func(*login.Config)) *world {
	t.Helper()
	w := &world{store: store}
	limiter := func(burst int, refill time.Duration) *ratelimit.Limiter {
		return ratelimit.New(ratelimit.Config{Burst: burst, Refill: refill, Now: w.clock.Now})
	}
	cfg := login.Config{
		Store: store, Audit: &w.events, Params: params, Hashing: 2, DeviceKey: bytes.Repeat([]byte{7}, 32),
		PerAddress: limiter(login.AddressBurst, login.AddressRefill),
		PerName:    limiter(login.NameBurst, login.NameRefill),
		PerAccount: limiter(login.AttackBurst, login.AttackRefill),
		Reserve:    limiter(login.ReserveBurst, login.ReserveRefill),
		Now:        w.clock.Now, Random: rand.Reader,
		Wait: func(_ context.Context, d time.Duration) error { w.waited.Add(int64(d)); return nil },
	}
	for _, fn := range change {
		fn(&cfg)
	}
	s, err := login.New(cfg)
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

func (w *world) slowness() (d time.Duration) { return time.Duration(w.waited.Swap(0)) }

// person makes somebody with the right password, or without any.
func (w *world) person(t *testing.T, username string, password authz.Secret) *authz.User {
	t.Helper()
	now := w.clock.Now()
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
