package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
)

// txKey is where a context carries the transaction of one store.
type txKey struct{ store *Store }

// transaction remembers the first failure in it. PostgreSQL lets nothing follow a failed
// statement, SQLite goes on: here both refuse to commit.
type transaction struct {
	*sql.Tx
	failure atomic.Pointer[error]
}

func (t *transaction) fail(err error) { t.failure.CompareAndSwap(nil, &err) }

// transaction gives the transaction of this context; nil outside of one.
func (s *Store) transaction(ctx context.Context) *transaction {
	t, _ := ctx.Value(txKey{s}).(*transaction)
	return t
}

// q is what the statements of this context run on.
func (s *Store) q(ctx context.Context) querier {
	if t := s.transaction(ctx); t != nil {
		return t
	}
	return s.db
}

// InTx runs fn in a transaction: all that it writes with the context it is given is
// committed together, or not at all when fn returns an error, panics, or goes on after a
// statement that failed. Inside of a transaction it joins it; what fails there fails the
// whole.
func (s *Store) InTx(ctx context.Context, fn func(context.Context) error) error {
	if joined := s.transaction(ctx); joined != nil {
		err := fn(ctx)
		if err != nil {
			joined.fail(err)
		}
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	done, err := s.engine.turn(ctx)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer done()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	t := &transaction{Tx: tx}
	if err := fn(context.WithValue(ctx, txKey{s}, t)); err != nil {
		return err
	}
	if failure := t.failure.Load(); failure != nil {
		return fmt.Errorf("commit transaction in which something failed: %w", *failure)
	}
	return t.commit(ctx)
}

func (t *transaction) commit(ctx context.Context) error {
	err := t.Commit()
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		err = ctx.Err() // database/sql rolled back by itself when the context ended
	}
	if err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}
