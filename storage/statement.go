package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// scanner is a row being read: *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

// exec runs a statement and returns the number of rows it changed. A taken unique name is
// authz.ErrConflict, a row that refers to one that is gone authz.ErrNotFound, and a value
// that no database can hold an *authz.InvalidError.
func (s *Store) exec(ctx context.Context, what, statement string, args ...any) (int64, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	q, done, err := s.begin(ctx, statement, args)
	if err != nil {
		return 0, s.wrap(ctx, what, err)
	}
	defer done()
	result, err := q.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, s.wrap(ctx, what, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, s.wrap(ctx, what, err)
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
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var none T
	q, done, err := s.begin(ctx, statement, args)
	if errors.Is(err, errUnstorable) {
		err = sql.ErrNoRows // nothing that is stored can be like it
	}
	if err != nil {
		return none, s.wrap(ctx, what, err)
	}
	defer done()
	out, err := scan(q.QueryRowContext(ctx, statement, args...))
	if err != nil {
		return none, s.wrap(ctx, what, err)
	}
	return out, nil
}

// scanNumber reads the one column of a row.
func scanNumber(row scanner) (n int64, err error) {
	err = row.Scan(&n)
	return n, err
}

// scanText does so with one of text.
func scanText(row scanner) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}

// list reads all rows of a statement that is bounded by itself.
func list[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), statement string, args ...any) ([]T, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	q, done, err := s.begin(ctx, statement, args)
	if err != nil {
		return nil, s.wrap(ctx, what, err)
	}
	defer done()
	rows, err := q.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, s.wrap(ctx, what, err)
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, s.wrap(ctx, what, err)
		}
		out = append(out, one)
	}
	if err := rows.Err(); err != nil {
		return nil, s.wrap(ctx, what, err)
	}
	return out, nil
}

// begin gives what a statement runs on, and what to call when it is over. A transaction
// has had its turn to write already.
func (s *Store) begin(ctx context.Context, statement string, args []any) (querier, func(), error) {
	s.count(statement)
	if err := storable(args); err != nil {
		return nil, nil, err
	}
	if t := s.transaction(ctx); t != nil {
		return t, func() {}, nil
	}
	if isRead(statement) {
		return s.db, func() {}, nil
	}
	done, err := s.engine.turn(ctx)
	return s.db, done, err
}

func isRead(statement string) bool {
	return strings.HasPrefix(strings.TrimLeft(statement, " \n\t"), "SELECT")
}

// wrap gives an error its name, and what the callers decide by. Whatever is not a refusal
// by the data ends the transaction that it happened in.
func (s *Store) wrap(ctx context.Context, what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", what, authz.ErrNotFound)
	}
	switch {
	case s.engine.isConflict(err):
		err = authz.ErrConflict
	case s.engine.isOrphan(err):
		err = authz.ErrNotFound
	case errors.Is(err, errUnstorable) || s.engine.isUnstorable(err):
		err = errUnstorable
	}
	err = fmt.Errorf("%s: %w", what, err)
	if t := s.transaction(ctx); t != nil {
		t.fail(err)
	}
	return err
}
