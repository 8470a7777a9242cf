package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testRoles(ctx context.Context, t *testing.T, s store) {
	baker := authz.Role{
		Name: "baker", Description: "Bakes", Scopes: authz.Scopes{"oven:open", "*"},
		CreatedAt: noon(), UpdatedAt: noon(), Version: 1,
	}
	admin := authz.Role{Name: "administrator", CreatedAt: noon(), UpdatedAt: noon(), Version: 1}
	must(t, s.InsertRole(ctx, baker))
	must(t, s.EnsureRole(ctx, admin))
	refused(t, "insert taken name", s.InsertRole(ctx, baker), authz.ErrConflict)
	other := baker
	other.Description = "Something else"
	must(t, s.EnsureRole(ctx, other))
	defer s.bystander(ctx, t, "roles", admin.Name)()
	got, err := s.Role(ctx, "baker")
	must(t, err)
	same(t, "role", got, baker)
	all, err := s.Roles(ctx)
	must(t, err)
	same(t, "all roles", all, []authz.Role{admin, baker})
	_, err = s.Role(ctx, "none")
	refused(t, "read missing", err, authz.ErrNotFound)

	got.Description, got.Scopes, got.UpdatedAt = "Bakes bread", nil, noon().Add(time.Second)
	must(t, s.UpdateRole(ctx, got))
	got.Version = 2
	again, err := s.Role(ctx, "baker")
	must(t, err)
	same(t, "updated role", again, got)
	refused(t, "update a stale one", s.UpdateRole(ctx, baker), authz.ErrStale)
	baker.Name = "none"
	refused(t, "update missing", s.UpdateRole(ctx, baker), authz.ErrNotFound)
	refused(t, "delete a stale one", s.DeleteRole(ctx, "baker", 1), authz.ErrStale)
	must(t, s.DeleteRole(ctx, "baker", 2))
	refused(t, "delete twice", s.DeleteRole(ctx, "baker", 2), authz.ErrNotFound)
	refused(t, "delete any version twice", s.DeleteRole(ctx, "baker", 0), authz.ErrNotFound)
}
