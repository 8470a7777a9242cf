package storage

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz"
)

// ReplaceAPIToken notes which token takes the place of a live one of a person: once, of any
// number of requests. When the old one ends, and the new one itself, are for others of the
// same transaction. authz.ErrNotFound when they have no such live token, or it was replaced
// before.
func (s *Store) ReplaceAPIToken(ctx context.Context, id, userID, by string, now time.Time) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		if err := s.holdOwner(ctx, userID); err != nil {
			return err
		}
		return s.exec1(ctx, "replace api token", `
			UPDATE api_tokens SET replaced_by = $3
			 WHERE id = $1 AND user_id = $2 AND replaced_by = '' AND revoked_at IS NULL AND expires_at > $4`,
			id, userID, by, at(now))
	})
}

// RevokeAPIToken revokes a token of a person, or of anybody when none is named, with those
// that it made and that they made, and tells how many were revoked: 0 when it was not live.
// What has expired is left as it is: its place in the status lists may be another's by now.
func (s *Store) RevokeAPIToken(ctx context.Context, id, userID, reason string, now time.Time) (n int64, err error) {
	err = s.InTx(ctx, func(ctx context.Context) error {
		// The owner's row, so that no token is made by one of these at the same time.
		if _, err := s.exec(ctx, "hold owner of api token", `
			UPDATE users SET version = version
			 WHERE id = (SELECT user_id FROM api_tokens WHERE api_tokens.id = $1)`, id); err != nil {
			return err
		}
		n, err = s.exec(ctx, "revoke api token", `
			WITH RECURSIVE gone (id) AS (
				SELECT id FROM api_tokens
				 WHERE id = $1 AND ($2 = '' OR user_id = $2) AND revoked_at IS NULL AND expires_at > $4
				UNION
				SELECT t.id FROM api_tokens t JOIN gone ON t.made_by = gone.id WHERE t.made_by <> '')
			UPDATE api_tokens SET revoked_at = $4, revoke_reason = CASE WHEN id = $1 THEN $3 ELSE $5 END
			 WHERE id IN (SELECT id FROM gone) AND revoked_at IS NULL AND expires_at > $4`,
			id, userID, reason, at(now), authz.RevokedWithMaker)
		return err
	})
	return n, err
}

// RevokeAPITokensMadeBy revokes the live tokens that a client has made of a person, with
// those that they made, and tells how many there were.
func (s *Store) RevokeAPITokensMadeBy(ctx context.Context, clientID, userID, reason string, now time.Time) (n int64, err error) {
	err = s.InTx(ctx, func(ctx context.Context) error {
		// The person's row, so that no such token is made at the same time.
		if _, err := s.exec(ctx, "hold owner of api tokens", `
			UPDATE users SET version = version WHERE id = $1`, userID); err != nil {
			return err
		}
		n, err = s.exec(ctx, "revoke api tokens made by client", `
			UPDATE api_tokens SET revoked_at = $4, revoke_reason = $3
			 WHERE client_id = $1 AND client_id <> '' AND user_id = $2 AND revoked_at IS NULL AND expires_at > $4`,
			clientID, userID, reason, at(now))
		return err
	})
	return n, err
}

// EndAPITokensOf revokes the live tokens that a disabled client has made of everybody, with
// those that they made, and tells how many it revoked, and whether that was all. There may be
// very many: what is left then is revoked by Sweep.
func (s *Store) EndAPITokensOf(ctx context.Context, clientID string, now time.Time) (n int64, all bool, err error) {
	if n, err = s.revokeMadeBy(ctx, clientID, atOnce, now); err != nil {
		return n, false, err
	}
	left, err := s.madeByLeft(ctx, clientID, now)
	return n, err == nil && !left, err
}

// revokeMadeBy revokes what a client has made, if it is disabled at that moment, in batches.
func (s *Store) revokeMadeBy(ctx context.Context, clientID string, batches int, now time.Time) (int64, error) {
	return s.batches(ctx, batches, `
		UPDATE api_tokens SET revoked_at = $3, revoke_reason = $2
		 WHERE revoked_at IS NULL AND id IN
			(SELECT id FROM api_tokens
			  WHERE client_id BETWEEN $1 AND $1 AND revoked_at IS NULL AND expires_at > $3
			    AND (SELECT disabled_at FROM clients WHERE clients.id = $1) IS NOT NULL
			  ORDER BY client_id LIMIT $4)`, clientID, authz.RevokedByAdmin, at(now))
}

// madeByLeft reports whether a live token is left that a client has made.
func (s *Store) madeByLeft(ctx context.Context, clientID string, now time.Time) (bool, error) {
	left, err := list(ctx, s, "look for api tokens made by client", scanText, `
		SELECT id FROM api_tokens
		 WHERE client_id BETWEEN $1 AND $1 AND revoked_at IS NULL AND expires_at > $2
		 ORDER BY client_id LIMIT 1`, clientID, at(now))
	return len(left) > 0, err
}

// RevokeAPITokensOfUser revokes every live token of a person.
func (s *Store) RevokeAPITokensOfUser(ctx context.Context, userID, reason string, now time.Time) (int64, error) {
	return s.exec(ctx, "revoke api tokens of user", `
		UPDATE api_tokens SET revoked_at = $3, revoke_reason = $2
		 WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $3`, userID, reason, at(now))
}

// ShortenAPIToken lets a live token of a person end at until, if it does not end before, and
// with it those that it made and that they made: none outlives what made it.
// authz.ErrNotFound when they have no such live token.
func (s *Store) ShortenAPIToken(ctx context.Context, id, userID string, now, until time.Time) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		if err := s.holdOwner(ctx, userID); err != nil {
			return err
		}
		return s.exec1(ctx, "shorten api token", `
			WITH RECURSIVE made (id) AS (
				SELECT id FROM api_tokens WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3
				UNION
				SELECT t.id FROM api_tokens t JOIN made ON t.made_by = made.id WHERE t.made_by <> '')
			UPDATE api_tokens SET expires_at = CASE WHEN expires_at > $4 THEN $4 ELSE expires_at END
			 WHERE id IN (SELECT id FROM made) AND (id = $1 OR expires_at > $4) AND revoked_at IS NULL AND expires_at > $3`,
			id, userID, at(now), at(until))
	})
}
