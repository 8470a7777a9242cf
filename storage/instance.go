package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

// ClaimInstance remembers a value of the server under a name, once: authz.ErrConflict when
// there is one already.
func (s *Store) ClaimInstance(ctx context.Context, name string, value []byte, now time.Time) error {
	n, err := s.exec(ctx, "claim instance value", `
		INSERT INTO instance (name, value, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO NOTHING`, name, value, at(now))
	if err == nil && n == 0 {
		return fmt.Errorf("claim instance value: %w", authz.ErrConflict)
	}
	return err
}

// Instance reads a value of the server.
func (s *Store) Instance(ctx context.Context, name string) ([]byte, error) {
	scan := func(row scanner) ([]byte, error) {
		var v []byte
		err := row.Scan(&v)
		return v, err
	}
	return get(ctx, s, "read instance value", scan, `SELECT value FROM instance WHERE name = $1`, name)
}
