package migrations

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang-migrate/migrate/v4/database"
)

const (
	makeParent = `CREATE TABLE parent (id TEXT NOT NULL PRIMARY KEY);`
	makeChild  = `CREATE TABLE child (id TEXT NOT NULL REFERENCES parent (id)); INSERT INTO child VALUES ('lost');`
)

func newTestFile(t *testing.T, path string) *file {
	t.Helper()
	db, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f, err := newFile(db)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// demand wants the version, and the table or not.
func demand(t *testing.T, f *file, version int, table bool) {
	t.Helper()
	got, dirty, err := f.Version()
	if err != nil || dirty || got != version {
		t.Errorf("version %d, dirty: %t, %v; want %d", got, dirty, err, version)
	}
	var name string
	err = f.db.QueryRow(`SELECT name FROM sqlite_master WHERE name = 'parent'`).Scan(&name)
	if found := err == nil; found != table || (err != nil && !errors.Is(err, sql.ErrNoRows)) {
		t.Errorf("the table is there: %t, %v; want %t", found, err, table)
	}
}

func TestMigrationIsAllOrNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, statements string
		run, unlock      bool // which of them succeeds
	}{
		{"good", makeParent, true, true},
		{"nothing but a remark", "-- nothing to do here\n", true, true},
		{"fails half-way", makeParent + `CREATE TABLE oops (;`, false, true},
		{"leaves a row without its parent", makeParent + makeChild, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newTestFile(t, filepath.Join(t.TempDir(), "test.db"))
			demand(t, f, database.NilVersion, false)
			mustLock(t, f)
			if err := f.SetVersion(1, true); err != nil {
				t.Fatal(err)
			}
			err := f.Run(strings.NewReader(c.statements))
			if (err == nil) != c.run {
				t.Errorf("run: %v", err)
			}
			if err == nil {
				err = f.SetVersion(1, false)
			}
			if unlock := f.Unlock(); (unlock == nil) != c.unlock {
				t.Errorf("unlock: %v (after %v)", unlock, err)
			}
			if c.run && c.unlock {
				demand(t, f, 1, strings.Contains(c.statements, "parent"))
			} else {
				demand(t, f, database.NilVersion, false)
			}
			mustLock(t, f) // is free again
			if err := f.Unlock(); err != nil {
				t.Error(err)
			}
		})
	}
}

func mustLock(t *testing.T, f *file) {
	t.Helper()
	if err := f.Lock(); err != nil {
		t.Fatal(err)
	}
}

// The end of a process in the middle of a migration is the end of its connection.
func TestKilledMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	killed := newTestFile(t, path)
	mustLock(t, killed)
	if err := errors.Join(killed.SetVersion(1, true), killed.Run(strings.NewReader(makeParent))); err != nil {
		t.Fatal(err)
	}
	other := newTestFile(t, path)
	demand(t, other, database.NilVersion, false) // sees nothing of it while it runs
	if err := errors.Join(killed.conn.Close(), killed.Close()); err != nil {
		t.Fatal(err)
	}
	mustLock(t, other)
	if err := other.Unlock(); err != nil {
		t.Fatal(err)
	}
	demand(t, other, database.NilVersion, false)
}

func TestSecondProcessWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	first, second := newTestFile(t, path), newTestFile(t, path)
	mustLock(t, first)
	locked := make(chan error, 1)
	go func() { locked <- second.Lock() }()
	if err := errors.Join(first.Run(strings.NewReader(makeParent)), first.SetVersion(1, false), first.Unlock()); err != nil {
		t.Fatal(err)
	}
	if err := <-locked; err != nil {
		t.Fatal(err)
	}
	demand(t, second, 1, true) // what it waited for is what it finds
	if err := second.Unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestLockIsAskedFor(t *testing.T) {
	t.Parallel()
	f := newTestFile(t, filepath.Join(t.TempDir(), "test.db"))
	for what, err := range map[string]error{
		"unlock": f.Unlock(), "run": f.Run(strings.NewReader(makeParent)), "set version": f.SetVersion(1, false),
	} {
		if !errors.Is(err, database.ErrNotLocked) {
			t.Errorf("%s without a lock: %v", what, err)
		}
	}
	mustLock(t, f)
	if err := f.Lock(); !errors.Is(err, database.ErrLocked) {
		t.Errorf("lock twice: %v", err)
	}
	if err := f.Unlock(); err != nil {
		t.Error(err)
	}
	if _, err := f.db.Conn(context.Background()); err != nil {
		t.Error(err)
	}
}
