package middleware

import (
	"net/http"

	"github.com/signet-auth/signet/web/answer"
)

// maxRevisit is the longest query that every proxy lets through.
const maxRevisit = 7 << 10

// Revisit turns a form that another site sends here into a visit with the same parameters,
// and refuses what it cannot: no such request goes any further. Browsers send SameSite=Lax
// cookies with the visit and not with the form (RFC 6265bis §5.6.7.1), but take those that
// the answer to the form sets: whoever is signed in would have to sign in again, and any
// site could end the sign-ins of all tabs by having the browser bound anew. The query of the
// form's address is dropped, because nobody reads it.
func Revisit(cookies Cookies, issuer string, refuse Refusal) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || cookies.value(r, browserCookie) != "" || !crossSite(r, issuer) {
				next.ServeHTTP(w, r)
				return
			}
			if trouble, ok := readForm(r); !ok {
				refuse(w, r, trouble)
				return
			}
			params := r.PostForm.Encode()
			if len(params) > maxRevisit {
				refuse(w, r, answer.Trouble{
					Status: http.StatusRequestEntityTooLarge, Code: "too_large",
					Reason: "The form that the app sent is longer than this address takes from another website.",
					Advice: "Go back to the app. The people who run it can send less, or send you here with a link.",
				})
				return
			}
			w.Header().Set("Location", r.URL.EscapedPath()+"?"+params)
			w.WriteHeader(http.StatusSeeOther)
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
