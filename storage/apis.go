package storage

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz"
)

const apiColumns = `identifier, name, scopes, owner_client_id, browser_sign_in,
	access_token_lifetime, claims, created_at, updated_at, version`

func scanAPI(row scanner) (*authz.API, error) {
	var a authz.API
	err := row.Scan(&a.Identifier, &a.Name, asJSON(&a.Scopes), &a.OwnerClientID, &a.BrowserSignIn,
		&a.AccessTokenLifetime, asJSON(&a.Claims), into(&a.CreatedAt), into(&a.UpdatedAt), &a.Version)
	return &a, err
}

// InsertAPI remembers a new API; a taken identifier is authz.ErrConflict.
func (s *Store) InsertAPI(ctx context.Context, a *authz.API) error {
	_, err := s.exec(ctx, "insert api", `
		INSERT INTO apis (identifier, name, scopes, owner_client_id, browser_sign_in,
			access_token_lifetime, claims, created_at, updated_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		a.Identifier, a.Name, asJSON(&a.Scopes), a.OwnerClientID, a.BrowserSignIn,
		a.AccessTokenLifetime, asJSON(&a.Claims), at(a.CreatedAt), at(a.UpdatedAt), a.Version)
	return err
}

// API reads an API by its identifier.
func (s *Store) API(ctx context.Context, identifier string) (*authz.API, error) {
	return get(ctx, s, "read api", scanAPI, `
		SELECT `+apiColumns+` FROM apis WHERE identifier = $1`, identifier)
}

// APIs lists APIs by identifier, those after a given one.
func (s *Store) APIs(ctx context.Context, after string, limit int) ([]*authz.API, error) {
	return list(ctx, s, "list apis", scanAPI, `
		SELECT `+apiColumns+` FROM apis WHERE identifier > $1 ORDER BY identifier LIMIT $2`, after, limit)
}

// UpdateAPI writes an API if the row still has the version that a was read with;
// authz.ErrStale otherwise.
func (s *Store) UpdateAPI(ctx context.Context, a *authz.API) error {
	n, err := s.exec(ctx, "update api", `
		UPDATE apis SET name = $3, scopes = $4, owner_client_id = $5, browser_sign_in = $6,
			access_token_lifetime = $7, claims = $8, updated_at = $9, version = version + 1
		 WHERE identifier = $1 AND version = $2`,
		a.Identifier, a.Version, a.Name, asJSON(&a.Scopes), a.OwnerClientID, a.BrowserSignIn,
		a.AccessTokenLifetime, asJSON(&a.Claims), at(a.UpdatedAt))
	if err != nil {
		return err
	}
	if n == 0 {
		_, err := s.API(ctx, a.Identifier)
		return staleOr("update api", err)
	}
	a.Version++
	return nil
}

// DeleteAPI forgets an API. A version other than 0 must be the row's; authz.ErrStale otherwise.
func (s *Store) DeleteAPI(ctx context.Context, identifier string, version int64) error {
	n, err := s.exec(ctx, "delete api", `
		DELETE FROM apis WHERE identifier = $1 AND (version = $2 OR $2 = 0)`, identifier, version)
	if err == nil && n == 0 {
		_, err := s.API(ctx, identifier)
		return staleOr("delete api", err)
	}
	return err
}

// DisownAPIs leaves the APIs of a client without an owner, and tells how many there were.
func (s *Store) DisownAPIs(ctx context.Context, clientID string, now time.Time) (int64, error) {
	return s.exec(ctx, "disown apis", `
		UPDATE apis SET owner_client_id = '', updated_at = $2, version = version + 1
		 WHERE owner_client_id = $1`, clientID, at(now))
}
