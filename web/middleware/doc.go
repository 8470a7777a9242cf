// Package middleware holds what happens around every handler: where a request comes from,
// the one log line, security headers, limits, cookies and the session behind them. Which
// route gets what is web/routes.go; what the handlers decide is theirs.
package middleware

import (
	"net/http"
	"slices"
)

// Middleware wraps a handler.
type Middleware func(http.Handler) http.Handler

// Chain wraps a handler so that the first middleware sees a request first.
func Chain(h http.Handler, around ...Middleware) http.Handler {
	for _, a := range slices.Backward(around) {
		h = a(h)
	}
	return h
}
