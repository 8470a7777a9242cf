package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-auth/signet/migrations"
	"github.com/signet-auth/signet/storage"
)

// reachTimeout bounds how long a command waits for a database that does not answer.
const reachTimeout = 10 * time.Second

// openStore opens the database of the settings once its schema is the one that this
// program works with. SQLite is migrated; PostgreSQL only if the settings say so, because
// other servers may run on it.
func openStore(ctx context.Context, s *settings) (*storage.Store, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	err := withMigrator(ctx, s, func(m *migrations.Migrator) error {
		return settleSchema(m, s.DatabaseURL == "" || s.Migrate)
	})
	if err != nil {
		return nil, err
	}
	store, err := storage.Open(ctx, s.database())
	if err != nil {
		return nil, unreachable(s, err)
	}
	return store, nil
}

func settleSchema(m *migrations.Migrator, migrate bool) error {
	status, err := m.Status()
	switch {
	case err != nil:
		return err
	case status.Dirty:
		return errDirty(status)
	case status.Ahead():
		return fmt.Errorf("the schema of the database is at version %d, ahead of the %d that this signet knows: run a newer signet",
			status.Current, status.Latest)
	case !status.Behind():
		return nil
	case !migrate:
		return fmt.Errorf("the schema of the database is at version %d, behind the %d that this signet needs: "+
			"run `signet migrate up`, or `signet serve --migrate`", status.Current, status.Latest)
	}
	return m.Up()
}

func errDirty(s migrations.Status) error {
	return errors.New("a migration of the database failed half-way, at version " + fmt.Sprint(s.Current) +
		": restore a backup, or mend the schema and the table schema_migrations by hand")
}
