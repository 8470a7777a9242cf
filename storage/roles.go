package storage

import (
	"context"

	"github.com/signet-auth/signet/authz"
)

const roleColumns = `name, description, scopes, created_at, updated_at, version`

func scanRole(row scanner) (authz.Role, error) {
	var r authz.Role
	err := row.Scan(&r.Name, &r.Description, scopes{&r.Scopes}, into(&r.CreatedAt), into(&r.UpdatedAt), &r.Version)
	return r, err
}

// InsertRole remembers a new role; a taken name is authz.ErrConflict.
func (s *Store) InsertRole(ctx context.Context, r authz.Role) error {
	_, err := s.exec(ctx, "insert role", `
		INSERT INTO roles (name, description, scopes, created_at, updated_at, version)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		r.Name, r.Description, r.Scopes.String(), at(r.CreatedAt), at(r.UpdatedAt), r.Version)
	return err
}

// EnsureRole remembers a role unless one of its name exists.
func (s *Store) EnsureRole(ctx context.Context, r authz.Role) error {
	_, err := s.exec(ctx, "ensure role", `
		INSERT INTO roles (name, description, scopes, created_at, updated_at, version)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING`,
		r.Name, r.Description, r.Scopes.String(), at(r.CreatedAt), at(r.UpdatedAt), r.Version)
	return err
}

// Role reads a role by name.
func (s *Store) Role(ctx context.Context, name string) (authz.Role, error) {
	return get(ctx, s, "read role", scanRole, `
		SELECT `+roleColumns+` FROM roles WHERE name = $1`, name)
}

// Roles lists all roles by name. There are few.
func (s *Store) Roles(ctx context.Context) ([]authz.Role, error) {
	return list(ctx, s, "list roles", scanRole, `SELECT `+roleColumns+` FROM roles ORDER BY name`)
}

// UpdateRole writes a role if the row still has the version that r was read with;
// authz.ErrStale otherwise.
func (s *Store) UpdateRole(ctx context.Context, r authz.Role) error {
	n, err := s.exec(ctx, "update role", `
		UPDATE roles SET description = $3, scopes = $4, updated_at = $5, version = version + 1
		 WHERE name = $1 AND version = $2`,
		r.Name, r.Version, r.Description, r.Scopes.String(), at(r.UpdatedAt))
	if err == nil && n == 0 {
		_, err := s.Role(ctx, r.Name)
		return staleOr("update role", err)
	}
	return err
}

// DeleteRole forgets a role. Those who had it have its scopes no longer. A version
// other than 0 must be the row's; authz.ErrStale otherwise.
func (s *Store) DeleteRole(ctx context.Context, name string, version int64) error {
	n, err := s.exec(ctx, "delete role", `
		DELETE FROM roles WHERE name = $1 AND (version = $2 OR $2 = 0)`, name, version)
	if err == nil && n == 0 {
		_, err := s.Role(ctx, name)
		return staleOr("delete role", err)
	}
	return err
}
