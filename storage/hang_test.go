package storage_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/storage/storagetest/postgrestest"
)

// A database that hangs, and does not fail, holds nobody up who has set no deadline, and is
// an outage: none of what callers take for an answer.
func TestADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	n := postgrestest.NewNetwork(t, storagetest.URL(t, storagetest.Postgres))
	s := storagetest.Open(t, n.URL(), storage.WithTimeout(3*time.Second))
	now := time.Unix(1_700_000_000, 0)
	role := authz.Role{Name: "baker", CreatedAt: now, UpdatedAt: now}
	calls := map[string]func(ctx context.Context) error{
		"ping":  s.Ping,
		"write": func(ctx context.Context) error { return s.EnsureRole(ctx, role) },
		"read":  func(ctx context.Context) error { _, err := s.Role(ctx, "baker"); return err },
		"list":  func(ctx context.Context) error { _, err := s.Roles(ctx); return err },
		"transaction": func(ctx context.Context) error {
			return s.InsertEvents(ctx, []authz.Event{{ID: "e", At: now, Kind: "k"}})
		},
		"sweep": func(ctx context.Context) error { _, err := s.Sweep(ctx, now); return err },
	}
	if err := s.EnsureRole(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	n.Silence()
	var all sync.WaitGroup
	for name, call := range calls {
		all.Go(func() {
			err := call(context.Background())
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, authz.ErrNotFound) || errors.Is(err, authz.ErrConflict) {
				t.Errorf("%s while it hangs: %v", name, err)
			}
		})
	}
	all.Wait()
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Ping(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who has gone away: %v", err)
	}
	n.Speak()
	for name, call := range calls {
		// A deadline of the caller's own counts instead, and this is longer than a test runs.
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		if err := call(ctx); err != nil {
			t.Errorf("%s when it is back: %v", name, err)
		}
		cancel()
	}
}

// What waits for a lock that somebody keeps hangs as well.
func TestALockThatIsKept(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		keeper, s := open(), open(storage.WithTimeout(2*time.Second))
		now := time.Unix(1_700_000_000, 0)
		role := authz.Role{Name: "baker", CreatedAt: now, UpdatedAt: now, Version: 1}
		if err := keeper.InsertRole(t.Context(), role); err != nil {
			t.Fatal(err)
		}
		err := keeper.InTx(t.Context(), func(ctx context.Context) error {
			if err := keeper.UpdateRole(ctx, role); err != nil {
				return err
			}
			err := s.UpdateRole(context.Background(), role)
			if err == nil || errors.Is(err, authz.ErrStale) || errors.Is(err, authz.ErrNotFound) {
				t.Errorf("while the row is locked: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
