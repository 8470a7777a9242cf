package storage

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz"
)

const grantColumns = `id, client_id, user_id, session_id, scopes, resources, auth_time, acr, amr,
	nonce, claims, redirect_uri, code_expires_at, code_used_at, refresh_seq, refresh_rotated_at,
	refresh_expires_at, last_used_at, created_at, expires_at, revoked_at, revoke_reason, status_index`

func grantDestinations(g *authz.Grant) []any {
	return []any{&g.ID, &g.ClientID, &g.UserID, &g.SessionID, scopes{&g.Scopes}, asJSON(&g.Resources),
		into(&g.AuthTime), &g.ACR, asJSON(&g.AMR), &g.Nonce, asJSON(&g.Claims), &g.RedirectURI,
		into(&g.CodeExpiresAt), into(&g.CodeUsedAt), &g.RefreshSeq, into(&g.RefreshRotatedAt),
		into(&g.RefreshExpiresAt), into(&g.LastUsedAt), into(&g.CreatedAt), into(&g.ExpiresAt),
		into(&g.RevokedAt), &g.RevokeReason, &g.StatusIndex}
}

func scanGrant(row scanner) (*authz.Grant, error) {
	var g authz.Grant
	err := row.Scan(grantDestinations(&g)...)
	return &g, err
}

func scanRedeemed(row scanner) (*authz.RedeemedGrant, error) {
	var g authz.RedeemedGrant
	err := row.Scan(append(grantDestinations(&g.Grant), asJSON(&g.UserRoles))...)
	return &g, err
}

// InsertGrant remembers a grant whose code is about to be handed out.
func (s *Store) InsertGrant(ctx context.Context, g *authz.Grant) error {
	_, err := s.exec(ctx, "insert grant", `
		INSERT INTO grants (id, client_id, user_id, session_id, scopes, resources, auth_time, acr, amr,
			nonce, claims, code_hash, redirect_uri, code_challenge, code_expires_at, refresh_seq,
			created_at, expires_at, revoke_reason, status_index)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, '', $19)`,
		g.ID, g.ClientID, g.UserID, g.SessionID, g.Scopes.String(), asJSON(&g.Resources), at(g.AuthTime),
		g.ACR, asJSON(&g.AMR), g.Nonce, asJSON(&g.Claims), g.CodeHash, g.RedirectURI, g.CodeChallenge,
		at(g.CodeExpiresAt), g.RefreshSeq, at(g.CreatedAt), at(g.ExpiresAt), g.StatusIndex)
	return err
}

// RedeemCode spends an authorization code. Of any number of callers one gets the grant, the
// others authz.ErrNotFound, as does every claim that differs in anything, or whose person or
// client is disabled. A grant with a refresh token lives on until the end that the claim gives.
func (s *Store) RedeemCode(ctx context.Context, c authz.CodeClaim) (*authz.RedeemedGrant, error) {
	return get(ctx, s, "redeem code", scanRedeemed, `
		UPDATE grants SET code_used_at = $1, last_used_at = $1, refresh_rotated_at = $1,
			refresh_expires_at = CASE WHEN refresh_seq > 0 THEN $2 ELSE refresh_expires_at END,
			expires_at = CASE WHEN refresh_seq > 0 THEN $3 ELSE expires_at END
		 WHERE id = $4 AND code_hash = $5 AND client_id = $6 AND ($7 = '' OR redirect_uri = $7)
		   AND code_challenge = $8 AND code_used_at IS NULL AND code_expires_at > $1 AND revoked_at IS NULL
		   AND (SELECT disabled_at FROM users WHERE users.id = grants.user_id) IS NULL
		   AND (SELECT disabled_at FROM clients WHERE clients.id = grants.client_id) IS NULL
		RETURNING `+grantColumns+`, (SELECT roles FROM users WHERE users.id = grants.user_id)`,
		at(c.Now), at(c.RefreshExpiresAt), at(c.ExpiresAt),
		c.GrantID, c.CodeHash, c.ClientID, c.RedirectURI, c.CodeChallenge)
}

// RevokeReusedCode revokes the grant of a code that its client had spent before (RFC 6749
// §4.1.2). authz.ErrNotFound says that it had not, or that the grant is revoked already.
func (s *Store) RevokeReusedCode(ctx context.Context, grantID, clientID string, codeHash []byte, now time.Time) error {
	return s.exec1(ctx, "revoke reused code", `
		UPDATE grants SET revoked_at = $4, revoke_reason = 'code_reuse'
		 WHERE id = $1 AND client_id = $2 AND code_hash = $3 AND code_used_at IS NOT NULL AND revoked_at IS NULL`,
		grantID, clientID, codeHash, at(now))
}

// UseRefresh uses a refresh token and, if the claim says so, replaces it by the next of its
// sequence. A rotation may be repeated within the grace window and yields the same
// successor; without a window (GraceSince not before Now) never, whatever the clocks of the
// callers say. authz.ErrNotFound for everything that is not a good token of this client, and
// when the person is disabled or the client was deleted.
func (s *Store) UseRefresh(ctx context.Context, c authz.RefreshClaim) (*authz.RedeemedGrant, error) {
	const keep = `
		UPDATE grants SET last_used_at = $1, refresh_expires_at = $2
		 WHERE id = $3 AND client_id = $4 AND refresh_seq = $5 AND code_used_at IS NOT NULL
		   AND revoked_at IS NULL AND expires_at > $1 AND refresh_expires_at > $1
		   AND (SELECT disabled_at FROM users WHERE users.id = grants.user_id) IS NULL
		   AND (SELECT deleted_at FROM clients WHERE clients.id = grants.client_id) IS NULL
		RETURNING ` + grantColumns + `, (SELECT roles FROM users WHERE users.id = grants.user_id)`
	const rotate = `
		UPDATE grants SET last_used_at = $1, refresh_expires_at = $2,
			refresh_rotated_at = CASE WHEN refresh_seq = $5 THEN $1 ELSE refresh_rotated_at END,
			refresh_seq = $6
		 WHERE id = $3 AND client_id = $4 AND code_used_at IS NOT NULL
		   AND (refresh_seq = $5 OR (refresh_seq = $6 AND refresh_rotated_at > $7))
		   AND revoked_at IS NULL AND expires_at > $1 AND refresh_expires_at > $1
		   AND (SELECT disabled_at FROM users WHERE users.id = grants.user_id) IS NULL
		   AND (SELECT deleted_at FROM clients WHERE clients.id = grants.client_id) IS NULL
		RETURNING ` + grantColumns + `, (SELECT roles FROM users WHERE users.id = grants.user_id)`
	if !c.Rotate {
		return get(ctx, s, "use refresh token", scanRedeemed, keep,
			at(c.Now), at(c.RefreshExpiresAt), c.GrantID, c.ClientID, c.Seq)
	}
	grace := c.GraceSince
	if !grace.Before(c.Now) {
		grace = time.Time{} // NULL, which nothing is after: a rival may have read its clock a moment later
	}
	return get(ctx, s, "rotate refresh token", scanRedeemed, rotate,
		at(c.Now), at(c.RefreshExpiresAt), c.GrantID, c.ClientID, c.Seq, c.Seq+1, at(grace))
}

// RevokeReusedRefresh revokes the grant when a refresh token with sequence number seq is
// older than the live one (RFC 9700 §4.14.2). authz.ErrNotFound when it is not.
func (s *Store) RevokeReusedRefresh(ctx context.Context, grantID, clientID string, seq int64, now time.Time) error {
	return s.exec1(ctx, "revoke reused refresh token", `
		UPDATE grants SET revoked_at = $4, revoke_reason = 'refresh_token_reuse'
		 WHERE id = $1 AND client_id = $2 AND refresh_seq > $3 AND revoked_at IS NULL`,
		grantID, clientID, seq, at(now))
}

// LiveGrant reads a grant that has neither ended nor been revoked, and the enabled person
// who gave it, unless the client was deleted or the token with this jti revoked by itself: one
// statement answers introspection and userinfo.
func (s *Store) LiveGrant(ctx context.Context, id, jti string, now time.Time) (*authz.Grant, *authz.User, error) {
	type pair struct {
		grant *authz.Grant
		user  *authz.User
	}
	scan := func(row scanner) (pair, error) {
		p := pair{new(authz.Grant), new(authz.User)}
		err := row.Scan(append(grantDestinations(p.grant), userDestinations(p.user)...)...)
		return p, err
	}
	p, err := get(ctx, s, "read live grant", scan, `
		SELECT g.id, g.client_id, g.user_id, g.session_id, g.scopes, g.resources, g.auth_time, g.acr, g.amr,
		       g.nonce, g.claims, g.redirect_uri, g.code_expires_at, g.code_used_at, g.refresh_seq,
		       g.refresh_rotated_at, g.refresh_expires_at, g.last_used_at, g.created_at, g.expires_at,
		       g.revoked_at, g.revoke_reason, g.status_index,
		       u.id, u.username, u.email, u.email_verified, u.profile, u.claims, u.roles, u.disabled_at,
		       u.created_at, u.updated_at, u.version
		  FROM grants g JOIN users u ON u.id = g.user_id
		 WHERE g.id = $1 AND g.revoked_at IS NULL AND g.expires_at > $3 AND u.disabled_at IS NULL
		   AND (SELECT deleted_at FROM clients WHERE clients.id = g.client_id) IS NULL
		   AND NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = $2)`, id, jti, at(now))
	return p.grant, p.user, err
}

// NoteGrantUse writes down when a grant was used last, unless a use is known that was less
// than half a minute before: of replicas that see it used at once, one writes.
func (s *Store) NoteGrantUse(ctx context.Context, id string, used time.Time) error {
	_, err := s.exec(ctx, "note grant use", `
		UPDATE grants SET last_used_at = $2
		 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $3)`, id, at(used), at(used.Add(-30*time.Second)))
	return err
}

// GrantsOfUser lists the live grants of a person, the newest first.
func (s *Store) GrantsOfUser(ctx context.Context, userID string, now time.Time) ([]*authz.Grant, error) {
	return list(ctx, s, "list grants", scanGrant, `
		SELECT `+grantColumns+` FROM grants
		 WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND code_used_at IS NOT NULL
		 ORDER BY created_at DESC, id LIMIT 1000`, userID, at(now))
}

// RevokeGrant revokes one grant of a client. Revoking twice is fine.
func (s *Store) RevokeGrant(ctx context.Context, id, clientID, reason string, now time.Time) (int64, error) {
	return s.exec(ctx, "revoke grant", `
		UPDATE grants SET revoked_at = $4, revoke_reason = $3
		 WHERE id = $1 AND client_id = $2 AND revoked_at IS NULL`, id, clientID, reason, at(now))
}

// RevokeGrants revokes every grant of a person, to one client or, without one, to all, and
// tells how many there were.
func (s *Store) RevokeGrants(ctx context.Context, userID, clientID, reason string, now time.Time) (int64, error) {
	return s.exec(ctx, "revoke grants of user", `
		UPDATE grants SET revoked_at = $4, revoke_reason = $3
		 WHERE user_id = $1 AND ($2 = '' OR client_id = $2) AND revoked_at IS NULL`,
		userID, clientID, reason, at(now))
}
