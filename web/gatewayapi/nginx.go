package gatewayapi

import (
	"net/http"

	"github.com/signet-auth/signet/authz/gateway"
)

const nginxPath = "/gateway/nginx"

// Nginx answers nginx's auth_request, which tells the request by X-Original-URL and
// X-Original-Method. It knows three answers: 2xx, 401 and 403; all others fail the request.
// A sign-in is 401 with Location, of which an error_page makes the redirect.
func (a *API) Nginx(w http.ResponseWriter, r *http.Request) {
	a.check(w, r, http.StatusUnauthorized, nginxFacts)
}

func nginxFacts(r *http.Request) (gateway.Facts, error) {
	raw, err := only(r.Header, "X-Original-Url")
	if err != nil {
		return gateway.Facts{}, err
	}
	asked, err := parseURL(raw)
	if err != nil {
		return gateway.Facts{}, err
	}
	method, err := only(r.Header, "X-Original-Method")
	if err != nil {
		return gateway.Facts{}, err
	}
	f, err := facts(r, method, asked)
	if err != nil {
		return gateway.Facts{}, err
	}
	err = options(&f, r.URL.RawQuery)
	return f, err
}
