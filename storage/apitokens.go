package storage

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz"
)

const apiTokenColumns = `t.id, t.hash, t.user_id, t.name, t.api, t.scopes, t.networks, t.created_at, t.expires_at,
	t.last_used_at, t.last_address, t.last_agent, t.revoked_at, t.revoke_reason, t.status_index`

func apiTokenDestinations(v *authz.APIToken) []any {
	return []any{&v.ID, &v.Hash, &v.UserID, &v.Name, &v.API, scopes{&v.Scopes}, asJSON(&v.Networks),
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
		INSERT INTO api_tokens (id, hash, user_id, name, api, scopes, networks, created_at, expires_at,
			last_address, last_agent, revoke_reason, status_index)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', '', $10)`,
		v.ID, v.Hash, v.UserID, v.Name, v.API, v.Scopes.String(), asJSON(&v.Networks),
		at(v.CreatedAt), at(v.ExpiresAt), v.StatusIndex)
	return err
}

// AddAPIToken remembers a new API token unless its owner has limit live ones, and reports
// whether there was room. The owner's row stays locked until the token is committed, so that
// no number of requests at once makes more. authz.ErrNotFound when the owner is gone or
// disabled.
func (s *Store) AddAPIToken(ctx context.Context, v *authz.APIToken, limit int) (room bool, err error) {
	err = s.InTx(ctx, func(ctx context.Context) error {
		if err := s.exec1(ctx, "hold owner of api token", `
			UPDATE users SET version = version WHERE id = $1 AND disabled_at IS NULL`, v.UserID); err != nil {
			return err
		}
		n, err := s.exec(ctx, "add api token", `
			INSERT INTO api_tokens (id, hash, user_id, name, api, scopes, networks, created_at, expires_at,
				last_address, last_agent, revoke_reason, status_index)
			SELECT $1, $2, users.id, $4, $5, $6, $7, $8, $9, '', '', '', $10
			  FROM users WHERE users.id = $3
			   AND (SELECT count(*) FROM api_tokens t
			         WHERE t.user_id = $3 AND t.revoked_at IS NULL AND t.expires_at > $8) < $11`,
			v.ID, v.Hash, v.UserID, v.Name, v.API, v.Scopes.String(), asJSON(&v.Networks),
			at(v.CreatedAt), at(v.ExpiresAt), v.StatusIndex, limit)
		room = n == 1
		return err
	})
	return room, err
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

// RevokeAPIToken revokes a token of a person, or of anybody when none is named, and tells
// how many were revoked: 0 when it was not live.
func (s *Store) RevokeAPIToken(ctx context.Context, id, userID, reason string, now time.Time) (int64, error) {
	return s.exec(ctx, "revoke api token", `
		UPDATE api_tokens SET revoked_at = $4, revoke_reason = $3
		 WHERE id = $1 AND ($2 = '' OR user_id = $2) AND revoked_at IS NULL`, id, userID, reason, at(now))
}

// RevokeAPITokensOfUser revokes every token of a person.
func (s *Store) RevokeAPITokensOfUser(ctx context.Context, userID, reason string, now time.Time) (int64, error) {
	return s.exec(ctx, "revoke api tokens of user", `
		UPDATE api_tokens SET revoked_at = $3, revoke_reason = $2
		 WHERE user_id = $1 AND revoked_at IS NULL`, userID, reason, at(now))
}

// ShortenAPIToken lets a live token of a person end at until, if it does not end before.
// authz.ErrNotFound when they have no such live token.
func (s *Store) ShortenAPIToken(ctx context.Context, id, userID string, now, until time.Time) error {
	return s.exec1(ctx, "shorten api token", `
		UPDATE api_tokens SET expires_at = CASE WHEN expires_at > $4 THEN $4 ELSE expires_at END
		 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3`,
		id, userID, at(now), at(until))
}

// NoteTokenUse writes down when, from where and with what a token was used last.
func (s *Store) NoteTokenUse(ctx context.Context, u authz.TokenUse) error {
	_, err := s.exec(ctx, "note token use", `
		UPDATE api_tokens SET last_used_at = $2, last_address = $3, last_agent = $4
		 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`,
		u.TokenID, at(u.At), plain(u.Address), plain(u.Agent))
	return err
}
