package verifier

import (
	"context"
	"net/http"
	"strings"
)

// contextKey is where Middleware leaves its finding.
type contextKey struct{}

// finding is a token together with the Verifier that accepted it: for another one, with another
// audience, it means nothing.
type finding struct {
	by    *Verifier
	token *Token
}

// FromContext gives the access token of the request that ctx belongs to; ok is false when no
// [Verifier.Middleware] let that request through.
func FromContext(ctx context.Context) (token *Token, ok bool) {
	f, ok := ctx.Value(contextKey{}).(finding)
	return f.token, ok
}

// Middleware lets requests with a good access token through to next, which finds it with
// [FromContext]. It answers all others itself (RFC 6750 §3): 401 without a token or with a bad
// one, 400 for a request that cannot be read, 503 with Retry-After when the token cannot be
// checked at the moment.
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f, ok := r.Context().Value(contextKey{}).(finding); ok && f.by == v {
			next.ServeHTTP(w, r)
			return
		}
		token, no := v.authenticate(r)
		if no != nil {
			no.write(w, v.resource.location)
			return
		}
		ctx := context.WithValue(r.Context(), contextKey{}, finding{by: v, token: token})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (v *Verifier) authenticate(r *http.Request) (*Token, *refusal) {
	raw, no := bearer(r.Header)
	if no != nil {
		return nil, no
	}
	token, err := v.Verify(r.Context(), raw)
	if err != nil {
		no = refusalFor(err)
		v.log.DebugContext(r.Context(), "signet: request refused", "status", no.status, "error", err)
		return nil, no
	}
	return token, nil
}

// RequireScope lets requests through whose token carries all of the scopes, and answers others
// with 403 insufficient_scope (RFC 6750 §3.1). It is Middleware as well, so that a route needs
// only one of the two; behind Middleware the token is not verified again.
func (v *Verifier) RequireScope(scopes ...string) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, _ := FromContext(r.Context())
			for _, scope := range scopes {
				if !token.HasScope(scope) {
					insufficient(scopes).write(w, v.resource.location)
					return
				}
			}
			next.ServeHTTP(w, r)
		}))
	}
}

func insufficient(scopes []string) *refusal {
	return &refusal{
		status: http.StatusForbidden, code: "insufficient_scope",
		description: "the access token lacks a scope",
		scope:       strings.Join(scopes, " "),
	}
}
