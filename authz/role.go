package authz

import (
	"slices"
	"time"
)

// Role is a named set of scopes that a person who has it may grant to others.
type Role struct {
	Name        string
	Description string
	Scopes      Scopes
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Version     int64
}

const (
	// RoleDefault is the role that everybody has, until a setting names another.
	RoleDefault = "user"
	// RoleAdministrator is the role of those who run the server.
	RoleAdministrator = "administrator"
	// AnyScope in a role stands for every scope of every registered API, but for those
	// of the server itself: making an API must not hand out the server's keys.
	AnyScope = "*"
)

// Grantable says what of asked a person with these roles may grant. The scopes of OpenID
// Connect are everybody's own to give, and so is signet:account, which reaches one's own
// things only.
func Grantable(asked Scopes, roles []Role) Scopes {
	return asked.filter(func(scope string) bool {
		if OIDCScopes().Has(scope) || scope == ScopeAccount {
			return true
		}
		return slices.ContainsFunc(roles, func(r Role) bool {
			return r.Scopes.Has(scope) || (r.Scopes.Has(AnyScope) && !ServerScopes().Has(scope))
		})
	})
}
