package middleware

import (
	"net/http"
	"strings"
)

// AnyOrigin lets scripts of every site read the answers of an endpoint, without cookies:
// what such an endpoint tells, it tells to whoever shows a token, or to everybody
// (Fetch §3.3). methods are those of the endpoint. It answers preflights itself.
func AnyOrigin(methods ...string) Middleware {
	allowed := strings.Join(methods, ", ")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Access-Control-Expose-Headers", "ETag, Retry-After, WWW-Authenticate, "+requestIDHeader)
			if r.Method != http.MethodOptions {
				next.ServeHTTP(w, r)
				return
			}
			h.Set("Access-Control-Allow-Methods", allowed)
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
			h.Set("Access-Control-Max-Age", "7200")
			h.Set("Allow", allowed+", OPTIONS")
			w.WriteHeader(http.StatusNoContent)
		})
	}
}
