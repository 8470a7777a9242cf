package storage

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Store is the memory of the server. It is safe for use by many goroutines.
type Store struct {
	db     *sql.DB
	engine engine
	close  func() error
	count  func(statement string)
}

// Option changes how a Store is opened.
type Option func(*settings)

type settings struct {
	maxConns int
	count    func(string)
}

// WithMaxConns limits the number of connections. The default is 16 on PostgreSQL and 8 on
// SQLite, where one writes at a time while the others read. Watch has one more of its own.
func WithMaxConns(n int) Option { return func(s *settings) { s.maxConns = n } }

// WithStatementCounter has fn called with every statement before it runs; it must be
// safe for concurrent use.
func WithStatementCounter(fn func(statement string)) Option {
	return func(s *settings) { s.count = fn }
}

// IsPostgres reports whether a database URL names PostgreSQL; else it is the path of an
// SQLite file.
func IsPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// Open opens the database at url: postgres://…, or the path of an SQLite file. It does not
// migrate. The error of an unreachable database wraps the driver's.
func Open(ctx context.Context, url string, options ...Option) (*Store, error) {
	set := settings{count: func(string) {}}
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
	s.count = set.count
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// Ping asks whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.q(ctx).QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	return nil
}

// Engine names the database: "postgres" or "sqlite".
func (s *Store) Engine() string { return s.engine.name }

// Close waits for running statements and closes all connections.
func (s *Store) Close() error { return s.close() }
