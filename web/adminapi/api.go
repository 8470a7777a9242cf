package adminapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/authz/registration"
)

// Tokens verifies access tokens and API tokens in full, revocation included. The error is
// oauth2.ErrInvalidToken, apitoken.ErrAddress, or an outage.
type Tokens interface {
	AccessToken(ctx context.Context, token string) (*oauth2.TokenInfo, error)
}

// Deps names all that an API needs.
type Deps struct {
	Issuer  string // must be in the audience of a token
	Tokens  Tokens
	Clients *registration.Service
	People  *directory.Service
	APIs    *catalog.Service

	APITokens   *apitoken.Service
	Consents    *consent.Service
	LeakReports Limiter // by address

	Now func() time.Time
}

// API answers everything under /api/. It is safe for concurrent use.
type API struct {
	Deps
	router *mux.Router
}

// New mounts the routes.
func New(d Deps) *API {
	a := &API{Deps: d, router: mux.NewRouter()}
	// An API's identifier is a URI, so it stands percent-encoded in the path: what is
	// matched is the path as it was sent.
	a.router.UseEncodedPath().SkipClean(true)
	paths := map[string]methods{}
	for _, one := range a.Routes() {
		if paths[one.Path] == nil {
			paths[one.Path] = methods{}
			a.router.Path(one.Path).Handler(paths[one.Path])
		}
		paths[one.Path][one.Method] = one.Handler
	}
	a.router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fail(w, r, &refusal{status: http.StatusNotFound, code: "not_found", detail: "There is nothing at this address."})
	})
	return a
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

// methods are the handlers of one path.
type methods map[string]http.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h := m[method]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	var allowed []string
	for _, one := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if m[one] != nil || one == http.MethodHead && m[http.MethodGet] != nil {
			allowed = append(allowed, one)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	fail(w, r, &refusal{
		status: http.StatusMethodNotAllowed, code: "method_not_allowed",
		detail: "This address takes " + strings.Join(allowed, ", ") + ".",
	})
}
