package storagetest_test

import (
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

func TestEachSharesADatabaseBetweenItsStoresOnly(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	seen := make(map[string]bool)
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		one, other := open(), open(storage.WithMaxConns(1))
		seen[one.Engine()] = true
		if err := one.EnsureRole(t.Context(), authz.Role{Name: "baker", CreatedAt: now, UpdatedAt: now}); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Role(t.Context(), "baker"); err != nil {
			t.Errorf("a store does not see what the other on its database wrote: %v", err)
		}
		stranger := storagetest.Open(t, storagetest.URL(t, one.Engine()))
		if roles, err := stranger.Roles(t.Context()); err != nil || len(roles) != 0 {
			t.Errorf("a new database holds %v, %v", roles, err)
		}
	})
	if !seen[storagetest.SQLite] {
		t.Error("the test did not run on SQLite")
	}
}

func TestNewIsSQLite(t *testing.T) {
	t.Parallel()
	if engine := storagetest.New(t).Engine(); engine != storagetest.SQLite {
		t.Errorf("New gave a store on %s", engine)
	}
}
