package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	defaultSQLiteConns = 8
	busyTimeout        = 10 * time.Second
)

// openSQLite opens a file. One connection writes at a time, in the order of asking, while
// the others read.
func openSQLite(_ context.Context, path string, set settings) (*Store, error) {
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	conns := defaultSQLiteConns
	if set.maxConns > 0 {
		conns = set.maxConns
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return &Store{
		db: db,
		engine: engine{
			name:         "sqlite",
			isConflict:   isConstraint(sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY),
			isOrphan:     isConstraint(sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY),
			isUnstorable: func(error) bool { return false }, // it stores anything
			isDeadlock:   func(error) bool { return false }, // one writes at a time
			turn:         oneAtATime(),
			watch: func(ctx context.Context, changed func(Change), _ func(error)) error {
				return poll(ctx, path, changed)
			},
		},
		close: db.Close,
	}, nil
}

// openFile makes a handle. Transactions take the write lock when they begin, so that they
// wait there and not in the middle; busy_timeout comes first, so that the other pragmas
// wait too.
func openFile(path string) (*sql.DB, error) {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	db, err := sql.Open("sqlite", "file:"+escaped+
		fmt.Sprintf("?_pragma=busy_timeout(%d)", busyTimeout.Milliseconds())+"&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"+
		"&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)"+
		"&_txlock=immediate&_time_integer_format=unix_micro")
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

// oneAtATime queues the writers of this process. SQLite would let them poll for its lock
// instead, with sleeps of up to 100 ms, and some would wait for long while others pass. As
// there, nobody waits for ever: not even for himself, having left his own transaction.
func oneAtATime() func(context.Context) (func(), error) {
	writing := make(chan struct{}, 1)
	done := func() { <-writing }
	return func(ctx context.Context) (func(), error) {
		select {
		case writing <- struct{}{}:
			return done, nil
		default:
		}
		timeout := time.NewTimer(busyTimeout)
		defer timeout.Stop()
		select {
		case writing <- struct{}{}:
			return done, nil
		case <-timeout.C:
			return nil, fmt.Errorf("wait to write: another writer took longer than %v", busyTimeout)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func isConstraint(codes ...int) func(error) bool {
	return func(err error) bool {
		var e *sqlite.Error
		return errors.As(err, &e) && slices.Contains(codes, e.Code())
	}
}
