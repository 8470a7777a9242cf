package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

// RevokeToken remembers until its expiry that one access token is revoked. Revoking twice
// is fine.
func (s *Store) RevokeToken(ctx context.Context, jti string, now, expires time.Time) error {
	_, err := s.exec(ctx, "revoke token", `
		INSERT INTO revoked_tokens (jti, revoked_at, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (jti) DO NOTHING`, jti, at(now), at(expires))
	return err
}

// TokenRevoked reports whether an access token was revoked by itself.
func (s *Store) TokenRevoked(ctx context.Context, jti string) (bool, error) {
	scan := func(row scanner) (int, error) {
		var one int
		err := row.Scan(&one)
		return one, err
	}
	_, err := get(ctx, s, "look for revoked token", scan, `
		SELECT 1 FROM revoked_tokens WHERE jti = $1`, jti)
	if errors.Is(err, authz.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Consume notes that a value which may be used once has been used; authz.ErrReplay when it
// was noted before and had not expired. One statement decides.
func (s *Store) Consume(ctx context.Context, kind, issuer string, jtiHash []byte, now, expires time.Time) error {
	n, err := s.exec(ctx, "consume value", `
		INSERT INTO replays (kind, issuer, jti_hash, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, issuer, jti_hash) DO UPDATE SET expires_at = excluded.expires_at
		 WHERE replays.expires_at < $5`, kind, issuer, jtiHash, at(expires), at(now))
	if err == nil && n == 0 {
		return fmt.Errorf("consume value: %w", authz.ErrReplay)
	}
	return err
}
