package adminapi

import (
	"context"
	"net/url"

	"github.com/signet-auth/signet/authz"
)

// listRoles pages in memory: there are few.
func (a *API) listRoles(c *call) (*reply, error) {
	after, limit, err := c.window()
	if err != nil {
		return nil, err
	}
	all, err := a.People.Roles(c.ctx())
	if err != nil {
		return nil, err
	}
	for len(all) > 0 && all[0].Name <= after {
		all = all[1:]
	}
	return ok(part(all, limit, RoleDocument, func(r authz.Role) string { return r.Name }), 0), nil
}

func (a *API) createRole(c *call) (*reply, error) {
	var in newRoleInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if err := c.mayTouch(in.Scopes); err != nil {
		return nil, err
	}
	made, err := a.People.CreateRole(c.ctx(), in.role(in.Name))
	if err != nil {
		return nil, err
	}
	return created("/api/v1/roles/"+url.PathEscape(made.Name), RoleDocument(made), made.Version), nil
}

func (a *API) role(c *call) (authz.Role, error) {
	name, err := c.segment("name")
	if err != nil {
		return authz.Role{}, err
	}
	return a.People.Role(c.ctx(), name)
}

func (a *API) showRole(c *call) (*reply, error) {
	found, err := a.role(c)
	if err != nil {
		return nil, err
	}
	return ok(RoleDocument(found), found.Version), nil
}

// roleToChange finds a role that the caller has seen as it is and may change.
func (a *API) roleToChange(c *call) (authz.Role, error) {
	found, err := a.role(c)
	if err != nil {
		return found, err
	}
	if err := c.mayTouch(found.Scopes); err != nil {
		return found, err
	}
	return found, mustMatch(c.r, found.Version)
}

func (a *API) changeRole(c *call) (*reply, error) {
	found, err := a.roleToChange(c)
	if err != nil {
		return nil, err
	}
	var in roleFields
	if err := c.change(RoleDocument(found), roleReadOnly(), &in); err != nil {
		return nil, err
	}
	if err := c.mayTouch(in.Scopes); err != nil {
		return nil, err
	}
	changed, err := a.People.UpdateRole(c.ctx(), found.Name, found.Version, in.role(found.Name))
	if err != nil {
		return nil, err
	}
	return ok(RoleDocument(changed), changed.Version), nil
}

func (a *API) deleteRole(c *call) (*reply, error) {
	found, err := a.roleToChange(c)
	if err != nil {
		return nil, err
	}
	if err := a.People.DeleteRole(c.ctx(), found.Name, found.Version); err != nil {
		return nil, err
	}
	return noContent(), nil
}

// grantRole gives a role to a person. Giving or taking it twice is fine, so that neither
// asks for If-Match.
func (a *API) grantRole(c *call) (*reply, error) { return a.moveRole(c, a.People.GrantRole) }

func (a *API) revokeRole(c *call) (*reply, error) { return a.moveRole(c, a.People.RevokeRole) }

func (a *API) moveRole(c *call, move func(ctx context.Context, userID, role string) error) (*reply, error) {
	u, err := a.user(c)
	if err != nil {
		return nil, err
	}
	r, err := a.role(c)
	if err != nil {
		return nil, err
	}
	if err := c.mayTouch(r.Scopes); err != nil {
		return nil, err
	}
	if err := move(c.ctx(), u.ID, r.Name); err != nil {
		return nil, err
	}
	return noContent(), nil
}
