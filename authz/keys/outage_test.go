package keys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/storage"
)

// faulty is a real store that a test puts out of reach, or whose rows it spoils.
type faulty struct {
	*storage.Store
	mu     sync.Mutex
	down   error
	spoil  func([]authz.SigningKey)
	refuse func(authz.SigningKey) error // to be inserted
}

func (f *faulty) InsertSigningKey(ctx context.Context, k authz.SigningKey) error {
	if f.refuse != nil {
		if err := f.refuse(k); err != nil {
			return err
		}
	}
	return f.Store.InsertSigningKey(ctx, k)
}

func (f *faulty) set(down error, spoil func([]authz.SigningKey)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down, f.spoil = down, spoil
}

func (f *faulty) SigningKeys(ctx context.Context) ([]authz.SigningKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return nil, f.down
	}
	rows, err := f.Store.SigningKeys(ctx)
	if f.spoil != nil {
		f.spoil(rows)
	}
	return rows, err
}

func TestAnOutageKeepsTheKeys(t *testing.T) {
	t.Parallel()
	outage := errors.New("connection refused")
	tests := []struct {
		name  string
		down  error
		spoil func([]authz.SigningKey)
	}{
		{"the database is out of reach", outage, nil},
		{"a row is damaged", nil, func(rows []authz.SigningKey) { rows[0].Sealed[20] ^= 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			store := &faulty{Store: newStore(t)}
			ring := openRing(t, store, func(c *keys.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			before := jwks(ring)

			store.set(tt.down, tt.spoil)
			for range 3 {
				if err := ring.Reload(t.Context()); err == nil || (tt.down != nil && !errors.Is(err, tt.down)) {
					t.Errorf("Reload = %v, want the cause", err)
				}
			}
			if err := ring.Tend(t.Context()); err == nil {
				t.Error("Tend says that all is well")
			}
			if _, _, err := ring.Verify(sign(t, ring, "")); err != nil || jwks(ring) != before || ring.Ready() != nil {
				t.Errorf("the keys that were known are gone: %v, %v", err, ring.Ready())
			}
			if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
				t.Errorf("%d lines about one outage, want one:\n%s", n, &log)
			}

			store.set(nil, nil)
			if err := ring.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(log.String(), "level=INFO") {
				t.Errorf("the end of the outage is not logged:\n%s", &log)
			}
		})
	}
}

func TestNothingButReloadsReadsTheDatabase(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	ring := openRing(t, store, nil)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, alg := range ring.Algorithms() {
		if _, _, err := ring.Verify(sign(t, ring, alg)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if body, _, _ := ring.JWKS(); len(body) == 0 || len(ring.List()) != 4 || ring.Ready() != nil {
		t.Error("the key set needs the database")
	}
	if err := ring.Rotate(t.Context(), "", true); err == nil {
		t.Error("a rotation without a database succeeded")
	}
}

func TestAnIdleTickIsOneStatement(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	ring := openRing(t, newStore(t, storage.WithStatementCounter(func(string) { statements.Add(1) })), nil)
	if err := ring.Rotate(t.Context(), "", true); err != nil {
		t.Fatal(err)
	}
	statements.Store(0)
	if err := ring.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := statements.Load(); n != 1 {
		t.Errorf("%d statements, want one", n)
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	openRing(t, store, nil)
	closed := newStore(t)
	_ = closed.Close()
	tests := []struct {
		name   string
		change func(*keys.Config)
		want   string
	}{
		{"another master key", func(c *keys.Config) { c.Master = newMaster(t, 2) }, "does not open"},
		{"no database", func(c *keys.Config) { c.Store = closed }, "closed"},
		{"no store", func(c *keys.Config) { c.Store = nil }, "required"},
		{"an unknown algorithm", func(c *keys.Config) { c.Algorithms = []string{"HS256"} }, "HS256"},
		{"an algorithm twice", func(c *keys.Config) { c.Algorithms = []string{"ES256", "ES256"} }, "twice"},
		{"rotation faster than publication", func(c *keys.Config) { c.RotateEvery = time.Minute }, "published ahead"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t, store)
			tt.change(&cfg)
			ring, err := keys.Open(t.Context(), cfg)
			if ring != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open = %v, %v; want an error about %q", ring, err, tt.want)
			}
		})
	}
}

func TestAlgorithmsMayChange(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	with := func(algs ...string) *keys.Ring {
		return openRing(t, store, func(c *keys.Config) { c.Algorithms = algs })
	}
	before := with(authz.AlgES256, authz.AlgEdDSA)
	token := sign(t, before, authz.AlgEdDSA)

	after := with(authz.AlgRS256, authz.AlgES256)
	if got := sign(t, after, ""); kid(got) != inState(t, after, authz.AlgRS256, authz.KeyActive) {
		t.Error("the new default does not sign")
	}
	if _, _, err := after.Verify(token); err != nil {
		t.Errorf("a token of an algorithm that was taken out: %v", err)
	}
	if _, err := after.Sign(authz.AlgEdDSA, "at+jwt", claims); err == nil {
		t.Error("an algorithm that was taken out still signs")
	}
	if err := before.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := before.Verify(sign(t, after, authz.AlgRS256)); err != nil {
		t.Errorf("a replica with the old settings, on a token of the new algorithm: %v", err)
	}
}

func TestARowOfANewerVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	err := store.InsertSigningKey(t.Context(), authz.SigningKey{KID: "k", Alg: "ML-DSA-44", State: authz.KeyActive,
		Sealed: []byte{9}, PublicJWK: []byte("{}"), CreatedAt: authztest.Start, ActivatedAt: authztest.Start})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(openRing(t, store, nil).List()); n != 4 {
		t.Errorf("%d keys, want the four that this version knows", n)
	}
}

// TestRun: a ring that is only told to run follows the others within five seconds and
// rotates when the time has come.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t)
		with := func(c *keys.Config) { c.Now, c.RotateEvery, c.PublishAhead = time.Now, time.Hour, time.Minute }
		ring, other := openRing(t, store, with), openRing(t, store, with)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { ring.Run(ctx); close(done) }()
		if err := other.Rotate(t.Context(), authz.AlgES256, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Second + time.Millisecond)
		if jwks(ring) != jwks(other) {
			t.Error("five seconds after a rotation a replica does not know it")
		}
		next := inState(t, ring, authz.AlgES256, authz.KeyNext)
		time.Sleep(time.Hour)
		if inState(t, ring, authz.AlgES256, authz.KeyActive) != next {
			t.Error("no rotation after RotateEvery")
		}
		stop()
		<-done
		_ = store.Close() // its goroutines must end with the test
	})
}
