package directory

import (
	"context"
	"errors"

	"github.com/signet-auth/signet/authz"
)

// whole is the one key of the cache: roles are read all together.
const whole = ""

// InvalidateRoles forgets what was read of roles. Call it when they have changed.
func (s *Service) InvalidateRoles() { s.roles.Clear() }

// RolesOf gives the roles with these names that exist, and the one that everybody has, as
// they were at most ten seconds ago. It is never nil without an error. Do not call it inside
// of a transaction: it reads outside of it.
func (s *Service) RolesOf(ctx context.Context, names []string) ([]authz.Role, error) {
	all, err := s.roles.Get(ctx, whole)
	if err != nil {
		return nil, err
	}
	out := make([]authz.Role, 0, len(names)+1)
	if r, ok := all[s.cfg.DefaultRole]; ok {
		out = append(out, r)
	}
	for _, name := range names {
		if r, ok := all[name]; ok && name != s.cfg.DefaultRole {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *Service) loadRoles(ctx context.Context, _ string) (map[string]authz.Role, error) {
	list, err := s.cfg.Store.Roles(ctx)
	if err != nil {
		return nil, err
	}
	roles := make(map[string]authz.Role, len(list))
	for _, r := range list {
		roles[r.Name] = r
	}
	return roles, nil
}

// notFoundAs tells a refusal from an outage.
func notFoundAs(err, refusal error) error {
	if errors.Is(err, authz.ErrNotFound) {
		return refusal
	}
	return err
}
