package authz

import (
	"net/netip"
	"net/url"
	"strings"
)

const maxURILength = 2048

// CheckRedirectURI says whether a redirect URI may be registered: https, http on a
// loopback address or localhost, or a private-use scheme that contains a dot (RFC 8252
// §7.1). No fragment, no user name, no script schemes. The error is an *InvalidError.
func CheckRedirectURI(raw string) error {
	u, err := parseRedirectURI(raw)
	if err != nil {
		return err
	}
	switch {
	case u.Scheme == "https" && u.Hostname() != "":
		return nil
	case u.Scheme == "http" && (isLoopback(u.Hostname()) || u.Hostname() == "localhost"):
		return nil
	case u.Scheme == "http":
		return Invalid("redirect_uris", "http is for loopback addresses only: use https")
	case strings.Contains(u.Scheme, "."):
		return nil
	}
	return Invalid("redirect_uris", "use https, http on a loopback address, or a private-use scheme such as com.example.app")
}

// parseRedirectURI refuses what no comparison could be trusted with.
func parseRedirectURI(raw string) (*url.URL, error) {
	if raw == "" || len(raw) > maxURILength {
		return nil, Invalid("redirect_uris", "must have between 1 and 2048 characters")
	}
	for _, c := range []byte(raw) {
		if c <= ' ' || c > '~' || c == '\\' {
			return nil, Invalid("redirect_uris", "must be plain ASCII without spaces or backslashes")
		}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme == "":
		return nil, Invalid("redirect_uris", "must be an absolute URI")
	case strings.Contains(raw, "#"):
		return nil, Invalid("redirect_uris", "must have no fragment (RFC 6749 §3.1.2)")
	case u.User != nil:
		return nil, Invalid("redirect_uris", "must have no user name")
	}
	return u, nil
}

// MatchRedirectURI reports whether asked is one of the registered redirect URIs: equal to
// the letter, but for the port of a loopback address, which an app on a person's device
// learns only when it starts (RFC 8252 §7.3, RFC 9700 §2.1).
func MatchRedirectURI(registered []string, asked string) bool {
	for _, r := range registered {
		if r == asked || matchLoopback(r, asked) {
			return true
		}
	}
	return false
}

func matchLoopback(registered, asked string) bool {
	r, err := parseRedirectURI(registered)
	if err != nil || r.Scheme != "http" || !(isLoopback(r.Hostname()) || r.Hostname() == "localhost") {
		return false
	}
	a, err := parseRedirectURI(asked)
	return err == nil && a.Scheme == "http" && a.Hostname() == r.Hostname() &&
		a.EscapedPath() == r.EscapedPath() && a.RawQuery == r.RawQuery && a.ForceQuery == r.ForceQuery
}

// PrivateUseScheme reports whether a redirect URI is answered by whichever app on the
// device has claimed its scheme, or by whatever listens on the device: nothing proves
// who that is.
func PrivateUseScheme(redirectURI string) bool {
	u, err := url.Parse(redirectURI)
	return err == nil && u.Scheme != "https"
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// WebRedirectURI reports whether a redirect URI is answered by a web server, to which a
// browser can be sent with a form as well as with a link.
func WebRedirectURI(redirectURI string) bool {
	u, err := url.Parse(redirectURI)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http")
}
