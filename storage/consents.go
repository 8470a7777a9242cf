package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

const consentColumns = `user_id, client_id, scopes, declined, resources, created_at, updated_at`

func scanConsent(row scanner) (*authz.Consent, error) {
	var c authz.Consent
	err := row.Scan(&c.UserID, &c.ClientID, scopes{&c.Scopes}, scopes{&c.Declined},
		asJSON(&c.Resources), into(&c.CreatedAt), into(&c.UpdatedAt))
	return &c, err
}

// PutConsent remembers what a person answered to a client, in place of what they answered
// before.
func (s *Store) PutConsent(ctx context.Context, c *authz.Consent) error {
	_, err := s.exec(ctx, "put consent", `
		INSERT INTO consents (user_id, client_id, scopes, declined, resources, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (user_id, client_id) DO UPDATE SET scopes = excluded.scopes,
			declined = excluded.declined, resources = excluded.resources, updated_at = excluded.updated_at`,
		c.UserID, c.ClientID, c.Scopes.String(), c.Declined.String(), asJSON(&c.Resources),
		at(c.CreatedAt), at(c.UpdatedAt))
	return err
}

// InsertConsent remembers a person's first answer to a client; authz.ErrConflict when there
// is one already.
func (s *Store) InsertConsent(ctx context.Context, c *authz.Consent) error {
	n, err := s.exec(ctx, "insert consent", `
		INSERT INTO consents (user_id, client_id, scopes, declined, resources, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (user_id, client_id) DO NOTHING`,
		c.UserID, c.ClientID, c.Scopes.String(), c.Declined.String(), asJSON(&c.Resources),
		at(c.CreatedAt), at(c.UpdatedAt))
	if err == nil && n == 0 {
		return fmt.Errorf("insert consent: %w", authz.ErrConflict)
	}
	return err
}

// UpdateConsent writes an answer if the row was last written at readAt; authz.ErrStale
// otherwise, also when it is gone.
func (s *Store) UpdateConsent(ctx context.Context, c *authz.Consent, readAt time.Time) error {
	n, err := s.exec(ctx, "update consent", `
		UPDATE consents SET scopes = $4, declined = $5, resources = $6, updated_at = $7
		 WHERE user_id = $1 AND client_id = $2 AND updated_at = $3`,
		c.UserID, c.ClientID, at(readAt), c.Scopes.String(), c.Declined.String(), asJSON(&c.Resources),
		at(c.UpdatedAt))
	if err == nil && n == 0 {
		return fmt.Errorf("update consent: %w", authz.ErrStale)
	}
	return err
}

// Consent reads what a person has answered to a client.
func (s *Store) Consent(ctx context.Context, userID, clientID string) (*authz.Consent, error) {
	return get(ctx, s, "read consent", scanConsent, `
		SELECT `+consentColumns+` FROM consents WHERE user_id = $1 AND client_id = $2`, userID, clientID)
}

// Consents lists what a person has answered to all clients.
func (s *Store) Consents(ctx context.Context, userID string) ([]*authz.Consent, error) {
	return list(ctx, s, "list consents", scanConsent, `
		SELECT `+consentColumns+` FROM consents WHERE user_id = $1 ORDER BY updated_at DESC, client_id`, userID)
}

// DeleteConsent forgets what a person answered to a client. Forgetting twice is fine.
func (s *Store) DeleteConsent(ctx context.Context, userID, clientID string) error {
	_, err := s.exec(ctx, "delete consent", `
		DELETE FROM consents WHERE user_id = $1 AND client_id = $2`, userID, clientID)
	return err
}
