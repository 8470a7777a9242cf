package gatewayapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
)

const (
	envoyPath = "/gateway/envoy"

	// Envoy appends the original path and query to its own, so there is no place for
	// options but headers, which it sets in place of the client's.
	envoyAPI   = "X-Signet-Api"
	envoyScope = "X-Signet-Scope"
)

// Envoy answers the HTTP ext_authz of Envoy and Istio, which asks with the method and Host
// of the request and appends its path to ours, and hands any answer but 200 to the client.
func (a *API) Envoy(w http.ResponseWriter, r *http.Request) {
	a.check(w, r, http.StatusFound, envoyFacts)
}

func envoyFacts(r *http.Request) (gateway.Facts, error) {
	target, ok := strings.CutPrefix(r.RequestURI, envoyPath)
	if !ok {
		return gateway.Facts{}, errors.New("the proxy must send the path " + envoyPath + " and the original one after it")
	}
	proto, err := only(r.Header, "X-Forwarded-Proto")
	if err != nil {
		return gateway.Facts{}, errors.New(err.Error() + ": add it to the headers that go into the check")
	}
	asked, err := joinURL(proto, r.Host, target)
	if err != nil {
		return gateway.Facts{}, err
	}
	f, err := facts(r, r.Method, asked)
	if err != nil {
		return gateway.Facts{}, err
	}
	scopes := r.Header.Values(envoyScope)
	if len(r.Header.Values(envoyAPI)) > 1 || len(scopes) > 1 {
		return gateway.Facts{}, errors.New("the proxy sends " + envoyAPI + " or " + envoyScope + " more than once")
	}
	f.API, f.Scopes, f.ByPath = r.Header.Get(envoyAPI), authz.ParseScopes(r.Header.Get(envoyScope)), len(scopes) == 1
	return f, nil
}
