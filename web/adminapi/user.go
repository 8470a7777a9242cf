package adminapi

import (
	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
)

func (a *API) listUsers(c *call) (*reply, error) {
	after, limit, err := c.window()
	if err != nil {
		return nil, err
	}
	found, err := a.People.List(c.ctx(), after, limit+1)
	if err != nil {
		return nil, asParameter(err)
	}
	return ok(part(found, limit, UserDocument, func(u *authz.User) string { return u.ID }), 0), nil
}

func (a *API) createUser(c *call) (*reply, error) {
	var in newUserInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Admin {
		if err := a.mayTouchRoles(c, authz.RoleAdministrator); err != nil {
			return nil, err
		}
	}
	made, err := a.People.Create(c.ctx(), directory.New{
		Username: in.Username, Email: in.Email, Name: in.Name, Password: authz.Secret(in.Password), Admin: in.Admin,
		Claims: in.Claims,
	})
	if err != nil {
		return nil, err
	}
	return created("/api/v1/users/"+made.ID, UserDocument(made), made.Version), nil
}

// user finds a person by id, username or email address.
func (a *API) user(c *call) (*authz.User, error) {
	id, err := c.segment("id")
	if err != nil {
		return nil, err
	}
	return a.People.Get(c.ctx(), id)
}

func (a *API) showUser(c *call) (*reply, error) {
	found, err := a.user(c)
	if err != nil {
		return nil, err
	}
	return ok(UserDocument(found), found.Version), nil
}

// mayTouchRoles says whether the caller may hand out roles, or change who has them.
func (a *API) mayTouchRoles(c *call, names ...string) error {
	roles, err := a.People.RolesOf(c.ctx(), names)
	if err != nil {
		return err
	}
	var scopes authz.Scopes
	for _, r := range roles {
		scopes = scopes.With(r.Scopes)
	}
	return c.mayTouch(scopes)
}

// userToManage finds a person whom the caller may manage.
func (a *API) userToManage(c *call) (*authz.User, error) {
	found, err := a.user(c)
	if err != nil {
		return nil, err
	}
	return found, a.mayTouchRoles(c, found.Roles...)
}

// userToChange finds a person whom the caller may manage and has seen as they are.
func (a *API) userToChange(c *call) (*authz.User, error) {
	found, err := a.userToManage(c)
	if err != nil {
		return nil, err
	}
	return found, mustMatch(c.r, found.Version)
}

func (a *API) changeUser(c *call) (*reply, error) {
	found, err := a.userToChange(c)
	if err != nil {
		return nil, err
	}
	var in userFields
	if err := c.change(UserDocument(found), userReadOnly(), &in); err != nil {
		return nil, err
	}
	changed, err := a.People.Update(c.ctx(), found.ID, found.Version, in.change())
	if err != nil {
		return nil, err
	}
	return ok(UserDocument(changed), changed.Version), nil
}

func (a *API) deleteUser(c *call) (*reply, error) {
	found, err := a.userToChange(c)
	if err != nil {
		return nil, err
	}
	if err := a.People.Delete(c.ctx(), found.ID, found.Version); err != nil {
		return nil, err
	}
	return noContent(), nil
}

type newPassword struct {
	Password string `json:"password"`
}

func (a *API) setPassword(c *call) (*reply, error) {
	found, err := a.userToManage(c)
	if err != nil {
		return nil, err
	}
	var in newPassword
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if err := a.People.SetPassword(c.ctx(), found.ID, authz.Secret(in.Password)); err != nil {
		return nil, err
	}
	return noContent(), nil
}

func (a *API) disableUser(c *call) (*reply, error) { return a.switchUser(c, true) }
func (a *API) enableUser(c *call) (*reply, error)  { return a.switchUser(c, false) }

func (a *API) switchUser(c *call, disabled bool) (*reply, error) {
	found, err := a.userToManage(c)
	if err != nil {
		return nil, err
	}
	if err := a.People.SetDisabled(c.ctx(), found.ID, disabled); err != nil {
		return nil, err
	}
	return a.showUser(c)
}
