package registration

import (
	"context"
	"errors"

	"github.com/signet-auth/signet/authz"
)

// complete fills in what a new client was not given, by what kind of client it is.
func (s *Service) complete(ctx context.Context, n New) (authz.ClientMetadata, error) {
	m := n.Metadata
	fillEmpty(&m, n.DefaultIDTokenAlg)
	m.RequirePKCE = !n.WaivePKCE
	// A public client's refresh token is as good as a password to whoever finds it, so each
	// is good for one use (RFC 9700 §4.14.2).
	m.RotateRefreshTokens = m.RotateRefreshTokens || m.AuthMethod == authz.AuthNone
	fillDefaultAPI(&m)
	if len(m.Scope) > 0 {
		return m, nil
	}
	if m.Type != authz.ClientService {
		m.Scope = authz.OIDCScopes()
	}
	offered, err := s.scopesOf(ctx, m.APIs)
	// The server's own scopes run the server: they are named, or not given.
	m.Scope = m.Scope.With(offered.Without(authz.ServerScopes()))
	return m, err
}

// fillDefaultAPI names the API of requests that name none, where there is no choice.
func fillDefaultAPI(m *authz.ClientMetadata) {
	if m.DefaultAPI == "" && len(m.APIs) == 1 {
		m.DefaultAPI = m.APIs[0]
	}
}

// api looks one up that a field of a client names.
func (s *Service) api(ctx context.Context, field, identifier string) (*authz.API, error) {
	if !isAbsoluteURI(identifier) {
		return nil, authz.Invalid(field, "must name APIs by absolute URIs without a fragment (RFC 8707 §2)")
	}
	api, err := s.cfg.APIs.API(ctx, identifier)
	if errors.Is(err, authz.ErrNotFound) {
		return nil, authz.Invalid(field, identifier+" is not registered")
	}
	return api, err
}

// fillEmpty gives fields their defaults that no client can be without (RFC 7591 §2).
func fillEmpty(m *authz.ClientMetadata, idTokenAlg string) {
	if m.Type == "" {
		m.Type = authz.ClientWeb
	}
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{authz.GrantAuthorizationCode, authz.GrantRefreshToken}
		if m.Type == authz.ClientService {
			m.GrantTypes = []string{authz.GrantClientCredentials}
		}
	}
	if m.AuthMethod == "" {
		m.AuthMethod = authz.AuthSecretBasic
		if m.Type == authz.ClientNative {
			m.AuthMethod = authz.AuthNone
		}
	}
	if len(m.ResponseTypes) == 0 && allows(*m, authz.GrantAuthorizationCode) {
		m.ResponseTypes = []string{responseTypeCode}
	}
	if m.IDTokenAlg == "" && allows(*m, authz.GrantAuthorizationCode) {
		m.IDTokenAlg = idTokenAlg
		if idTokenAlg == "" {
			m.IDTokenAlg = authz.AlgRS256
		}
	}
}
