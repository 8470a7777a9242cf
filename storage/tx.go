package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

type txKey struct{}

// q is what the statements of this context run on.
func (s *Store) q(ctx context.Context) querier {
	if tx, ok := ctx.Value(txKey{}).(*sql.Tx); ok {
		return tx
	}
	return s.db
}

// InTx runs fn in a transaction: all that it writes with the context it is given is
// committed together, or not at all when fn returns an error. Inside of a transaction it
// joins it.
func (s *Store) InTx(ctx context.Context, fn func(context.Context) error) error {
	if _, joined := ctx.Value(txKey{}).(*sql.Tx); joined {
		return fn(ctx)
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := fn(context.WithValue(ctx, txKey{}, tx)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}
