package gatewayapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
)

// facts gathers what all dialects have in common: the proxy passes on the client's own
// headers beside what it says itself.
func facts(r *http.Request, method string, asked *url.URL) (gateway.Facts, error) {
	if !isMethod(method) {
		return gateway.Facts{}, errors.New("the proxy passes on something that is not a method")
	}
	origin := authz.OriginFrom(r.Context())
	address, _ := netip.ParseAddr(origin.Address)
	return gateway.Facts{
		Method: method, URL: asked,
		Authorization: r.Header.Values("Authorization"), SessionCookie: sessionCookie(r, asked),
		Address: address, UserAgent: origin.UserAgent, Browser: navigation(r.Header),
	}, nil
}

// navigation reports whether a person will see the answer. Browsers say so; those from
// before they did ask for HTML.
func navigation(h http.Header) bool {
	if mode := h.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return false
	}
	return h.Get("X-Requested-With") == "" && strings.Contains(strings.ToLower(h.Get("Accept")), "text/html")
}

// options reads ?api=URI and ?scope=a+b, which the proxy's settings say. Whatever else
// stands there is a mistake, and one that could cost a demand for a scope. An empty ?scope=
// says that this place needs none, where others may.
func options(f *gateway.Facts, rawQuery string) error {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return errors.New("the query of the check cannot be read: percent-encode ?api= and ?scope= in the proxy's settings")
	}
	for name, values := range query {
		switch {
		case name != "api" && name != "scope":
			return fmt.Errorf("the check has the unknown option %q: known are ?api= and ?scope=; "+
				"where the proxy appends the client's own query, end the address in its settings with a question mark", name)
		case len(values) > 1:
			return fmt.Errorf("the check has the option %s more than once", name)
		}
	}
	f.API, f.Scopes, f.ByPath = query.Get("api"), authz.ParseScopes(query.Get("scope")), query.Has("scope")
	return nil
}

// theClients reports whether the query of a check may be the client's own, which some
// proxies pass on in place of none. A scope demanded so does no harm; an API chosen so would.
func theClients(f gateway.Facts, rawQuery string) bool {
	return f.API != "" && f.URL.RawQuery == rawQuery
}
