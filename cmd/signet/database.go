package main

import (
	"context"
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
	return openSettled(ctx, s, func(m *migrations.Migrator) error {
		if err := checkMaster(s); err != nil {
			return err
		}
		return settleSchema(m, s.DatabaseURL == "" || s.Migrate)
	})
}

// openSettled opens the database after settle, which may take as long as it needs: a
// migration of large tables does, and so does waiting for another replica's.
func openSettled(ctx context.Context, s *settings, settle func(*migrations.Migrator) error) (*storage.Store, error) {
	if err := withMigrator(ctx, s, settle); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	store, err := storage.Open(ctx, s.database())
	if err != nil {
		return nil, unreachable(s, err)
	}
	return store, nil
}

// openMigrator opens the database for migration.
func openMigrator(ctx context.Context, s *settings) (*migrations.Migrator, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	m, err := migrations.Open(ctx, s.database())
	if err != nil {
		return nil, unreachable(s, err)
	}
	return m, nil
}

func settleSchema(m *migrations.Migrator, migrate bool) error {
	status, err := m.Status()
	switch {
	case err != nil:
		return err
	case unworkable(status) != nil || !status.Behind():
		return unworkable(status)
	case !migrate:
		return fmt.Errorf("the schema of the database is at version %d, behind the %d that this signet needs: "+
			"run `signet migrate up`, or `signet serve --migrate`", status.Current, status.Latest)
	}
	return m.Up()
}

// unworkable says why this program can do nothing with a schema; nil when it can.
func unworkable(s migrations.Status) error {
	switch {
	case s.Dirty:
		return fmt.Errorf("a migration of the database failed half-way, at version %d: "+
			"restore a backup, or mend the schema and the table schema_migrations by hand", s.Current)
	case s.Ahead():
		return fmt.Errorf("the schema of the database is at version %d, ahead of the %d that this signet knows: run a newer signet",
			s.Current, s.Latest)
	}
	return nil
}
