package directory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// rolesOf gives the names of the roles that RolesOf finds.
func rolesOf(t *testing.T, w *world, names ...string) string {
	t.Helper()
	roles, err := w.RolesOf(t.Context(), names)
	if err != nil || roles == nil {
		t.Fatalf("got %v, %v", roles, err)
	}
	var out []string
	for _, r := range roles {
		out = append(out, r.Name)
	}
	return strings.Join(out, " ")
}

func TestEnsureRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storage.WithMaxConns(1))
	if got := rolesOf(t, w, "administrator"); got != "" {
		t.Fatalf("a new database has the roles %q", got)
	}
	for range 2 {
		if err := w.EnsureRoles(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := rolesOf(t, w, "administrator"); got != "user administrator" {
		t.Errorf("got %q", got)
	}
	admin, err := w.Role(t.Context(), authz.RoleAdministrator)
	if err != nil || !admin.Scopes.Has(authz.AnyScope) || !admin.Scopes.Contains(authz.ServerScopes()) {
		t.Errorf("administrator: %+v, %v", admin, err)
	}
	user, err := w.UpdateRole(t.Context(), authz.RoleDefault, 0, authz.Role{Scopes: authz.Scopes{"orders:read"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.EnsureRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, err := w.Role(t.Context(), authz.RoleDefault); err != nil || again.Version != user.Version {
		t.Errorf("a changed role was made anew: %+v, %v", again, err)
	}
	other := directory.NewService(directory.Config{Store: w.store, DefaultRole: "baker", Now: w.clock.Now})
	if err := other.EnsureRoles(t.Context()); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("the default role does not exist: %v", err)
	}
}

func TestRoleChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := w.CreateRole(t.Context(), authz.Role{Name: "baker", Description: "Bakes", Scopes: authz.Scopes{"a"}})
	if err != nil || r.Version != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	if _, err := w.CreateRole(t.Context(), authz.Role{Name: "baker"}); !errors.Is(err, authz.ErrConflict) {
		t.Errorf("a taken name: %v", err)
	}
	r, err = w.UpdateRole(t.Context(), "baker", 1, authz.Role{Name: "ignored", Scopes: authz.Scopes{"a", "b"}})
	if err != nil || r.Name != "baker" || r.Version != 2 || r.Scopes.String() != "a b" {
		t.Errorf("got %+v, %v", r, err)
	}
	if kept, err := w.Role(t.Context(), "baker"); err != nil || kept.Version != 2 || kept.Scopes.String() != "a b" {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if _, err := w.UpdateRole(t.Context(), "baker", 1, authz.Role{}); !errors.Is(err, authz.ErrStale) {
		t.Errorf("of the version before: %v", err)
	}
	for _, name := range []string{"nobody", "", "a b", "a\x00"} {
		if _, err := w.Role(t.Context(), name); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("Role(%q) gave %v", name, err)
		}
		if err := w.DeleteRole(t.Context(), name, 0); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("DeleteRole(%q) gave %v", name, err)
		}
	}
	if list, err := w.Roles(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("listed %v, %v", list, err)
	}
}

func TestWhatNoRoleMayBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.EnsureRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field string
		role  authz.Role
	}{
		{"name", authz.Role{}}, {"name", authz.Role{Name: "a b"}}, {"name", authz.Role{Name: strings.Repeat("a", 65)}},
		{"description", authz.Role{Name: "a", Description: "\u202e"}},
		{"scopes", authz.Role{Name: "a", Scopes: authz.Scopes{"a b"}}},
		{"scopes", authz.Role{Name: "a", Scopes: authz.Scopes{"a", "a"}}},
	} {
		if _, err := w.CreateRole(t.Context(), c.role); field(err) != c.field {
			t.Errorf("%+v: got %v", c.role, err)
		}
	}
	if _, err := w.UpdateRole(t.Context(), authz.RoleAdministrator, 0, authz.Role{Scopes: authz.Scopes{"*"}}); field(err) != "scopes" {
		t.Errorf("an administrator who cannot administer: %v", err)
	}
	for _, name := range []string{authz.RoleDefault, authz.RoleAdministrator} {
		if err := w.DeleteRole(t.Context(), name, 0); field(err) != "name" {
			t.Errorf("deleted %s: %v", name, err)
		}
	}
}

func TestGrantAndRevokeRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(t, directory.New{Username: "alice"})
	if err := w.GrantRole(t.Context(), u.ID, "baker"); field(err) != "role" {
		t.Errorf("a role that does not exist: %v", err)
	}
	for _, name := range []string{"baker", "brewer"} {
		if _, err := w.CreateRole(t.Context(), authz.Role{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		change func(name string) error
		role   string
		want   string
	}{
		{func(r string) error { return w.GrantRole(t.Context(), u.ID, r) }, "baker", "[baker]"},
		{func(r string) error { return w.GrantRole(t.Context(), u.ID, r) }, "baker", "[baker]"},
		{func(r string) error { return w.GrantRole(t.Context(), u.ID, r) }, "brewer", "[baker brewer]"},
		{func(r string) error { return w.RevokeRole(t.Context(), u.ID, r) }, "baker", "[brewer]"},
		{func(r string) error { return w.RevokeRole(t.Context(), u.ID, r) }, "baker", "[brewer]"},
	} {
		if err := c.change(c.role); err != nil {
			t.Fatal(err)
		}
		got, err := w.Get(t.Context(), u.ID)
		if err != nil || fmt.Sprint(got.Roles) != c.want {
			t.Errorf("roles %v, %v; want %s", got.Roles, err, c.want)
		}
	}
	if err := w.GrantRole(t.Context(), "usr_nobody", "baker"); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}

func TestADeletedRoleIsNotThatOfALaterName(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorldOn(open(storage.WithMaxConns(1)))
		baker := authz.Role{Name: "baker"}
		if _, err := w.CreateRole(t.Context(), baker); err != nil {
			t.Fatal(err)
		}
		alice, bob := w.create(t, directory.New{Username: "alice"}), w.create(t, directory.New{Username: "bob"})
		if err := w.GrantRole(t.Context(), alice.ID, "baker"); err != nil {
			t.Fatal(err)
		}
		if err := w.DeleteRole(t.Context(), "baker", 0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateRole(t.Context(), baker); err != nil {
			t.Fatal(err)
		}
		for _, u := range []*authz.User{alice, bob} {
			if got, err := w.Get(t.Context(), u.ID); err != nil || len(got.Roles) != 0 {
				t.Errorf("%s has %v, %v", u.Username, got.Roles, err)
			}
		}
		if got, err := w.Get(t.Context(), bob.ID); err != nil || got.Version != bob.Version {
			t.Errorf("who never had it was changed: %+v, %v", got, err)
		}
	})
}

// tired is a store that changes some people and then no more.
type tired struct {
	*storage.Store
	left int
}

var errTired = errors.New("no more today")

func (s *tired) UpdateUser(ctx context.Context, u *authz.User) error {
	if s.left--; s.left < 0 {
		return errTired
	}
	return s.Store.UpdateUser(ctx, u)
}

func TestARoleOfVeryManyIsDeletedInSeveralCalls(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		store := &tired{Store: open(), left: 100}
		w := newWorldOver(store)
		if _, err := w.CreateRole(t.Context(), authz.Role{Name: "baker"}); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			u := w.create(t, directory.New{Username: fmt.Sprint("baker", i)})
			if err := w.GrantRole(t.Context(), u.ID, "baker"); err != nil {
				t.Fatal(err)
			}
		}
		store.left = 0
		if err := w.DeleteRole(t.Context(), "baker", 9); !errors.Is(err, authz.ErrStale) {
			t.Errorf("of another version: %v", err)
		}
		for _, enough := range []bool{false, false, true} {
			store.left = 2
			if err := w.DeleteRole(t.Context(), "baker", 0); enough != (err == nil) || !enough && !errors.Is(err, errTired) {
				t.Errorf("%v, want success: %v", err, enough)
			}
			if _, err := w.Role(t.Context(), "baker"); enough != errors.Is(err, authz.ErrNotFound) {
				t.Errorf("the role: %v, want it gone: %v", err, enough)
			}
		}
	})
}

func TestRolesOfAreSecondsOldAtMost(t *testing.T) {
	t.Parallel()
	reads := 0
	w := newWorld(t, storage.WithStatementCounter(func(statement string) {
		if strings.Contains(statement, "FROM roles ORDER BY") {
			reads++
		}
	}))
	if err := w.EnsureRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		rolesOf(t, w, "administrator")
	}
	if reads != 1 {
		t.Errorf("read %d times", reads)
	}
	// Another process makes a role, of which this one does not hear.
	other := newWorldOn(w.store)
	if _, err := other.CreateRole(t.Context(), authz.Role{Name: "baker"}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(10*time.Second - 1)
	if got := rolesOf(t, w, "baker"); got != "user" {
		t.Errorf("got %q before it could know", got)
	}
	w.clock.Advance(1)
	if got := rolesOf(t, w, "baker"); got != "user baker" {
		t.Errorf("got %q after ten seconds", got)
	}
	if err := other.DeleteRole(t.Context(), "baker", 0); err != nil {
		t.Fatal(err)
	}
	w.InvalidateRoles() // it hears of it
	if got := rolesOf(t, w, "baker", "unknown"); got != "user" {
		t.Errorf("got %q after it heard", got)
	}
	w.clock.Advance(-time.Hour) // the clock is set back
	rolesOf(t, w)
	if reads != 4 {
		t.Errorf("read %d times, want 4", reads)
	}
}

func TestRolesOfIsAnErrorWhenTheyCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if roles, err := w.RolesOf(t.Context(), nil); err == nil {
		t.Errorf("got %v", roles)
	}
}

func TestEveryoneHasTheDefaultRoleOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.EnsureRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{nil, {"user"}, {"nobody", "user"}} {
		if got := rolesOf(t, w, slices.Clone(names)...); got != "user" {
			t.Errorf("%v: got %q", names, got)
		}
	}
}
