package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

const sessionColumns = `sessions.id, sessions.secret_hash, sessions.user_id, sessions.auth_time,
	sessions.acr, sessions.amr, sessions.user_agent, sessions.address, sessions.created_at,
	sessions.last_seen_at, sessions.idle_expires_at, sessions.expires_at`

func sessionDestinations(v *authz.Session) []any {
	return []any{&v.ID, &v.SecretHash, &v.UserID, into(&v.AuthTime), &v.ACR, asJSON(&v.AMR),
		&v.UserAgent, &v.Address, into(&v.CreatedAt), into(&v.LastSeenAt), into(&v.IdleExpiresAt), into(&v.ExpiresAt)}
}

func scanSession(row scanner) (*authz.Session, error) {
	var v authz.Session
	err := row.Scan(sessionDestinations(&v)...)
	return &v, err
}

// InsertSession remembers a new browser session.
func (s *Store) InsertSession(ctx context.Context, v *authz.Session) error {
	_, err := s.exec(ctx, "insert session", `
		INSERT INTO sessions (id, secret_hash, user_id, auth_time, acr, amr, user_agent, address,
			created_at, last_seen_at, idle_expires_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		v.ID, v.SecretHash, v.UserID, at(v.AuthTime), v.ACR, asJSON(&v.AMR), plain(v.UserAgent), plain(v.Address),
		at(v.CreatedAt), at(v.LastSeenAt), at(v.IdleExpiresAt), at(v.ExpiresAt))
	return err
}

// BeginSession remembers a new browser session of an enabled person who still has the
// version that they were read with; authz.ErrStale otherwise. Their row stays locked until
// the session is committed, so that no login outruns a change of the password or the end of
// the account, which change that row before they end the sessions.
func (s *Store) BeginSession(ctx context.Context, v *authz.Session, userVersion int64) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		n, err := s.exec(ctx, "begin session", `
			UPDATE users SET version = version
			 WHERE id = $1 AND version = $2 AND disabled_at IS NULL`, v.UserID, userVersion)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("begin session: %w", authz.ErrStale)
		}
		return s.InsertSession(ctx, v)
	})
}

// SessionWithUser reads a live session and the enabled person it belongs to, in one
// statement.
func (s *Store) SessionWithUser(ctx context.Context, id string, now time.Time) (*authz.Session, *authz.User, error) {
	type pair struct {
		session *authz.Session
		user    *authz.User
	}
	scan := func(row scanner) (pair, error) {
		p := pair{new(authz.Session), new(authz.User)}
		err := row.Scan(append(sessionDestinations(p.session), userDestinations(p.user)...)...)
		return p, err
	}
	p, err := get(ctx, s, "read session", scan, `
		SELECT `+sessionColumns+`, users.id, username, email, email_verified, profile, claims, roles,
		       disabled_at, users.created_at, updated_at, version
		  FROM sessions JOIN users ON users.id = sessions.user_id
		 WHERE sessions.id = $1 AND idle_expires_at > $2 AND sessions.expires_at > $2
		   AND disabled_at IS NULL`, id, at(now))
	return p.session, p.user, err
}

// GrantWithSession reads what stands behind a browser at a protected host: a redeemed grant
// to an enabled client that has neither ended nor been revoked, the live session that it was
// given in, and the enabled person whose both are, in one statement.
func (s *Store) GrantWithSession(ctx context.Context, grantID string, now time.Time) (*authz.Grant, *authz.Session, *authz.User, error) {
	type triple struct {
		grant   *authz.Grant
		session *authz.Session
		user    *authz.User
	}
	scan := func(row scanner) (triple, error) {
		t := triple{new(authz.Grant), new(authz.Session), new(authz.User)}
		columns := append(grantDestinations(t.grant), sessionDestinations(t.session)...)
		err := row.Scan(append(columns, userDestinations(t.user)...)...)
		return t, err
	}
	t, err := get(ctx, s, "read grant and session", scan, `
		SELECT g.id, g.client_id, g.user_id, g.session_id, g.scopes, g.resources, g.auth_time, g.acr, g.amr,
		       g.nonce, g.claims, g.redirect_uri, g.code_expires_at, g.code_used_at, g.refresh_seq,
		       g.refresh_rotated_at, g.refresh_expires_at, g.last_used_at, g.created_at, g.expires_at,
		       g.revoked_at, g.revoke_reason, g.status_index, `+sessionColumns+`,
		       u.id, u.username, u.email, u.email_verified, u.profile, u.claims, u.roles, u.disabled_at,
		       u.created_at, u.updated_at, u.version
		  FROM grants g
		  JOIN sessions ON sessions.id = g.session_id AND sessions.user_id = g.user_id
		  JOIN users u ON u.id = g.user_id
		  JOIN clients c ON c.id = g.client_id
		 WHERE g.id = $1 AND g.code_used_at IS NOT NULL AND g.revoked_at IS NULL AND g.expires_at > $2
		   AND sessions.idle_expires_at > $2 AND sessions.expires_at > $2
		   AND u.disabled_at IS NULL AND c.disabled_at IS NULL`, grantID, at(now))
	return t.grant, t.session, t.user, err
}

// TouchSession notes that a session was used, at most once a minute: it changes nothing
// when it was seen after since.
func (s *Store) TouchSession(ctx context.Context, id string, now, since, idleExpires time.Time) error {
	_, err := s.exec(ctx, "touch session", `
		UPDATE sessions SET last_seen_at = $2, idle_expires_at = $4
		 WHERE id = $1 AND last_seen_at < $3`, id, at(now), at(since), at(idleExpires))
	return err
}

// Sessions lists the live sessions of a person, the one seen last first.
func (s *Store) Sessions(ctx context.Context, userID string, now time.Time) ([]*authz.Session, error) {
	return list(ctx, s, "list sessions", scanSession, `
		SELECT `+sessionColumns+` FROM sessions
		 WHERE user_id = $1 AND idle_expires_at > $2 AND expires_at > $2
		 ORDER BY last_seen_at DESC, id LIMIT 200`, userID, at(now))
}

// DeleteSession ends one session of a person; authz.ErrNotFound when they have none such.
func (s *Store) DeleteSession(ctx context.Context, id, userID string) error {
	return s.exec1(ctx, "delete session", `
		DELETE FROM sessions WHERE id = $1 AND user_id = $2`, id, userID)
}

// DeleteSessions ends all sessions of a person but one, and tells how many. Without one to
// keep it ends all.
func (s *Store) DeleteSessions(ctx context.Context, userID, keep string) (int64, error) {
	return s.exec(ctx, "delete sessions", `
		DELETE FROM sessions WHERE user_id = $1 AND id <> $2`, userID, keep)
}
