package storage

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Store is the memory of the server. It is safe for use by many goroutines.
type Store struct {
	db      *sql.DB
	engine  engine
	timeout time.Duration
	close   func() error
	count   func(statement string)
}

// defaultTimeout is far more than any statement here takes, the sweep's batches and a batch
// of events among them, and short enough that what a dead connection held up goes on soon.
const defaultTimeout = 10 * time.Second

// Option changes how a Store is opened.
type Option func(*settings)

type settings struct {
	maxConns int
	timeout  time.Duration
	deaf     bool
	count    func(string)
}

// WithMaxConns limits the number of connections. The default is 16 on PostgreSQL and 8 on
// SQLite, where one writes at a time while the others read. Watch has one more of its own.
func WithMaxConns(n int) Option { return func(s *settings) { s.maxConns = n } }

// WithoutListening has Watch rely on what it reads once a second: on PostgreSQL it opens no
// connection to be notified on, which comes to nothing behind a proxy that pools connections
// by transaction.
func WithoutListening() Option { return func(s *settings) { s.deaf = true } }

// WithStatementCounter has fn called with every statement before it runs; it must be
// safe for concurrent use.
func WithStatementCounter(fn func(statement string)) Option {
	return func(s *settings) { s.count = fn }
}

// WithTimeout bounds every statement and transaction whose context has no deadline: a
// database that hangs, and does not fail, holds nobody up for ever. The default is 10
// seconds.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// IsPostgres reports whether a database URL names PostgreSQL; else it is the path of an
// SQLite file.
func IsPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// Open opens the database at url: postgres://…, or the path of an SQLite file. It does not
// migrate. The error of an unreachable database wraps the driver's.
func Open(ctx context.Context, url string, options ...Option) (*Store, error) {
	set := settings{count: func(string) {}, timeout: defaultTimeout}
	for _, o := range options {
		o(&set)
	}
	open := openSQLite
	if IsPostgres(url) {
		open = openPostgres
	}
	s, err := open(ctx, url, set)
	if err != nil {
		return nil, err
	}
	s.count, s.timeout = set.count, set.timeout
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// Ping asks whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var one int
	if err := s.q(ctx).QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	return nil
}

// bounded gives a context that ends, which that of a request does by itself. The caller
// calls cancel when it is done.
func (s *Store) bounded(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.timeout)
}

// Engine names the database: "postgres" or "sqlite".
func (s *Store) Engine() string { return s.engine.name }

// Close waits for running statements and closes all connections.
func (s *Store) Close() error { return s.close() }
