package oauth2

import (
	"github.com/signet-auth/signet/authz"
)

// askedScopes gives the scopes that a request asks for, or the client's default ones. A
// scope that the client is not registered for, or that none of the APIs has, is
// invalid_scope: better told to a programmer than dropped in silence.
func askedScopes(c *authz.Client, aud audience, param string) (authz.Scopes, error) {
	known := aud.scopes()
	if param == "" {
		asked := c.Metadata.DefaultScope
		if len(asked) == 0 {
			asked = c.Metadata.Scope
		}
		return asked.Within(c.Metadata.Scope).Within(known), nil
	}
	asked := authz.ParseScopes(param)
	for _, scope := range asked {
		switch {
		case !authz.ValidScope(scope):
			return nil, invalidScope("A scope has characters that are not allowed.")
		case !c.Metadata.Scope.Has(scope):
			return nil, invalidScope("The client is not registered for the scope " + scope + ".")
		case !known.Has(scope):
			return nil, invalidScope("The scope " + scope + " belongs to another API than " +
				aud.identifiers()[0] + ". Name that API with the resource parameter.")
		}
	}
	return asked, nil
}

// mayRefresh reports whether a grant with these scopes gets a refresh token: the client is
// registered for it and the person allowed lasting access.
func mayRefresh(c *authz.Client, granted authz.Scopes) bool {
	return c.Allows(authz.GrantRefreshToken) && granted.Has(authz.ScopeOfflineAccess)
}
