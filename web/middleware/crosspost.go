package middleware

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
)

// maxRevisit is the longest query that every proxy lets through.
const maxRevisit = 7 << 10

// Revisit turns a form that another site sends here into a visit with the same parameters.
// Browsers send SameSite=Lax cookies with the visit and not with the form (RFC 6265bis
// §5.6.7.1): without it, who is signed in would have to sign in again, and a new browser
// binding would end the sign-ins of other tabs.
func Revisit(cookies Cookies, issuer string) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || cookies.value(r, browserCookie) != "" || !crossSite(r, issuer) {
				next.ServeHTTP(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			if params, ok := parseForm(r, body); ok && err == nil {
				w.Header().Set("Location", r.URL.EscapedPath()+"?"+params)
				w.WriteHeader(http.StatusSeeOther)
				return
			}
			r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
			next.ServeHTTP(w, r)
		})
	}
}

// crossSite reports whether a browser says, or leaves to be guessed, that a request was
// begun by another site.
func crossSite(r *http.Request, issuer string) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "cross-site"
	}
	origin := r.Header.Get("Origin")
	return origin != "" && origin != issuer
}

// parseForm gives the form as a query, if it is a form and short enough.
func parseForm(r *http.Request, body []byte) (string, bool) {
	if _, wrong := checkFormType(r); wrong || len(body) > maxRevisit || r.URL.RawQuery != "" {
		return "", false
	}
	params, err := url.ParseQuery(string(body))
	return params.Encode(), err == nil
}

// failing passes a read error on to the next reader of a body; nil is its end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}
