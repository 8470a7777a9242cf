package gatewayapi

import (
	"errors"
	"net/http"

	"github.com/signet-auth/signet/authz/gateway"
)

const forwardAuthPath = "/gateway/forward-auth"

// ForwardAuth answers Traefik's ForwardAuth and Caddy's forward_auth, which tell the request
// by X-Forwarded-Method, -Proto, -Host and -Uri, and hand any answer but 2xx to the client.
func (a *API) ForwardAuth(w http.ResponseWriter, r *http.Request) {
	a.check(w, r, http.StatusFound, forwardAuthFacts)
}

func forwardAuthFacts(r *http.Request) (gateway.Facts, error) {
	var said [4]string
	for i, name := range []string{"X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"} {
		var err error
		if said[i], err = only(r.Header, name); err != nil {
			return gateway.Facts{}, err
		}
	}
	asked, err := joinURL(said[1], said[2], said[3])
	if err != nil {
		return gateway.Facts{}, err
	}
	f, err := facts(r, said[0], asked)
	if err != nil {
		return gateway.Facts{}, err
	}
	if err := options(&f, r.URL.RawQuery); err != nil {
		return gateway.Facts{}, err
	}
	if theClients(f, r.URL.RawQuery) {
		return gateway.Facts{}, errors.New("the query of the check is that of the request itself: end the uri in the proxy's settings with a question mark")
	}
	return f, nil
}
