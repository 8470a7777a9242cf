package storage

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	changesPeriod  = time.Second
	changesTimeout = 3 * time.Second
	// changesKept is well within the hour after which the schema forgets changes.
	changesKept = 30 * time.Minute
	// tolds and tellsKept bound the memory of what was told already, by the one way or the other.
	tolds     = 10_000
	tellsKept = 10 * time.Second
)

// changeLog hears of changes on PostgreSQL in two ways. It reads what the triggers of the
// schema wrote down, once a second, on whichever connection of the pool is free: that misses
// nothing. And it listens to what they notify: that is sooner, and may fall silent without a
// word. Whatever comes second by the one way is not told again.
type changeLog struct {
	db     *sql.DB
	cfg    *pgx.ConnConfig // to listen with; nil: it does not
	tell   func(Change)
	failed func(error)

	mu          sync.Mutex
	told, older map[string]struct{} // by one of the two ways
	turned      time.Time
}

// watch returns when ctx ends or the changes cannot be read. A connection to listen on that
// is lost it replaces by itself, since nothing is missed without.
func (c *changeLog) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var listening sync.WaitGroup
	defer listening.Wait()
	defer cancel()
	if c.cfg != nil {
		listening.Go(func() { c.listen(ctx) })
	}
	return c.poll(ctx)
}

func (c *changeLog) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := listen(ctx, c.cfg, heartbeat, c.once)
		if ctx.Err() != nil {
			return
		}
		c.report(err)
		select {
		case <-ctx.Done():
		case <-time.After(watchPause):
		}
	}
}

// poll reads what is new, again and again.
func (c *changeLog) poll(ctx context.Context) error {
	position, _, err := c.read(ctx, "")
	if err != nil {
		return err
	}
	c.anything() // what was missed before now is unknown
	tick := time.NewTicker(changesPeriod)
	defer tick.Stop()
	for last := wall(); ; last = wall() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		var found []stamped
		if position, found, err = c.read(ctx, position); err != nil {
			return err
		}
		if len(found) > pollBatch || wall().Sub(last) > changesKept {
			c.anything()
			continue
		}
		for _, one := range found {
			c.once(one)
		}
	}
}

// wall tells the time without the monotonic clock, which may stop while a machine sleeps.
func wall() time.Time { return time.Now().Round(0) }

// stamped is a change and the transaction that made it.
type stamped struct {
	Change
	xact string
}

// read gives what has become visible since a position, a snapshot of the database: the rows
// of transactions that were under way then or began later, and have committed. It gives at
// most one more than pollBatch. Without a position there is nothing before this one. (Rows
// that seem to be from the future were restored from another database.)
func (c *changeLog) read(ctx context.Context, position string) (now string, found []stamped, err error) {
	ctx, cancel := context.WithTimeout(ctx, changesTimeout)
	defer cancel()
	if position == "" {
		err = c.db.QueryRowContext(ctx, `SELECT pg_current_snapshot()`).Scan(&now)
		if err != nil {
			err = fmt.Errorf("look for changes: %w", err)
		}
		return now, nil, err
	}
	rows, err := c.db.QueryContext(ctx, `
		SELECT s.position, c.xact, c.tbl, c.key
		  FROM (SELECT pg_current_snapshot() AS position) s
		  LEFT JOIN changes c ON c.xact >= pg_snapshot_xmin($1) AND NOT pg_visible_in_snapshot(c.xact, $1)
		        AND c.xact < pg_snapshot_xmax(s.position)
		 ORDER BY c.xact LIMIT $2`, position, pollBatch+1)
	if err != nil {
		return "", nil, fmt.Errorf("look for changes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var xact, table, key sql.NullString
		if err := rows.Scan(&now, &xact, &table, &key); err != nil {
			return "", nil, fmt.Errorf("read changes: %w", err)
		}
		if xact.Valid {
			found = append(found, stamped{Change{table.String, key.String}, xact.String})
		}
	}
	if err := rows.Err(); err != nil {
		return "", nil, fmt.Errorf("read changes: %w", err)
	}
	return now, found, nil
}

func (c *changeLog) anything() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell(Change{})
}

func (c *changeLog) report(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed(err)
}

// once tells a change unless it came by the other way before. Where it cannot remember which
// did, it tells again: those who hear forget what they have forgotten already.
func (c *changeLog) once(s stamped) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.told == nil || now.Sub(c.turned) > tellsKept {
		c.told, c.older, c.turned = make(map[string]struct{}), c.told, now
	}
	id := s.xact + ":" + s.Table + ":" + s.Key
	for _, already := range []map[string]struct{}{c.told, c.older} {
		if _, ok := already[id]; ok {
			delete(already, id)
			return
		}
	}
	if len(c.told) < tolds {
		c.told[id] = struct{}{}
	}
	c.tell(s.Change)
}

// forgetChanges deletes what everybody has read.
func forgetChanges(ctx context.Context, s *Store) error {
	for n := int64(sweepBatch); n == sweepBatch; {
		var err error
		n, err = get(ctx, s, "forget changes", scanNumber, `SELECT signet_forget_changes($1)`, sweepBatch)
		if err != nil {
			return err
		}
	}
	return nil
}
