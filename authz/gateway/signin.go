package gateway

import (
	"net/url"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// The paths at a protected host that its proxy sends to Signet without a check.
const (
	ownPath      = "/.signet"
	SignInPath   = ownPath + "/sign-in"  // begins: ?api=URI&return_to=URL
	CallbackPath = ownPath + "/callback" // where the authorization endpoint answers to
	SignOutPath  = ownPath + "/sign-out"
)

// maxReturnTo keeps a sealed state within what a cookie may hold.
const maxReturnTo = 1500 // bytes

// ReturnTo gives the URL at an API's host that a browser goes back to after it has signed in:
// the one asked for, as a URL or as a path, if it is at that host, and else the API's own.
func ReturnTo(api *authz.API, asked string) string {
	t := newTarget(api)
	if !t.onWeb {
		return ""
	}
	home := t.place.origin.String() + cleanPath(t.place.path)
	if len(asked) > maxReturnTo || strings.ContainsFunc(asked, unfit) {
		return home
	}
	u, err := url.Parse(asked)
	if err != nil || u.User != nil {
		return home
	}
	if strings.HasPrefix(asked, "/") && u.Host == "" {
		u.Scheme, u.Host = t.place.origin.scheme, strings.TrimPrefix(t.place.origin.String(), t.place.origin.scheme+"://")
	}
	if o, ok := originOf(u); !ok || o != t.place.origin || below(plain(u.Path), ownPath) ||
		ambiguous(u) != "" || strings.HasPrefix(u.Path, "//") {
		return home
	}
	back := t.place.origin.String() + u.EscapedPath()
	if u.RawQuery != "" {
		back += "?" + u.RawQuery
	}
	return back
}

// unfit tells characters that browsers drop from a URL or read as others.
func unfit(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }

func cleanPath(path string) string {
	if path == "" {
		return "/"
	}
	return (&url.URL{Path: path}).EscapedPath()
}

// SignInAPIs gives those of the APIs at the host of a URL at which people can sign in.
func (c *Catalogue) SignInAPIs(u *url.URL) []*authz.API {
	o, ok := originOf(u)
	if !ok {
		return nil
	}
	var out []*authz.API
	for _, t := range c.placed[o] {
		if t.api.BrowserSignIn {
			out = append(out, t.api)
		}
	}
	return out
}
