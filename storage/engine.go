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
	// isOrphan reports that a row refers to one that does not exist.
	isOrphan func(error) bool
	// isUnstorable reports that the database can hold no such value.
	isUnstorable func(error) bool
	// isDeadlock reports that others locked the same rows in another order. It is over once
	// it is reported.
	isDeadlock func(error) bool
	// turn waits until the caller may write, where one writes at a time. The caller calls
	// done when it has.
	turn func(ctx context.Context) (done func(), err error)
	// watch calls changed for every change that another process, or this one, commits; it
	// returns when ctx ends or changes may have been missed. What is slower but misses
	// nothing without it is reported to failed. It calls one of the two at a time.
	watch func(ctx context.Context, changed func(Change), failed func(error)) error
	// forgetChanges deletes changes that were read; nil where they go by themselves.
	forgetChanges func(ctx context.Context, s *Store) error
}

// querier is what a statement runs on: the pool, or the transaction the context carries.
type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}
