package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	defaultPostgresConns = 16
	heartbeat            = 15 * time.Second
	// connectTimeout and pingTimeout bound what a pool does by itself, and so how long a
	// server that hangs takes a place in it. A connection that lay idle is pinged first.
	connectTimeout = 5 * time.Second
	pingTimeout    = 2 * time.Second
)

func openPostgres(ctx context.Context, url string, set settings) (*Store, error) {
	cfg, err := poolConfig(url, set)
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	return &Store{
		db: db,
		engine: engine{
			name:         "postgres",
			isConflict:   isState("23505"),
			isOrphan:     isState("23503"),
			isUnstorable: isState("22", "54000"), // no such text, number or date; too long for an index
			isDeadlock:   isState("40P01"),
			turn:         func(context.Context) (func(), error) { return func() {}, nil },
			watch: func(ctx context.Context, changed func(Change), failed func(error)) error {
				c := changeLog{db: db, tell: changed, failed: failed}
				if !set.deaf {
					c.cfg = cfg.ConnConfig
				}
				return c.watch(ctx)
			},
			forgetChanges: forgetChanges,
		},
		close: func() error {
			err := db.Close() // does not close the pool
			pool.Close()
			return err
		},
	}, nil
}

// poolConfig reads a URL, and says what it leaves open.
func poolConfig(url string, set settings) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = defaultPostgresConns
	}
	if set.maxConns > 0 {
		cfg.MaxConns = int32(set.maxConns)
	}
	if cfg.ConnConfig.ConnectTimeout <= 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	if cfg.PingTimeout <= 0 {
		cfg.PingTimeout = pingTimeout
	}
	return cfg, nil
}

// isState recognises errors by their SQLSTATE, or the class with which it begins.
func isState(prefixes ...string) func(error) bool {
	return func(err error) bool {
		var pg *pgconn.PgError
		return errors.As(err, &pg) && slices.ContainsFunc(prefixes, func(prefix string) bool {
			return strings.HasPrefix(pg.Code, prefix)
		})
	}
}

// listen hands on the notifications that the triggers of the schema send. When none came
// for the length of a beat it asks whether the server is still there: a connection that a
// network has dropped without a word would otherwise be waited on for ever.
func listen(ctx context.Context, cfg *pgx.ConnConfig, beat time.Duration, heard func(stamped)) error {
	conn, err := pgx.ConnectConfig(ctx, cfg.Copy())
	if err != nil {
		return fmt.Errorf("connect to listen: %w", err)
	}
	defer hangUp(ctx, conn, beat)
	if err := subscribe(ctx, conn, beat); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	for {
		n, err := next(ctx, conn, beat)
		if err != nil {
			return fmt.Errorf("wait for notification: %w", err)
		}
		if n == nil {
			continue
		}
		xact, change, _ := strings.Cut(n.Payload, ":")
		table, key, _ := strings.Cut(change, ":")
		heard(stamped{Change{Table: table, Key: key}, xact})
	}
}

func subscribe(ctx context.Context, conn *pgx.Conn, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := conn.Exec(ctx, `LISTEN signet`)
	return err
}

// hangUp closes a connection, saying goodbye if the server takes it.
func hangUp(ctx context.Context, conn *pgx.Conn, within time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	_ = conn.Close(ctx)
}

// next waits for a notification; nil when none came but the server answers.
func next(ctx context.Context, conn *pgx.Conn, beat time.Duration) (*pgconn.Notification, error) {
	waiting, cancel := context.WithTimeout(ctx, beat)
	defer cancel()
	n, err := conn.WaitForNotification(waiting)
	if err == nil || waiting.Err() == nil || ctx.Err() != nil {
		return n, err
	}
	asking, cancel := context.WithTimeout(ctx, beat)
	defer cancel()
	return nil, conn.Ping(asking)
}

// ServerMessage gives what a PostgreSQL server said when it refused, without the driver's
// account of its attempts; empty when an error is not a server's.
func ServerMessage(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Message
	}
	return ""
}
