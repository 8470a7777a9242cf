package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// Roles remembers roles.
type Roles interface {
	Role(ctx context.Context, name string) (authz.Role, error)
	Roles(ctx context.Context) ([]authz.Role, error)
	RoleWriter
}

// RoleWriter makes, changes and forgets roles. EnsureRole leaves one alone that exists.
type RoleWriter interface {
	InsertRole(ctx context.Context, r authz.Role) error
	EnsureRole(ctx context.Context, r authz.Role) error
	UpdateRole(ctx context.Context, r authz.Role) error
	DeleteRole(ctx context.Context, name string, version int64) error
}

const (
	maxRoleName        = 64
	maxRoleDescription = 300
	maxRoleScopes      = 500
	pageSize           = 500
)

// EnsureRoles makes the roles that a server cannot be without, and leaves them alone where
// they exist. It is an error when the default role is another and does not exist.
func (s *Service) EnsureRoles(ctx context.Context) error {
	err := s.cfg.Store.InTx(ctx, s.ensureRoles)
	if err != nil {
		return err
	}
	s.InvalidateRoles()
	if _, err := s.cfg.Store.Role(ctx, s.cfg.DefaultRole); err != nil {
		return fmt.Errorf("find the default role %s: %w", s.cfg.DefaultRole, err)
	}
	return nil
}

func (s *Service) ensureRoles(ctx context.Context) error {
	now, all := s.cfg.Now(), authz.Scopes{authz.AnyScope}
	for _, r := range []authz.Role{
		{Name: authz.RoleDefault, Description: "Everybody", Scopes: all},
		{Name: authz.RoleAdministrator, Description: "Runs this server", Scopes: all.With(authz.ServerScopes())},
	} {
		r.CreatedAt, r.UpdatedAt, r.Version = now, now, 1
		if err := s.cfg.Store.EnsureRole(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// CreateRole makes a role; a taken name is authz.ErrConflict.
func (s *Service) CreateRole(ctx context.Context, r authz.Role) (authz.Role, error) {
	if err := checkRole(r); err != nil {
		return authz.Role{}, err
	}
	r.CreatedAt, r.Version = s.cfg.Now(), 1
	r.UpdatedAt = r.CreatedAt
	if err := s.cfg.Store.InsertRole(ctx, r); err != nil {
		return authz.Role{}, err
	}
	s.roleChanged(ctx, r.Name, "created")
	return r, nil
}

// Role reads a role by name.
func (s *Service) Role(ctx context.Context, name string) (authz.Role, error) {
	if checkRoleName(name) != nil {
		return authz.Role{}, fmt.Errorf("read role: %w", authz.ErrNotFound)
	}
	return s.cfg.Store.Role(ctx, name)
}

// Roles lists all roles by name, as they are now.
func (s *Service) Roles(ctx context.Context) ([]authz.Role, error) { return s.cfg.Store.Roles(ctx) }

// UpdateRole gives a role another description and other scopes. A version other than 0 must
// be the role's; authz.ErrStale otherwise.
func (s *Service) UpdateRole(ctx context.Context, name string, version int64, next authz.Role) (authz.Role, error) {
	next.Name = name
	if err := checkRole(next); err != nil {
		return authz.Role{}, err
	}
	r, err := s.Role(ctx, name)
	if err != nil {
		return authz.Role{}, err
	}
	if version != 0 && r.Version != version {
		return authz.Role{}, fmt.Errorf("update role: %w", authz.ErrStale)
	}
	r.Description, r.Scopes, r.UpdatedAt = next.Description, next.Scopes, s.cfg.Now()
	if err := s.cfg.Store.UpdateRole(ctx, r); err != nil {
		return authz.Role{}, err
	}
	r.Version++
	s.roleChanged(ctx, name, "updated")
	return r, nil
}

// DeleteRole forgets a role, and takes it from everybody who has it: a later role of the
// same name is another. A version other than 0 must be the role's; authz.ErrStale otherwise.
// People lose it one by one before it goes: with very many of them a call may end before it
// is through, and one that is repeated goes on where that was.
func (s *Service) DeleteRole(ctx context.Context, name string, version int64) error {
	if name == authz.RoleDefault || name == authz.RoleAdministrator || name == s.cfg.DefaultRole {
		return authz.Invalid("name", "the server cannot be without this role")
	}
	r, err := s.Role(ctx, name)
	if err != nil {
		return err
	}
	if version != 0 && r.Version != version {
		return fmt.Errorf("delete role: %w", authz.ErrStale)
	}
	if err := s.takeFromAll(ctx, name); err != nil {
		return err
	}
	err = s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.cfg.Store.DeleteRole(ctx, name, version); err != nil {
			return err
		}
		return s.takeFromAll(ctx, name) // from whoever got it meanwhile
	})
	if err != nil {
		return err
	}
	s.roleChanged(ctx, name, "deleted")
	return nil
}

func (s *Service) takeFromAll(ctx context.Context, role string) error {
	after := ""
	for {
		users, err := s.cfg.Store.Users(ctx, after, pageSize)
		if err != nil || len(users) == 0 {
			return err
		}
		for _, u := range users {
			if !slices.Contains(u.Roles, role) {
				continue
			}
			if _, err := s.change(ctx, u.ID, 0, withoutRole(role)); err != nil {
				return err
			}
		}
		after = users[len(users)-1].ID
	}
}

func withoutRole(role string) edit {
	return edit{decide: func(u *authz.User) error {
		u.Roles = slices.DeleteFunc(u.Roles, func(r string) bool { return r == role })
		return nil
	}}
}

// GrantRole gives a role to a person. Giving it twice is fine.
func (s *Service) GrantRole(ctx context.Context, userID, role string) error {
	if _, err := s.Role(ctx, role); err != nil {
		return notFoundAs(err, authz.Invalid("role", "does not exist"))
	}
	return s.changeRoles(ctx, userID, edit{decide: func(u *authz.User) error {
		if !slices.Contains(u.Roles, role) {
			u.Roles = append(u.Roles, role)
		}
		return nil
	}})
}

// RevokeRole takes a role from a person. Taking it twice is fine.
func (s *Service) RevokeRole(ctx context.Context, userID, role string) error {
	return s.changeRoles(ctx, userID, withoutRole(role))
}

func (s *Service) changeRoles(ctx context.Context, userID string, e edit) error {
	u, err := s.change(ctx, userID, 0, e)
	if err != nil {
		return err
	}
	s.record(ctx, authz.EventUserChanged, userID, map[string]string{"roles": strings.Join(u.Roles, " ")})
	return nil
}

func (s *Service) roleChanged(ctx context.Context, name, how string) {
	s.InvalidateRoles()
	s.cfg.Audit.Record(ctx, authz.Event{Kind: authz.EventRoleChanged, Detail: map[string]string{"role": name, "change": how}})
}

func checkRole(r authz.Role) error {
	if err := checkRoleName(r.Name); err != nil {
		return err
	}
	if r.Description != "" && !authz.Legible(r.Description, maxRoleDescription) {
		return authz.Invalid("description", "must have at most 300 characters that print, and no space around them")
	}
	if len(r.Scopes) > maxRoleScopes {
		return authz.Invalid("scopes", "must be at most 500")
	}
	for i, scope := range r.Scopes {
		if !authz.ValidScope(scope) || r.Scopes[:i].Has(scope) {
			return authz.Invalid("scopes", "must be different scopes of printable ASCII without quotes and backslashes (RFC 6749 §3.3)")
		}
	}
	if r.Name == authz.RoleAdministrator && !r.Scopes.Has(authz.ScopeAdmin) {
		return authz.Invalid("scopes", "the administrator keeps "+authz.ScopeAdmin+", or nobody could give it back")
	}
	return nil
}

func checkRoleName(name string) error {
	if name == "" || len(name) > maxRoleName {
		return authz.Invalid("name", "must have 1 to 64 characters")
	}
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && !strings.ContainsRune("._-", rune(c)) {
			return authz.Invalid("name", "may have letters a-z, digits, and . _ -")
		}
	}
	return nil
}
