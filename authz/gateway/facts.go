package gateway

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// Facts are what a proxy says about a request that it wants to let through. They are
// believed: who fills them in has made sure that they come from the proxy.
type Facts struct {
	Method string
	// URL is the one that was asked for, parsed from the text that the client sent: what was
	// escaped there must be so here.
	URL *url.URL
	// API is the identifier of the API when the proxy's settings name it; empty: it is found
	// by the URL.
	API string
	// Scopes are those that the proxy's settings demand.
	Scopes authz.Scopes
	// ByPath tells that the settings say at each place which scopes it needs, here perhaps
	// none. The proxy and the service must then read a path alike.
	ByPath bool
	// Authorization are all values of that header, in order.
	Authorization []string
	// SessionCookie is the value of the gateway's cookie of the protected host; may be empty.
	SessionCookie string
	// Address is that of the client.
	Address   netip.Addr
	UserAgent string
	// Browser tells that the answer is shown to a person: a navigation, not a script's call.
	Browser bool
}

// kind is what sort of credential a request shows. A cookie is never good as a bearer
// token, nor the other way round.
type kind uint8

const (
	kindNone kind = iota
	kindMalformed
	kindAPIToken
	kindAccessToken
	kindSession
)

// credential is what a request shows.
type credential struct {
	kind  kind
	value string
}

const maxCredential = 16 << 10 // bytes

// credential finds the one by which a request is judged: a bearer token if there is one, and
// only without one the cookie. An unsupported scheme is like none (RFC 6750 §3.1).
func (f *Facts) credential(api *authz.API) credential {
	if len(f.Authorization) > 1 {
		return credential{kind: kindMalformed}
	}
	if len(f.Authorization) == 1 {
		if token, ok := bearer(f.Authorization[0]); ok {
			return credential{kindOf(token), token}
		}
	}
	if api.BrowserSignIn && f.SessionCookie != "" {
		return credential{kindSession, f.SessionCookie}
	}
	return credential{}
}

// bearer gives what follows the scheme Bearer (RFC 6750 §2.1); false for other schemes.
func bearer(header string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.Trim(token, " "), true
}

func kindOf(token string) kind {
	switch {
	case token == "" || len(token) > maxCredential || !isB64Token(token):
		return kindMalformed
	case strings.HasPrefix(token, authz.PrefixAPIToken):
		return kindAPIToken
	}
	return kindAccessToken
}

// isB64Token holds the syntax of RFC 6750 §2.1, in which there is no second token.
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return false
		}
	}
	return s != ""
}

// person reports whether a sign-in page is an answer to this request.
func (f *Facts) person() bool {
	return f.Browser && (f.Method == http.MethodGet || f.Method == http.MethodHead)
}
