package middleware

import (
	"context"
	"net/http"
)

type flashKey struct{}

// Flash hands what SetFlash left with the browser to the next page that is opened, and has
// the browser forget it: what has been done is said once, and not again after a reload.
func Flash(cookies Cookies) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if value := cookies.value(r, flashCookie); value != "" && r.Method == http.MethodGet {
				cookies.set(w, flashCookie, "", -1)
				r = r.WithContext(context.WithValue(r.Context(), flashKey{}, value))
			}
			next.ServeHTTP(w, r)
		})
	}
}

// FlashFrom gives what Flash has taken from the browser. Anybody may have planted it.
func FlashFrom(ctx context.Context) string {
	value, _ := ctx.Value(flashKey{}).(string)
	return value
}
