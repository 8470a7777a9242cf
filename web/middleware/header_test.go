package middleware_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-auth/signet/web/middleware"
)

func TestFormRedirectsAreAllowedByScheme(t *testing.T) {
	t.Parallel()
	for redirectURI, want := range map[string]string{
		"https://app.example/callback":     "form-action 'self' https:;",
		"http://127.0.0.1:5000/callback":   "form-action 'self' https: http:;",
		"com.example.app:/callback":        "form-action 'self' https: com.example.app:;",
		"x'; script-src *:/callback":       "form-action 'self' https:;",
		"not a URI":                        "form-action 'self' https:;",
		"//app.example/without-any-scheme": "form-action 'self' https:;",
	} {
		h := http.Header{}
		middleware.AllowFormRedirect(h, redirectURI)
		if got := h.Get("Content-Security-Policy"); !strings.Contains(got, want) || !strings.Contains(got, "script-src 'self';") {
			t.Errorf("%s: policy %q lacks %q", redirectURI, got, want)
		}
	}
}
