package middleware

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
)

const bindingBytes = 32

// Browser gives each browser a random value of its own for as long as it is open.
// Interactions and form tokens are bound to it, so that they are of no use elsewhere.
func Browser(cookies Cookies, random io.Reader, refuse Refusal) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			binding := authz.Secret(cookies.value(r, browserCookie))
			if !wellFormedBinding(binding) {
				var err error
				if binding, err = newBinding(random); err != nil {
					refuse(w, r, answer.Outage(err))
					return
				}
				cookies.set(w, browserCookie, binding.Reveal(), 0)
			}
			next.ServeHTTP(w, r.WithContext(authz.WithBrowser(r.Context(), binding)))
		})
	}
}

func newBinding(random io.Reader) (authz.Secret, error) {
	raw := make([]byte, bindingBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("make browser binding: %w", err)
	}
	return authz.Secret(base64.RawURLEncoding.EncodeToString(raw)), nil
}

func wellFormedBinding(s authz.Secret) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s.Reveal())
	return err == nil && len(raw) == bindingBytes
}
