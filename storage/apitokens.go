package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

const apiTokenColumns = `t.id, t.hash, t.user_id, t.made_by, t.client_id, t.name, t.api, t.scopes, t.networks, t.created_at, t.expires_at,
	t.last_used_at, t.last_address, t.last_agent, t.replaced_by, t.revoked_at, t.revoke_reason, t.status_index`

func apiTokenDestinations(v *authz.APIToken) []any {
	return []any{&v.ID, &v.Hash, &v.UserID, &v.MadeBy, &v.ClientID, &v.Name, &v.API, scopes{&v.Scopes}, asJSON(&v.Networks),
		into(&v.CreatedAt), into(&v.ExpiresAt), into(&v.LastUsedAt), &v.LastAddress, &v.LastAgent,
		&v.ReplacedBy, into(&v.RevokedAt), &v.RevokeReason, &v.StatusIndex}
}

func scanAPIToken(row scanner) (*authz.APIToken, error) {
	var v authz.APIToken
	err := row.Scan(apiTokenDestinations(&v)...)
	return &v, err
}

// InsertAPIToken remembers a new API token.
func (s *Store) InsertAPIToken(ctx context.Context, v *authz.APIToken) error {
	_, err := s.exec(ctx, "insert api token", `
		INSERT INTO api_tokens (id, hash, user_id, made_by, client_id, name, api, scopes, networks,
			created_at, expires_at, last_address, last_agent, replaced_by, revoke_reason, status_index)
		VALUES ($1, $2, $3, $4, COALESCE((SELECT client_id FROM api_tokens WHERE id = $4), $4), $5, $6, $7, $8,
			$9, $10, '', '', '', '', $11)`,
		v.ID, v.Hash, v.UserID, v.MadeBy, v.Name, v.API, v.Scopes.String(), asJSON(&v.Networks),
		at(v.CreatedAt), at(v.ExpiresAt), v.StatusIndex)
	return err
}

// AddAPIToken remembers a new API token unless its owner has limit live ones, and reports
// whether there was room. The owner's row stays locked until the token is committed, so that
// no number of requests at once makes more. authz.ErrConflict when a live token of theirs
// that was not replaced has the name, authz.ErrNotFound when the owner is gone or disabled,
// or what makes the token may not act for them any more.
func (s *Store) AddAPIToken(ctx context.Context, v *authz.APIToken, limit int) (room bool, err error) {
	err = s.InTx(ctx, func(ctx context.Context) error {
		if err := s.holdOwner(ctx, v.UserID); err != nil {
			return err
		}
		n, err := s.exec(ctx, "add api token", `
			INSERT INTO api_tokens (id, hash, user_id, made_by, client_id, name, api, scopes, networks,
				created_at, expires_at, last_address, last_agent, replaced_by, revoke_reason, status_index)
			SELECT $1, $2, users.id, $4, COALESCE((SELECT client_id FROM api_tokens WHERE id = $4), $4), $5, $6, $7, $8,
			       $9, $10, '', '', '', '', $11
			  FROM users WHERE users.id = $3
			   AND (SELECT count(*) FROM api_tokens t
			         WHERE t.user_id = $3 AND t.revoked_at IS NULL AND t.expires_at > $9) < $12
			   AND NOT EXISTS (SELECT 1 FROM api_tokens t WHERE t.user_id = $3 AND t.name = $5
			                      AND t.replaced_by = '' AND t.revoked_at IS NULL AND t.expires_at > $9)`,
			v.ID, v.Hash, v.UserID, v.MadeBy, v.Name, v.API, v.Scopes.String(), asJSON(&v.Networks),
			at(v.CreatedAt), at(v.ExpiresAt), v.StatusIndex, limit)
		if room = n == 1; err != nil {
			return err
		}
		if !room {
			return s.nameTaken(ctx, v)
		}
		return s.vouch(ctx, v)
	})
	return room, err
}

// nameTaken is authz.ErrConflict when the name of a token is what kept it out.
func (s *Store) nameTaken(ctx context.Context, v *authz.APIToken) error {
	scan := func(row scanner) (one int, err error) { return one, row.Scan(&one) }
	_, err := get(ctx, s, "look for name of api token", scan, `
		SELECT 1 FROM api_tokens WHERE user_id = $1 AND name = $2
		   AND replaced_by = '' AND revoked_at IS NULL AND expires_at > $3 LIMIT 1`, v.UserID, v.Name, at(v.CreatedAt))
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("add api token: name: %w", authz.ErrConflict)
}

// holdOwner locks the row of a person, so that their API tokens are made and revoked one
// after the other. authz.ErrNotFound when they are gone or disabled.
func (s *Store) holdOwner(ctx context.Context, userID string) error {
	return s.exec1(ctx, "hold owner of api token", `
		UPDATE users SET version = version WHERE id = $1 AND disabled_at IS NULL`, userID)
}

// vouch locks what has made a token, or is authz.ErrNotFound: a client must be enabled and
// have a live grant of the person, an API token must be theirs and live for as long, and the
// client that it came from must be enabled. Who revokes what it made waits, and finds the new
// token then; so does who disables the client.
func (s *Store) vouch(ctx context.Context, v *authz.APIToken) error {
	switch {
	case v.MadeBy == "":
		return nil
	case authz.IsAPIToken(v.MadeBy):
		if _, err := s.exec(ctx, "hold client behind an api token", `
			UPDATE clients SET version = version
			 WHERE id = (SELECT client_id FROM api_tokens WHERE api_tokens.id = $1)`, v.MadeBy); err != nil {
			return err
		}
		return s.exec1(ctx, "hold api token that makes another", `
			UPDATE api_tokens SET made_by = made_by
			 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3 AND expires_at >= $4
			   AND (client_id = '' OR EXISTS (SELECT 1 FROM clients WHERE clients.id = api_tokens.client_id AND disabled_at IS NULL))`,
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
// person whose it is, in one statement. The client that it came from, if one did, must be
// enabled: what that made is revoked in batches, and good no more from the first moment.
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
		SELECT `+apiTokenColumns+`, u.id, u.username, u.email, u.email_verified, u.profile, u.claims, u.roles,
		       u.disabled_at, u.created_at, u.updated_at, u.version
		  FROM api_tokens t JOIN users u ON u.id = t.user_id
		 WHERE t.id = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND u.disabled_at IS NULL
		   AND (t.client_id = '' OR EXISTS (SELECT 1 FROM clients WHERE clients.id = t.client_id AND disabled_at IS NULL))`,
		id, at(now))
	return p.token, p.user, err
}

// APIToken reads a token, whatever its state.
func (s *Store) APIToken(ctx context.Context, id string) (*authz.APIToken, error) {
	return get(ctx, s, "read api token", scanAPIToken, `
		SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.id = $1`, id)
}

// MaxAPITokensByID is how many tokens APITokensByID looks for at once.
const MaxAPITokensByID = 100

// idList has a place for each of them.
const idList = `
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
	$21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40,
	$41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60,
	$61, $62, $63, $64, $65, $66, $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80,
	$81, $82, $83, $84, $85, $86, $87, $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100`

// APITokensByID reads those of at most a hundred tokens that there are, whatever their state,
// in one statement.
func (s *Store) APITokensByID(ctx context.Context, ids []string) ([]*authz.APIToken, error) {
	if len(ids) > MaxAPITokensByID {
		return nil, fmt.Errorf("read api tokens: %d at once, where %d may be", len(ids), MaxAPITokensByID)
	}
	args := make([]any, MaxAPITokensByID)
	for i := range args {
		args[i] = "" // which no token is called
		if i < len(ids) {
			args[i] = ids[i]
		}
	}
	return list(ctx, s, "read api tokens", scanAPIToken, `
		SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.id IN (`+idList+`) ORDER BY t.id`, args...)
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

// NoteTokenUse writes down when, from where and with what a token was used last.
func (s *Store) NoteTokenUse(ctx context.Context, u authz.TokenUse) error {
	_, err := s.exec(ctx, "note token use", `
		UPDATE api_tokens SET last_used_at = $2, last_address = $3, last_agent = $4
		 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`,
		u.TokenID, at(u.At), plain(u.Address), plain(u.Agent))
	return err
}
