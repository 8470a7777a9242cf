package storage

import (
	"context"
	"database/sql"
)

// engine holds all that differs between the databases.
type engine struct {
	name string
	// isConflict reports that a unique name is taken.
	isConflict func(error) bool
	// watch calls changed for every change that another process, or this one, commits;
	// it returns when ctx ends or the connection is lost.
	watch func(ctx context.Context, s *Store, changed func(Change)) error
}

// querier is what a statement runs on: the pool, or the transaction the context carries.
type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}
