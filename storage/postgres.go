package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const defaultPostgresConns = 16

func openPostgres(ctx context.Context, url string, set settings) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = defaultPostgresConns
	}
	if set.maxConns > 0 {
		cfg.MaxConns = int32(set.maxConns)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	return &Store{
		db: db,
		engine: engine{
			name:       "postgres",
			isConflict: isUniqueViolation,
			watch: func(ctx context.Context, _ *Store, changed func(Change)) error {
				return listen(ctx, cfg.ConnConfig, changed)
			},
		},
		close: func() error {
			err := db.Close() // does not close the pool
			pool.Close()
			return err
		},
	}, nil
}

func isUniqueViolation(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// listen hands on the notifications that the triggers of the schema send.
func listen(ctx context.Context, cfg *pgx.ConnConfig, changed func(Change)) error {
	conn, err := pgx.ConnectConfig(ctx, cfg.Copy())
	if err != nil {
		return fmt.Errorf("connect to listen: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN signet`); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	changed(Change{}) // what was missed before now is unknown
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("wait for notification: %w", err)
		}
		table, key, _ := strings.Cut(n.Payload, ":")
		changed(Change{Table: table, Key: key})
	}
}
