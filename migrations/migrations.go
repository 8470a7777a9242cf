package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver that a file is opened with
)

//go:embed *.sql sqlite/*.sql
var files embed.FS

// Status says how a database stands to this binary.
type Status struct {
	Current uint // the version of the schema; 0: empty
	Latest  uint // the version that this binary works with
	Dirty   bool // a migration failed half-way and needs a person
}

// Behind reports whether migrations are pending.
func (s Status) Behind() bool { return s.Current < s.Latest }

// Ahead reports whether a newer binary has migrated the database.
func (s Status) Ahead() bool { return s.Current > s.Latest }

// Migrator changes the schema of one database. It opens a handle of its own, because the
// migration drivers close the one they are given.
type Migrator struct{ m *migrate.Migrate }

// Open prepares the migration of the database at url: postgres://…, or the path of an
// SQLite file, which is made if there is none. Close it after use.
func Open(ctx context.Context, url string) (*Migrator, error) {
	isPostgres := strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
	open := openFile
	if isPostgres {
		open = openServer
	}
	db, err := open(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("reach database: %w", err)
	}
	m, err := newMigrate(db, isPostgres)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return &Migrator{m}, nil
}

// connectTimeout bounds one attempt to connect where the URL has no connect_timeout: a
// server that hangs must not hang whoever migrates it.
const connectTimeout = 5 * time.Second

// openServer reads the URL as storage does, which may say how large its pool is.
func openServer(url string) (*sql.DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if cfg.ConnConfig.ConnectTimeout <= 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	return stdlib.OpenDB(*cfg.ConnConfig), nil
}

// patience is how long a process waits for another one that is migrating.
const patience = time.Hour

func newMigrate(db *sql.DB, isPostgres bool) (*migrate.Migrate, error) {
	var (
		driver database.Driver
		err    error
		stream fs.FS = overlay{}
	)
	if isPostgres {
		stream = files
		driver, err = pgxmigrate.WithInstance(db, &pgxmigrate.Config{})
	} else {
		driver, err = newFile(db)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare migration table: %w", err)
	}
	source, err := iofs.New(stream, ".")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	m, err := migrate.NewWithInstance("iofs", source, "signet", driver)
	if err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", err)
	}
	m.LockTimeout = patience
	return m, nil
}

// Status reads the version of the database and compares it with this binary's.
func (m *Migrator) Status() (Status, error) {
	s := Status{Latest: Latest()}
	version, dirty, err := m.m.Version()
	switch {
	case errors.Is(err, migrate.ErrNilVersion):
		return s, nil
	case err != nil:
		return s, fmt.Errorf("read schema version: %w", err)
	}
	s.Current, s.Dirty = version, dirty
	return s, nil
}

// Up applies every pending migration. Processes that call it at the same time wait for
// each other.
func (m *Migrator) Up() error { return run("migrate up", m.m.Up) }

// Down undoes every migration, and with them all data.
func (m *Migrator) Down() error { return run("migrate down", m.m.Down) }

// Steps applies n migrations, or undoes -n.
func (m *Migrator) Steps(n int) error {
	return run("migrate", func() error { return m.m.Steps(n) })
}

func run(what string, fn func() error) error {
	if err := fn(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Close releases the database handle.
func (m *Migrator) Close() error {
	source, db := m.m.Close()
	return errors.Join(source, db)
}

// Latest is the version of the newest migration in this binary.
func Latest() uint {
	names, _ := fs.Glob(files, "*.up.sql")
	var latest uint64
	for _, name := range names {
		digits, _, _ := strings.Cut(path.Base(name), "_")
		if n, err := strconv.ParseUint(digits, 10, 32); err == nil && n > latest {
			latest = n
		}
	}
	return uint(latest)
}

// overlay is the canonical stream with SQLite's own words where it has them.
type overlay struct{}

func (overlay) Open(name string) (fs.File, error) {
	if f, err := files.Open(path.Join("sqlite", name)); err == nil && name != "." {
		return f, nil
	}
	return files.Open(name)
}
