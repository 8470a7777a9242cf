package adminapi

import (
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
)

// User is a person as programs see them, with the claim names of OpenID Connect Core §5.1.
type User struct {
	ID string `json:"id"`
	userFields
	Roles     []string  `json:"roles"`
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// userFields are what can change about a person.
type userFields struct {
	Username      string `json:"username"`
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	authz.Profile
	Claims authz.UserClaims `json:"claims,omitempty"`
}

// newUserInput is what a person is made with.
type newUserInput struct {
	Username string           `json:"username"`
	Email    string           `json:"email"`
	Name     string           `json:"name"`
	Password string           `json:"password"`
	Admin    bool             `json:"admin"`
	Claims   authz.UserClaims `json:"claims"`
}

// UserDocument shows a person.
func UserDocument(u *authz.User) User {
	return User{
		ID: u.ID,
		userFields: userFields{
			Username: u.Username, Email: u.Email, EmailVerified: u.EmailVerified, Profile: u.Profile, Claims: u.Claims,
		},
		Roles: append([]string{}, u.Roles...), Disabled: u.Disabled(),
		CreatedAt: moment(u.CreatedAt), UpdatedAt: moment(u.UpdatedAt),
	}
}

// change makes the person what the fields say, whole.
func (in userFields) change() directory.Change {
	return directory.Change{
		Username: &in.Username, Email: &in.Email, EmailVerified: &in.EmailVerified, Profile: &in.Profile,
		Claims: &in.Claims,
	}
}

func userReadOnly() []string {
	return []string{"id", "roles", "disabled", "created_at", "updated_at"}
}

// Role is a role as programs see it.
type Role struct {
	Name string `json:"name"`
	roleFields
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// roleFields are what can change about a role.
type roleFields struct {
	Description string   `json:"description,omitempty"`
	Scopes      []string `json:"scopes"`
}

// newRoleInput is what a role is made with.
type newRoleInput struct {
	Name string `json:"name"`
	roleFields
}

// RoleDocument shows a role.
func RoleDocument(r authz.Role) Role {
	return Role{
		Name: r.Name, roleFields: roleFields{Description: r.Description, Scopes: append([]string{}, r.Scopes...)},
		CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
	}
}

func (in roleFields) role(name string) authz.Role {
	return authz.Role{Name: name, Description: in.Description, Scopes: in.Scopes}
}

func roleReadOnly() []string { return []string{"name", "created_at", "updated_at"} }
