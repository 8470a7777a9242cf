package middleware

import (
	"context"
	"net/http"
	"time"
)

// Bound ends the context of each request after a while, so that a database that hangs, and
// does not fail, is an outage to whoever waits for it. It answers nothing itself: to every
// handler an ended context is an error that nobody has a word for, and so 503.
func Bound(within time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), within)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}
