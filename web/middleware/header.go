package middleware

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// Headers sets the same headers on every answer, before the handler, which may change them.
func Headers(set http.Header) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			maps.Copy(h, set)
			next.ServeHTTP(w, r)
		})
	}
}

// Security gives the headers that every answer carries. Strict transport security is for
// an https issuer only: a browser would remember it for all of localhost.
func Security(https bool) http.Header {
	h := http.Header{
		"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
		"Referrer-Policy":         {"no-referrer"},
		"X-Content-Type-Options":  {"nosniff"},
		"X-Frame-Options":         {"DENY"},
	}
	if https {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
	return h
}

// PageSecurity gives the headers of a page that a person opens by themselves.
func PageSecurity(https bool) http.Header {
	h := AppPageSecurity(https)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	return h
}

// AppPageSecurity gives the headers of a page that apps send people to. Apps open it in a
// popup and wait for it to come back to them; an opener policy would cut that tie.
func AppPageSecurity(https bool) http.Header {
	h := Security(https)
	h.Set("Content-Security-Policy", contentPolicy("'self'"))
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	return h
}

func contentPolicy(formAction string) string {
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action " + formAction +
		"; frame-ancestors 'none'; base-uri 'none'"
}

// AllowFormRedirect lets the forms of a page end at an app. Chromium holds every redirect
// that follows a form against form-action, not only its action: after our own 303 comes the
// one to the redirect URI, and often another that the app makes on its own, to a host that
// nobody registered. So the scheme is what can be allowed: https, and that of the redirect
// URI. Our forms still post to our origin only; that is in their markup.
func AllowFormRedirect(h http.Header, redirectURI string) {
	sources := "'self' https:"
	if u, err := url.Parse(redirectURI); err == nil && u.Scheme != "https" && cspScheme(u.Scheme) {
		sources += " " + strings.ToLower(u.Scheme) + ":"
	}
	h.Set("Content-Security-Policy", contentPolicy(sources))
}

// cspScheme reports whether a scheme can stand in a policy without changing its meaning.
func cspScheme(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}
