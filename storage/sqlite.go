package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	defaultSQLiteConns = 8
	dataVersionPeriod  = 250 * time.Millisecond
)

// openSQLite opens a file. Transactions take the write lock when they begin, so that they
// wait there and not in the middle; busy_timeout comes first, so that the other pragmas
// wait too.
func openSQLite(_ context.Context, path string, set settings) (*Store, error) {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	db, err := sql.Open("sqlite", "file:"+escaped+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"+
		"&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)"+
		"&_txlock=immediate&_time_integer_format=unix_micro")
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	conns := defaultSQLiteConns
	if set.maxConns > 0 {
		conns = set.maxConns
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return &Store{
		db:     db,
		engine: engine{name: "sqlite", isConflict: isUniqueConstraint, watch: watchDataVersion},
		close:  db.Close,
	}, nil
}

func isUniqueConstraint(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) &&
		(e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// watchDataVersion asks a connection of its own whether any other connection, of this
// process or of a command line beside it, has committed. It cannot say what changed. The
// question reads shared memory and no disk.
func watchDataVersion(ctx context.Context, s *Store, changed func(Change)) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to watch: %w", err)
	}
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(dataVersionPeriod)
	defer tick.Stop()
	for last := int64(-1); ; {
		var version int64
		if err := conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
			return fmt.Errorf("read data version: %w", err)
		}
		if version != last {
			changed(Change{})
			last = version
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
