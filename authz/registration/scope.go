package registration

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-auth/signet/authz"
)

func checkScopes(m *authz.ClientMetadata) error {
	for _, list := range []struct {
		field  string
		scopes authz.Scopes
	}{{"scope", m.Scope}, {"default_scope", m.DefaultScope}} {
		for _, scope := range list.scopes {
			if !authz.ValidScope(scope) {
				return authz.Invalid(list.field, "must be scopes of printable ASCII without quotes and backslashes (RFC 6749 §3.3)")
			}
		}
		if err := checkList(list.field, list.scopes, maxScopes); err != nil {
			return err
		}
	}
	if more := m.DefaultScope.Without(m.Scope); len(more) > 0 {
		return authz.Invalid("default_scope", more[0]+" is not in scope")
	}
	return nil
}

// checkKnownScopes lets a client name scopes of its APIs, of OpenID Connect and of the server
// itself. One that it had before may stay when its API has dropped it or is gone: it matches
// nothing then, and must not stop other changes.
func (s *Service) checkKnownScopes(ctx context.Context, m, was *authz.ClientMetadata) error {
	known := authz.OIDCScopes().With(authz.ServerScopes())
	named := m.Scope.Without(known)
	if was != nil {
		named = named.Without(was.Scope)
	}
	if len(named) == 0 {
		return nil
	}
	offered, err := s.scopesOf(ctx, m.APIs)
	if err != nil {
		return err
	}
	if unknown := named.Without(offered); len(unknown) > 0 {
		return authz.Invalid("scope", fmt.Sprintf(
			"%q is no scope of the client's APIs, of OpenID Connect or of this server: did you mean %q, or is its API not named?",
			unknown[0], authz.Nearest(unknown[0], offered.With(known))))
	}
	return nil
}

// scopesOf gives the scopes of APIs. One that is not registered has none; whether a client
// may name it is for checkAPIs to say.
func (s *Service) scopesOf(ctx context.Context, identifiers []string) (authz.Scopes, error) {
	var out authz.Scopes
	for _, identifier := range identifiers {
		api, err := s.api(ctx, "apis", identifier)
		var invalid *authz.InvalidError
		switch {
		case errors.As(err, &invalid):
			continue
		case err != nil:
			return nil, err
		}
		out = out.With(api.ScopeNames())
	}
	return out, nil
}
