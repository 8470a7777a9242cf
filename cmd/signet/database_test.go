package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-auth/signet/migrations"
)

// Only reaching the database is bounded: a migration of large tables takes its time.
func TestALongMigrationIsNoUnreachableDatabase(t *testing.T) {
	t.Parallel()
	s := folderSettings(t, t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		store, err := openSettled(t.Context(), s, func(m *migrations.Migrator) error {
			time.Sleep(2 * reachTimeout)
			return m.Up()
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
}
