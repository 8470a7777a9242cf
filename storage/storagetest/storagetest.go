// Package storagetest gives tests a real, migrated store on each of the two databases, and
// holds the suite that says what a store must do. Nobody needs a mock of storage: a store
// is made in a few milliseconds, because the schema is migrated once per test process and
// copied. How a PostgreSQL comes to be is left to package postgrestest.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/migrations"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest/postgrestest"
)

// The databases that everything runs on, by the names that Store.Engine gives them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Engines lists the databases, the one that needs nothing installed first.
func Engines() []string { return []string{SQLite, Postgres} }

// New gives an empty, migrated SQLite store of its own; it is closed and removed when the
// test ends.
func New(t testing.TB, options ...storage.Option) *storage.Store {
	t.Helper()
	return Open(t, URL(t, SQLite), options...)
}

// Each runs a test once per database, as the subtests "sqlite" and "postgres". Every call
// of open gives another store on the one database of the subtest, as another process would
// have it. Where PostgreSQL is missing its subtest skips, and fails where CI is set.
func Each(t *testing.T, test func(t *testing.T, open func(...storage.Option) *storage.Store)) {
	t.Helper()
	for _, engine := range Engines() {
		t.Run(engine, func(t *testing.T) {
			url := URL(t, engine)
			test(t, func(options ...storage.Option) *storage.Store {
				t.Helper()
				return Open(t, url, options...)
			})
		})
	}
}

// URL gives the address of a new, empty, migrated database, for tests that start several
// processes or stores on it. It is removed when the test ends.
func URL(t testing.TB, engine string) string {
	t.Helper()
	if engine == Postgres {
		return postgrestest.Template(t, "signet", migrate)
	}
	file, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("prepare SQLite database: %v", err)
	}
	path := filepath.Join(t.TempDir(), "signet.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// EmptyURL gives the address of a new database without a schema; a file that is not there
// yet on SQLite.
func EmptyURL(t testing.TB, engine string) string {
	t.Helper()
	if engine == Postgres {
		return postgrestest.URL(t)
	}
	return filepath.Join(t.TempDir(), "signet.db")
}

// Open gives a store on the database at url, and closes it when the test ends. However busy
// the machine is, its statements have the time that they need.
func Open(t testing.TB, url string, options ...storage.Option) *storage.Store {
	t.Helper()
	s, err := storage.Open(context.Background(), url, append([]storage.Option{storage.WithTimeout(time.Hour)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

// migrate lays out the schema in an empty database and lets go of it.
func migrate(ctx context.Context, url string) error {
	m, err := migrations.Open(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(m.Up(), m.Close())
}

// sqliteTemplate is the file of a migrated database. It is kept in memory, so that a test
// process leaves nothing behind.
var sqliteTemplate = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "signet-template-")
	if err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "signet.db")
	if err := migrate(context.Background(), path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
