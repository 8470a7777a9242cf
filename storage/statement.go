package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/signet-auth/signet/authz"
)

// scanner is a row being read: *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

// exec runs a statement and returns the number of rows it changed. A taken unique name is
// authz.ErrConflict.
func (s *Store) exec(ctx context.Context, what, statement string, args ...any) (int64, error) {
	s.count(statement)
	result, err := s.q(ctx).ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, s.wrap(what, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, s.wrap(what, err)
	}
	return n, nil
}

// exec1 runs a statement that must change a row; authz.ErrNotFound when none met the
// condition.
func (s *Store) exec1(ctx context.Context, what, statement string, args ...any) error {
	n, err := s.exec(ctx, what, statement, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w", what, authz.ErrNotFound)
	}
	return err
}

// get reads one row; authz.ErrNotFound when there is none.
func get[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), statement string, args ...any) (T, error) {
	s.count(statement)
	out, err := scan(s.q(ctx).QueryRowContext(ctx, statement, args...))
	if err != nil {
		var none T
		return none, s.wrap(what, err)
	}
	return out, nil
}

// list reads all rows of a statement that is bounded by itself.
func list[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), statement string, args ...any) ([]T, error) {
	s.count(statement)
	rows, err := s.q(ctx).QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, s.wrap(what, err)
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, s.wrap(what, err)
		}
		out = append(out, one)
	}
	if err := rows.Err(); err != nil {
		return nil, s.wrap(what, err)
	}
	return out, nil
}

func (s *Store) wrap(what string, err error) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", what, authz.ErrNotFound)
	case s.engine.isConflict(err):
		return fmt.Errorf("%s: %w", what, authz.ErrConflict)
	}
	return fmt.Errorf("%s: %w", what, err)
}
