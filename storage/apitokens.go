package storage

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz"
)

const apiTokenColumns = `t.id, t.hash, t.user_id, t.made_by, t.name, t.api, t.scopes, t.networks, t.created_at, t.expires_at,
	t.last_used_at, t.last_address, t.last_agent, t.revoked_at, t.revoke_reason, t.status_index`

func apiTokenDestinations(v *authz.APIToken) []any {
	return []any{&v.ID, &v.Hash, &v.UserID, &v.MadeBy, &v.Name, &v.API, scopes{&v.Scopes}, asJSON(&v.Networks),
		into(&v.CreatedAt), into(&v.ExpiresAt), into(&v.LastUsedAt), &v.LastAddress, &v.LastAgent,
		into(&v.RevokedAt), &v.RevokeReason, &v.StatusIndex}
}

func scanAPIToken(row scanner) (*authz.APIToken, error) {
	var v authz.APIToken
	err := row.Scan(apiTokenDestinations(&v)...)
	return &v, err
}

// InsertAPIToken remembers a new API token.
func (s *Store) InsertAPIToken(ctx context.Context, v *authz.APIToken) error {
	_, err := s.exec(ctx, "insert api token", `
		INSERT INTO api_tokens (id, hash, user_id, made_by, name, api, scopes, networks, created_at, expires_at,
			last_address, last_agent, revoke_reason, status_index)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', '', $11)`,
		v.ID, v.Hash, v.UserID, v.MadeBy, v.Name, v.API, v.Scopes.String(), asJSON(&v.Networks),
		at(v.CreatedAt), at(v.ExpiresAt), v.StatusIndex)
	return err
}

// AddAPIToken remembers a new API token unless its owner has limit live ones, and reports
// whether there was room. The owner's row stays locked until the token is committed, so that
// no number of requests at once makes more. authz.ErrNotFound when the owner is gone or
// disabled, or what makes the token may not act for them any more.
func (s *Store) AddAPIToken(ctx context.Context, v *authz.APIToken, limit int) (room bool, err error) {
	err = s.InTx(ctx, func(ctx context.Context) error {
		if err := s.holdOwner(ctx, v.UserID); err != nil {
			return err
		}
		n, err := s.exec(ctx, "add api token", `
			INSERT INTO api_tokens (id, hash, user_id, made_by, name, api, scopes, networks, created_at, expires_at,
				last_address, last_agent, revoke_reason, status_index)
			SELECT $1, $2, users.id, $4, $5, $6, $7, $8, $9, $10, '', '', '', $11
			  FROM users WHERE users.id = $3
			   AND (SELECT count(*) FROM api_tokens t
			         WHERE t.user_id = $3 AND t.revoked_at IS NULL AND t.expires_at > $9) < $12`,
			v.ID, v.Hash, v.UserID, v.MadeBy, v.Name, v.API, v.Scopes.String(), asJSON(&v.Networks),
			at(v.CreatedAt), at(v.ExpiresAt), v.StatusIndex, limit)
		if room = n == 1; err != nil || !room {
			return err
		}
		return s.vouch(ctx, v)
	})
	return room, err
}

// holdOwner locks the row of a person, so that their API tokens are made and revoked one
// after the other. authz.ErrNotFound when they are gone or disabled.
func (s *Store) holdOwner(ctx context.Context, userID string) error {
	return s.exec1(ctx, "hold owner of api token", `
		UPDATE users SET version = version WHERE id = $1 AND disabled_at IS NULL`, userID)
}

// vouch locks what has made a token, or is authz.ErrNotFound: a client must be enabled and
// have a live grant of the person, an API token must be theirs and live for as long. Who
// revokes what it made waits, and finds the new token then.
func (s *Store) vouch(ctx context.Context, v *authz.APIToken) error {
	switch {
	case v.MadeBy == "":
		return nil
	case authz.IsAPIToken(v.MadeBy):
		return s.exec1(ctx, "hold api token that makes another", `
			UPDATE api_tokens SET made_by = made_by
			 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3 AND expires_at >= $4`,
			v.MadeBy, v.UserID, at(v.CreatedAt), at(v.ExpiresAt))
	}
	return s.exec1(ctx, "hold client that makes an api token", `
		UPDATE clients SET version = version
		 WHERE id = $1 AND disabled_at IS NULL
		   AND EXISTS (SELECT 1 FROM grants WHERE user_id = $2 AND client_id = $1 AND code_used_at IS NOT NULL
		                  AND revoked_at IS NULL AND expires_at > $3)`,
		v.MadeBy, v.UserID, at(v.CreatedAt))
}

// LiveAPIToken reads a token that has neither expired nor been revoked, and the enabled
// person whose it is, in one statement.
func (s *Store) LiveAPIToken(ctx context.Context, id string, now time.Time) (*authz.APIToken, *authz.User, error) {
	type pair struct {
		token *authz.APIToken
		user  *authz.User
	}
	scan := func(row scanner) (pair, error) {
		p := pair{new(authz.APIToken), new(authz.User)}
		err := row.Scan(append(apiTokenDestinations(p.token), userDestinations(p.user)...)...)
		return p, err
	}
	p, err := get(ctx, s, "read live api token", scan, `
		SELECT `+apiTokenColumns+`, u.id, u.username, u.email, u.email_verified, u.profile, u.roles,
		       u.disabled_at, u.created_at, u.updated_at, u.version
		  FROM api_tokens t JOIN users u ON u.id = t.user_id
		 WHERE t.id = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND u.disabled_at IS NULL`, id, at(now))
	return p.token, p.user, err
}

// APIToken reads a token, whatever its state.
func (s *Store) APIToken(ctx context.Context, id string) (*authz.APIToken, error) {
	return get(ctx, s, "read api token", scanAPIToken, `
		SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.id = $1`, id)
}

// APITokensOfUser lists the tokens of a person, the newest first, with those that have
// ended since a given time.
func (s *Store) APITokensOfUser(ctx context.Context, userID string, endedSince time.Time) ([]*authz.APIToken, error) {
	return list(ctx, s, "list api tokens of user", scanAPIToken, `
		SELECT `+apiTokenColumns+` FROM api_tokens t
		 WHERE t.user_id = $1 AND t.expires_at > $2 AND (t.revoked_at IS NULL OR t.revoked_at > $2)
		 ORDER BY t.created_at DESC, t.id LIMIT 500`, userID, at(endedSince))
}

// APITokens lists all tokens by id, those after a given one.
func (s *Store) APITokens(ctx context.Context, after string, limit int) ([]*authz.APIToken, error) {
	return list(ctx, s, "list api tokens", scanAPIToken, `
		SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.id > $1 ORDER BY t.id LIMIT $2`, after, limit)
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

// RevokeAPITokensMadeBy revokes the live tokens that a client has made of a person, or of
// everybody when none is named, with those that they made, and tells how many there were.
// In a transaction that disables or deletes the client it comes after that.
func (s *Store) RevokeAPITokensMadeBy(ctx context.Context, clientID, userID, reason string, now time.Time) (int64, error) {
	var total int64
	err := s.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, "hold owner of api tokens", `
			UPDATE users SET version = version WHERE id = $1`, userID); err != nil {
			return err
		}
		for n := int64(1); n > 0; total += n { // until none was made while it waited for one
			var err error
			if n, err = s.revokeMadeBy(ctx, clientID, userID, reason, now); err != nil {
				return err
			}
		}
		return nil
	})
	return total, err
}

func (s *Store) revokeMadeBy(ctx context.Context, clientID, userID, reason string, now time.Time) (int64, error) {
	return s.exec(ctx, "revoke api tokens made by client", `
		WITH RECURSIVE gone (id) AS (
			SELECT id FROM api_tokens WHERE made_by = $1 AND made_by <> '' AND ($2 = '' OR user_id = $2)
			UNION
			SELECT t.id FROM api_tokens t JOIN gone ON t.made_by = gone.id WHERE t.made_by <> '')
		UPDATE api_tokens SET revoked_at = $4, revoke_reason = $3
		 WHERE id IN (SELECT id FROM gone) AND revoked_at IS NULL AND expires_at > $4`,
		clientID, userID, reason, at(now))
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

// NoteTokenUse writes down when, from where and with what a token was used last.
func (s *Store) NoteTokenUse(ctx context.Context, u authz.TokenUse) error {
	_, err := s.exec(ctx, "note token use", `
		UPDATE api_tokens SET last_used_at = $2, last_address = $3, last_agent = $4
		 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`,
		u.TokenID, at(u.At), plain(u.Address), plain(u.Agent))
	return err
}
