package storage

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz"
)

// InsertInteraction remembers an authorization request that waits for a person.
func (s *Store) InsertInteraction(ctx context.Context, i *authz.Interaction) error {
	_, err := s.exec(ctx, "insert interaction", `
		INSERT INTO interactions (id, client_id, params, browser_hash, session_id, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		i.ID, i.ClientID, asJSON(&i.Params), i.BrowserHash, i.SessionID, at(i.CreatedAt), at(i.ExpiresAt))
	return err
}

// Interaction reads an interaction that has not expired; it may be consumed.
func (s *Store) Interaction(ctx context.Context, id string, now time.Time) (*authz.Interaction, error) {
	scan := func(row scanner) (*authz.Interaction, error) {
		var i authz.Interaction
		err := row.Scan(&i.ID, &i.ClientID, asJSON(&i.Params), &i.BrowserHash, &i.SessionID,
			asJSON(&i.Decision), into(&i.CreatedAt), into(&i.ExpiresAt), into(&i.ConsumedAt))
		return &i, err
	}
	return get(ctx, s, "read interaction", scan, `
		SELECT id, client_id, params, browser_hash, session_id, decision, created_at, expires_at, consumed_at
		  FROM interactions WHERE id = $1 AND expires_at > $2`, id, at(now))
}

// SetInteractionSession notes which session logged in for an interaction. An answer that
// somebody gave before goes: it was theirs.
func (s *Store) SetInteractionSession(ctx context.Context, id, sessionID string) error {
	return s.exec1(ctx, "set interaction session", `
		UPDATE interactions SET session_id = $2, decision = NULL
		 WHERE id = $1 AND consumed_at IS NULL`, id, sessionID)
}

// SetInteractionDecision notes the answer of the consent page.
func (s *Store) SetInteractionDecision(ctx context.Context, id string, d authz.Decision) error {
	return s.exec1(ctx, "set interaction decision", `
		UPDATE interactions SET decision = $2 WHERE id = $1 AND consumed_at IS NULL`, id, asJSON(&d))
}

// ConsumeInteraction ends an interaction. It succeeds once; authz.ErrNotFound after that.
func (s *Store) ConsumeInteraction(ctx context.Context, id string, now time.Time) error {
	return s.exec1(ctx, "consume interaction", `
		UPDATE interactions SET consumed_at = $2
		 WHERE id = $1 AND consumed_at IS NULL AND expires_at > $2`, id, at(now))
}
