package registration

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

const responseTypeCode = "code"

// How many there may be of something, and how long a text or a lifetime.
const (
	maxName         = 200
	maxContact      = 320
	maxContacts     = 20
	maxRedirectURIs = 100
	maxScopes       = 500
	maxAPIs         = 100

	minRefresh         = time.Minute
	maxTokenLifetime   = 24 * time.Hour
	maxRefreshIdle     = 365 * 24 * time.Hour
	maxRefreshLifetime = 5 * 365 * 24 * time.Hour
)

// validate says whether a client may be so; was is what it is now, nil for a new one. The
// error is an *authz.InvalidError that names the field, or an outage. It brings m into the
// form in which it is stored.
func (s *Service) validate(ctx context.Context, m, was *authz.ClientMetadata) error {
	for _, check := range []func(*authz.ClientMetadata) error{
		checkTexts, checkType, checkGrants, checkRedirects, checkAuthentication,
		checkScopes, checkLifetimes, checkPKCE, s.checkIDTokenAlg,
	} {
		if err := check(m); err != nil {
			return err
		}
	}
	for _, check := range []func(ctx context.Context, m, was *authz.ClientMetadata) error{
		s.checkAPIs, s.checkKnownScopes, s.checkExchange,
	} {
		if err := check(ctx, m, was); err != nil {
			return err
		}
	}
	return nil
}

// checkTexts is about what people read on the consent page.
func checkTexts(m *authz.ClientMetadata) error {
	if !authz.Legible(m.Name, maxName) {
		return authz.Invalid("client_name", "must have 1 to 200 characters that print, and no space around them")
	}
	for _, uri := range []struct{ field, value string }{
		{"client_uri", m.ClientURI}, {"policy_uri", m.PolicyURI}, {"tos_uri", m.TermsURI},
	} {
		if uri.value != "" && !isHTTPS(uri.value) {
			return authz.Invalid(uri.field, "must be an https URL")
		}
	}
	for _, contact := range m.Contacts {
		if !authz.Legible(contact, maxContact) {
			return authz.Invalid("contacts", "must be texts of 1 to 320 characters that print")
		}
	}
	return checkList("contacts", m.Contacts, maxContacts)
}

func checkType(m *authz.ClientMetadata) error {
	if !slices.Contains(authz.ClientTypes(), m.Type) {
		return authz.Invalid("application_type", "must be "+authz.Either(authz.ClientTypes()))
	}
	return nil
}

// checkGrants holds RFC 7591 §2.1: response types follow from grant types.
func checkGrants(m *authz.ClientMetadata) error {
	known := authz.GrantTypes()
	for _, g := range m.GrantTypes {
		if !slices.Contains(known, g) {
			return authz.Invalid("grant_types", "must be "+authz.Either(known))
		}
	}
	for _, r := range m.ResponseTypes {
		if r != responseTypeCode {
			return authz.Invalid("response_types", "must be code")
		}
	}
	code := allows(*m, authz.GrantAuthorizationCode)
	switch {
	case m.Type == authz.ClientService && (code || allows(*m, authz.GrantRefreshToken)):
		return authz.Invalid("grant_types", "a service has no person before it: client_credentials and token exchange are all it can have")
	case allows(*m, authz.GrantRefreshToken) && !code:
		return authz.Invalid("grant_types", "refresh_token needs authorization_code")
	case allows(*m, authz.GrantClientCredentials) && m.AuthMethod == authz.AuthNone:
		return authz.Invalid("grant_types", "client_credentials needs a client that can authenticate (RFC 6749 §4.4)")
	case allows(*m, authz.GrantTokenExchange) && m.AuthMethod == authz.AuthNone:
		return authz.Invalid("grant_types", "token exchange needs a client that can authenticate (RFC 8693 §5)")
	}
	m.ResponseTypes = nil
	if code {
		m.ResponseTypes = []string{responseTypeCode}
	}
	return checkList("grant_types", m.GrantTypes, len(known))
}

func allows(m authz.ClientMetadata, grantType string) bool {
	return slices.Contains(m.GrantTypes, grantType)
}

func checkLifetimes(m *authz.ClientMetadata) error {
	for _, l := range []struct {
		field       string
		seconds     int64
		least, most time.Duration
	}{
		{"access_token_lifetime", m.AccessTokenLifetime, authz.MinTokenLifetime, maxTokenLifetime},
		{"id_token_lifetime", m.IDTokenLifetime, authz.MinTokenLifetime, maxTokenLifetime},
		{"refresh_token_idle_lifetime", m.RefreshIdleLifetime, minRefresh, maxRefreshIdle},
		{"refresh_token_lifetime", m.RefreshLifetime, minRefresh, maxRefreshLifetime},
	} {
		least, most := int64(l.least/time.Second), int64(l.most/time.Second)
		if l.seconds != 0 && (l.seconds < least || l.seconds > most) {
			return authz.Invalid(l.field, fmt.Sprintf("must be between %d and %d seconds, or 0, which is the server's own", least, most))
		}
	}
	if m.RefreshLifetime > 0 && m.RefreshIdleLifetime > m.RefreshLifetime {
		return authz.Invalid("refresh_token_idle_lifetime", "must not be longer than refresh_token_lifetime")
	}
	return nil
}

// checkPKCE lets no client do without PKCE but one that has the nonce instead
// (RFC 9700 §2.1.1), and no public client keep a refresh token (RFC 9700 §4.14.2).
func checkPKCE(m *authz.ClientMetadata) error {
	public := m.AuthMethod == authz.AuthNone
	openID := allows(*m, authz.GrantAuthorizationCode) && m.Scope.Has(authz.ScopeOpenID)
	switch {
	case !m.RequirePKCE && (public || !openID):
		return authz.Invalid("require_pkce", "may be false only for a confidential client with the scope openid")
	case public && !m.RotateRefreshTokens:
		return authz.Invalid("rotate_refresh_tokens", "must be true for a client that does not authenticate")
	}
	return nil
}

func (s *Service) checkIDTokenAlg(m *authz.ClientMetadata) error {
	if m.IDTokenAlg == "" || slices.Contains(s.cfg.Algorithms, m.IDTokenAlg) {
		return nil
	}
	return authz.Invalid("id_token_signed_response_alg", "must be "+authz.Either(s.cfg.Algorithms))
}

// checkAPIs lets a client name registered APIs. One that was deleted may stay in the list of
// a client that named it before: it matches nothing, and must not stop other changes.
func (s *Service) checkAPIs(ctx context.Context, m, was *authz.ClientMetadata) error {
	if err := checkList("apis", m.APIs, maxAPIs); err != nil {
		return err
	}
	for _, identifier := range m.APIs {
		if was != nil && slices.Contains(was.APIs, identifier) {
			continue
		}
		if _, err := s.api(ctx, "apis", identifier); err != nil {
			return err
		}
	}
	if m.DefaultAPI != "" && !slices.Contains(m.APIs, m.DefaultAPI) {
		return authz.Invalid("default_api", "must be one of apis")
	}
	return nil
}

// checkList refuses repetitions and lists without end.
func checkList(field string, list []string, most int) error {
	if len(list) > most {
		return authz.Invalid(field, fmt.Sprintf("must have at most %d entries", most))
	}
	for i, one := range list {
		if slices.Contains(list[:i], one) {
			return authz.Invalid(field, "must not name "+one+" twice")
		}
	}
	return nil
}
