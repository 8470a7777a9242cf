package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/golang-migrate/migrate/v4/database"
)

// file is golang-migrate's view of an SQLite file. All that happens between Lock and
// Unlock is one transaction: a second process waits for it, a failed or killed migration
// leaves the file as it was, and no version is ever dirty. (The driver that comes with
// golang-migrate locks within its process only.)
type file struct {
	db     *sql.DB
	conn   *sql.Conn // between Lock and Unlock
	failed bool      // since Lock
}

var _ database.Driver = (*file)(nil)

// openFile opens the file at path, and makes it if there is none: for its owner alone,
// because it will hold what the server knows. Foreign keys stay off on this handle, so
// that a table can be rebuilt without its children being deleted.
func openFile(path string) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return sql.Open("sqlite", "file:"+escaped+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
}

func newFile(db *sql.DB) (*file, error) {
	_, err := db.Exec(`CREATE TABLE IF NOT EXISTS schema_migrations (version uint64, dirty bool)`)
	return &file{db: db}, err
}

// Lock waits for other processes and begins the transaction.
func (f *file) Lock() error {
	if f.conn != nil {
		return database.ErrLocked
	}
	conn, err := f.db.Conn(context.Background())
	if err != nil {
		return err
	}
	if _, err := conn.ExecContext(context.Background(), `BEGIN IMMEDIATE`); err != nil {
		return errors.Join(err, conn.Close())
	}
	f.conn, f.failed = conn, false
	return nil
}

// Unlock commits what succeeded. A failure since Lock, or a row left without its parent,
// undoes everything.
func (f *file) Unlock() error {
	if f.conn == nil {
		return database.ErrNotLocked
	}
	conn := f.conn
	f.conn = nil
	end, err := `ROLLBACK`, error(nil)
	if !f.failed {
		if err = checkForeignKeys(conn); err == nil {
			end = `COMMIT`
		}
	}
	_, endErr := conn.ExecContext(context.Background(), end)
	return errors.Join(err, endErr, conn.Close())
}

func checkForeignKeys(conn *sql.Conn) error {
	rows, err := conn.QueryContext(context.Background(), `PRAGMA foreign_key_check`)
	if err != nil {
		return fmt.Errorf("check foreign keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		return errors.New("check foreign keys: a migration left rows without their parent")
	}
	return rows.Err()
}

// Run executes the statements of one migration.
func (f *file) Run(migration io.Reader) error {
	statements, err := io.ReadAll(migration)
	if err != nil {
		return err
	}
	return f.exec(string(statements))
}

// SetVersion notes where the schema is. Between two migrations it is called with dirty
// set, which nobody but this transaction gets to see.
func (f *file) SetVersion(version int, dirty bool) error {
	if err := f.exec(`DELETE FROM schema_migrations`); err != nil || version == database.NilVersion {
		return err
	}
	return f.exec(`INSERT INTO schema_migrations (version, dirty) VALUES ($1, $2)`, version, dirty)
}

func (f *file) exec(statement string, args ...any) error {
	if f.conn == nil {
		return database.ErrNotLocked
	}
	_, err := f.conn.ExecContext(context.Background(), statement, args...)
	f.failed = f.failed || err != nil
	return err
}

// Version tells where the schema is.
func (f *file) Version() (version int, dirty bool, err error) {
	var on interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	} = f.db
	if f.conn != nil {
		on = f.conn
	}
	err = on.QueryRowContext(context.Background(), `SELECT version, dirty FROM schema_migrations`).Scan(&version, &dirty)
	if errors.Is(err, sql.ErrNoRows) {
		return database.NilVersion, false, nil
	}
	return version, dirty, err
}

// Close closes the handle.
func (f *file) Close() error { return f.db.Close() }

// Open and Drop are for programs that are not ours.
func (*file) Open(string) (database.Driver, error) { return nil, errors.ErrUnsupported }

// Drop is not supported; Down undoes everything.
func (*file) Drop() error { return errors.ErrUnsupported }
