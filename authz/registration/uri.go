package registration

import (
	"errors"
	"net/url"
	"strings"

	"github.com/signet-auth/signet/authz"
)

const maxURI = 2048

// checkRedirects holds OpenID Connect Registration §2 and RFC 8252 §8.4: exact URIs, and
// those that an app on a device claims for such apps only.
func checkRedirects(m *authz.ClientMetadata) error {
	code := allows(*m, authz.GrantAuthorizationCode)
	switch {
	case code && len(m.RedirectURIs) == 0:
		return authz.Invalid("redirect_uris", "name at least one: authorization_code needs it")
	case !code && len(m.RedirectURIs) > 0:
		return authz.Invalid("redirect_uris", "must be empty without authorization_code")
	case !code && len(m.PostLogoutRedirectURIs) > 0:
		return authz.Invalid("post_logout_redirect_uris", "must be empty without authorization_code")
	}
	if err := checkRedirectList("redirect_uris", m.Type, m.RedirectURIs); err != nil {
		return err
	}
	return checkRedirectList("post_logout_redirect_uris", m.Type, m.PostLogoutRedirectURIs)
}

func checkRedirectList(field, clientType string, uris []string) error {
	if err := checkList(field, uris, maxRedirectURIs); err != nil {
		return err
	}
	for _, uri := range uris {
		var invalid *authz.InvalidError
		if err := authz.CheckRedirectURI(uri); errors.As(err, &invalid) {
			return authz.Invalid(field, invalid.Reason)
		}
		if clientType != authz.ClientNative && !isWebScheme(uri) {
			return authz.Invalid(field, "a private-use scheme is for native clients")
		}
	}
	return nil
}

func isWebScheme(uri string) bool {
	scheme, _, _ := strings.Cut(uri, ":")
	return strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")
}

// parseURI reads a URI that is plain ASCII, so that what is compared is what is shown.
func parseURI(raw string) (*url.URL, bool) {
	if raw == "" || len(raw) > maxURI {
		return nil, false
	}
	for _, c := range []byte(raw) {
		if c <= ' ' || c > '~' || c == '\\' || c == '"' || c == '<' || c == '>' {
			return nil, false
		}
	}
	u, err := url.Parse(raw)
	return u, err == nil && u.User == nil
}

func isHTTPS(raw string) bool {
	u, ok := parseURI(raw)
	return ok && u.Scheme == "https" && u.Hostname() != ""
}

func isAbsoluteURI(raw string) bool {
	u, ok := parseURI(raw)
	return ok && u.IsAbs() && !strings.Contains(raw, "#")
}
