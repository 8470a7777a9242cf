package middleware

import (
	"context"
	"errors"
	"net/http"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
)

// SessionFinder knows whose a session cookie is; authz.ErrNotFound for nobody's.
type SessionFinder interface {
	Find(ctx context.Context, cookie string) (*authz.Session, *authz.User, error)
}

// Session puts the session of the browser in the context, if there is one. When that cannot
// be found out the request fails: an outage must not look like being signed out.
//
// A cookie that is nobody's is left alone. The answer to a request from before a login may
// arrive after the login's, and would take the new session's cookie with it.
func Session(cookies Cookies, sessions SessionFinder, refuse Refusal) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cookie := cookies.value(r, sessionCookie)
			if cookie == "" {
				next.ServeHTTP(w, r)
				return
			}
			s, u, err := sessions.Find(r.Context(), cookie)
			switch {
			case err == nil:
				r = r.WithContext(authz.WithSession(r.Context(), s, u))
			case !errors.Is(err, authz.ErrNotFound):
				refuse(w, r, answer.Outage(err))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
