package storage

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	pollPeriod = 250 * time.Millisecond
	pollBatch  = 1000
)

// poll asks a connection of its own, outside of the pool, whether any other connection, of
// this process or of a command line beside it, has committed: a question that reads shared
// memory and no disk. Only then does it read what the triggers of the schema wrote down.
func poll(ctx context.Context, path string, changed func(Change)) error {
	db, err := openFile(path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx) // the version counts for one connection
	if err != nil {
		return fmt.Errorf("connect to watch: %w", err)
	}
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(pollPeriod)
	defer tick.Stop()
	var version, seq int64
	if version, err = number(ctx, conn, `PRAGMA data_version`); err != nil {
		return err
	}
	if seq, err = number(ctx, conn, `SELECT COALESCE(max(seq), 0) FROM changes`); err != nil {
		return err
	}
	changed(Change{}) // what was missed before now is unknown
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		last := version
		if version, err = number(ctx, conn, `PRAGMA data_version`); err != nil {
			return err
		}
		if version == last {
			continue
		}
		if seq, err = readChanges(ctx, conn, seq, changed); err != nil {
			return err
		}
	}
}

func number(ctx context.Context, conn *sql.Conn, query string) (n int64, err error) {
	if err = conn.QueryRowContext(ctx, query).Scan(&n); err != nil {
		err = fmt.Errorf("look for changes: %w", err)
	}
	return n, err
}

// readChanges hands on what was written down after seq, and tells how far it has read.
// Where rows are missing in between, or there are very many, it tells that anything may
// have changed.
func readChanges(ctx context.Context, conn *sql.Conn, seq int64, changed func(Change)) (int64, error) {
	changes, last, err := changesAfter(ctx, conn, seq)
	if err != nil {
		return seq, fmt.Errorf("read changes: %w", err)
	}
	if last-seq != int64(len(changes)) {
		changes = []Change{{}}
	}
	for _, c := range changes {
		changed(c)
	}
	return last, nil
}

func changesAfter(ctx context.Context, conn *sql.Conn, seq int64) (changes []Change, last int64, err error) {
	rows, err := conn.QueryContext(ctx, `
		SELECT seq, tbl, key, (SELECT max(seq) FROM changes) FROM changes
		 WHERE seq > $1 ORDER BY seq LIMIT $2`, seq, pollBatch)
	if err != nil {
		return nil, seq, err
	}
	defer func() { _ = rows.Close() }()
	last = seq
	for rows.Next() {
		var one int64
		var c Change
		if err := rows.Scan(&one, &c.Table, &c.Key, &last); err != nil {
			return nil, seq, err
		}
		changes = append(changes, c)
	}
	return changes, last, rows.Err()
}
