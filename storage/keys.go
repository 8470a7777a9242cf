package storage

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz"
)

const keyColumns = `kid, alg, state, sealed, public_jwk, created_at, activated_at, retired_at, expires_at`

func scanKey(row scanner) (authz.SigningKey, error) {
	var k authz.SigningKey
	err := row.Scan(&k.KID, &k.Alg, &k.State, &k.Sealed, asJSON(&k.PublicJWK),
		into(&k.CreatedAt), into(&k.ActivatedAt), into(&k.RetiredAt), into(&k.ExpiresAt))
	return k, err
}

// SigningKeys lists all signing keys, the oldest first.
func (s *Store) SigningKeys(ctx context.Context) ([]authz.SigningKey, error) {
	return list(ctx, s, "list signing keys", scanKey, `
		SELECT `+keyColumns+` FROM signing_keys ORDER BY created_at, kid`)
}

// InsertSigningKey remembers a new key; authz.ErrConflict when its algorithm has an active
// or a next key already and it would be another.
func (s *Store) InsertSigningKey(ctx context.Context, k authz.SigningKey) error {
	_, err := s.exec(ctx, "insert signing key", `
		INSERT INTO signing_keys (kid, alg, state, sealed, public_jwk, created_at, activated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		k.KID, k.Alg, k.State, k.Sealed, asJSON(&k.PublicJWK), at(k.CreatedAt), at(k.ActivatedAt))
	return err
}

// RotateSigningKey retires the active key old, makes next the active one and remembers
// fresh as the next. authz.ErrNotFound when somebody else has rotated first.
func (s *Store) RotateSigningKey(ctx context.Context, old, next string, fresh authz.SigningKey, now, oldExpires time.Time) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		err := s.exec1(ctx, "retire signing key", `
			UPDATE signing_keys SET state = 'retired', retired_at = $2, expires_at = $3
			 WHERE kid = $1 AND state = 'active'`, old, at(now), at(oldExpires))
		if err != nil {
			return err
		}
		return s.activateSigningKey(ctx, next, fresh, now)
	})
}

// ReplaceSigningKey forgets the active key old and the retired ones of its algorithm, makes
// next the active one and remembers fresh as the next. authz.ErrNotFound when somebody else
// has rotated first.
func (s *Store) ReplaceSigningKey(ctx context.Context, old, next string, fresh authz.SigningKey, now time.Time) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		err := s.exec1(ctx, "withdraw signing key", `
			DELETE FROM signing_keys WHERE kid = $1 AND state = 'active'`, old)
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, "withdraw retired signing keys", `
			DELETE FROM signing_keys WHERE alg = $1 AND state = 'retired'`, fresh.Alg)
		if err != nil {
			return err
		}
		return s.activateSigningKey(ctx, next, fresh, now)
	})
}

func (s *Store) activateSigningKey(ctx context.Context, next string, fresh authz.SigningKey, now time.Time) error {
	err := s.exec1(ctx, "activate signing key", `
		UPDATE signing_keys SET state = 'active', activated_at = $2
		 WHERE kid = $1 AND state = 'next'`, next, at(now))
	if err != nil {
		return err
	}
	return s.InsertSigningKey(ctx, fresh)
}

// DeleteExpiredKeys forgets retired keys that nothing unexpired was signed with.
func (s *Store) DeleteExpiredKeys(ctx context.Context, now time.Time) (int64, error) {
	return s.exec(ctx, "delete expired keys", `
		DELETE FROM signing_keys WHERE state = 'retired' AND expires_at < $1`, at(now))
}
