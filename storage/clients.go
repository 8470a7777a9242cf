package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

const clientColumns = `id, metadata, disabled_at, created_at, updated_at, version, status_index`

func scanClient(row scanner) (*authz.Client, error) {
	var c authz.Client
	err := row.Scan(&c.ID, asJSON(&c.Metadata), into(&c.DisabledAt), into(&c.CreatedAt), into(&c.UpdatedAt), &c.Version, &c.StatusIndex)
	return &c, err
}

// InsertClient remembers a new client and its secrets, all or nothing. A taken id is
// authz.ErrConflict, as is that of a client that is still being removed.
func (s *Store) InsertClient(ctx context.Context, c *authz.Client) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		_, err := s.exec(ctx, "insert client", `
			INSERT INTO clients (id, metadata, disabled_at, created_at, updated_at, version, status_index)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			c.ID, asJSON(&c.Metadata), at(c.DisabledAt), at(c.CreatedAt), at(c.UpdatedAt), c.Version, c.StatusIndex)
		if err != nil {
			return err
		}
		for _, secret := range c.Secrets {
			if err := s.InsertClientSecret(ctx, c.ID, secret); err != nil {
				return err
			}
		}
		return nil
	})
}

// Client reads a client with its secrets.
func (s *Store) Client(ctx context.Context, id string) (*authz.Client, error) {
	c, err := get(ctx, s, "read client", scanClient, `
		SELECT `+clientColumns+` FROM clients WHERE id = $1 AND deleted_at IS NULL`, id)
	if err != nil {
		return nil, err
	}
	c.Secrets, err = s.clientSecrets(ctx, id)
	return c, err
}

// Clients lists clients by id, those after a given one, without their secrets.
func (s *Store) Clients(ctx context.Context, after string, limit int) ([]*authz.Client, error) {
	return list(ctx, s, "list clients", scanClient, `
		SELECT `+clientColumns+` FROM clients WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2`, after, limit)
}

// UpdateClient writes metadata and state if the row still has the version that c was read
// with, and raises it; authz.ErrStale otherwise.
func (s *Store) UpdateClient(ctx context.Context, c *authz.Client) error {
	n, err := s.exec(ctx, "update client", `
		UPDATE clients SET metadata = $3, disabled_at = $4, updated_at = $5, version = version + 1
		 WHERE id = $1 AND version = $2 AND deleted_at IS NULL`,
		c.ID, c.Version, asJSON(&c.Metadata), at(c.DisabledAt), at(c.UpdatedAt))
	if err != nil {
		return err
	}
	if n == 0 {
		_, err := s.Client(ctx, c.ID)
		return staleOr("update client", err)
	}
	c.Version++
	return nil
}

// InsertClientSecret adds a secret to a client; authz.ErrNotFound when there is none such.
func (s *Store) InsertClientSecret(ctx context.Context, clientID string, secret authz.ClientSecret) error {
	return s.exec1(ctx, "insert client secret", `
		INSERT INTO client_secrets (id, client_id, hash, created_at, expires_at)
		SELECT $1, clients.id, $3, $4, $5 FROM clients WHERE clients.id = $2 AND deleted_at IS NULL`,
		secret.ID, clientID, secret.Hash, at(secret.CreatedAt), at(secret.ExpiresAt))
}

// ExpireClientSecrets lets every secret of a client but one end at the latest at until.
func (s *Store) ExpireClientSecrets(ctx context.Context, clientID, keep string, until time.Time) error {
	_, err := s.exec(ctx, "expire client secrets", `
		UPDATE client_secrets SET expires_at = $3
		 WHERE client_id = $1 AND id <> $2 AND (expires_at IS NULL OR expires_at > $3)`,
		clientID, keep, at(until))
	return err
}

func (s *Store) clientSecrets(ctx context.Context, clientID string) ([]authz.ClientSecret, error) {
	scan := func(row scanner) (authz.ClientSecret, error) {
		var c authz.ClientSecret
		err := row.Scan(&c.ID, &c.Hash, into(&c.CreatedAt), into(&c.ExpiresAt))
		return c, err
	}
	return list(ctx, s, "list client secrets", scan, `
		SELECT id, hash, created_at, expires_at FROM client_secrets
		 WHERE client_id = $1 ORDER BY created_at`, clientID)
}

// staleOr tells a row that changed from one that is gone, given what reading it said.
func staleOr(what string, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", what, authz.ErrStale)
}
