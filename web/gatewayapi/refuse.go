package gatewayapi

import (
	"net/http"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

// refuse says no in the words of who asked: a page for a person, problem details for a
// program. The page is shown at the protected host, where nothing else of ours is to be
// had: what it is made of comes from the issuer.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, t answer.Trouble) {
	if !navigation(r.Header) {
		a.answers.Problem(w, r, t)
		return
	}
	if t.Cause != nil {
		authz.NoteError(r.Context(), t.Cause)
	}
	if t.RetryAfter > 0 {
		answer.RetryAfter(w, t.RetryAfter)
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+a.Issuer+"; img-src "+a.Issuer+
		"; base-uri "+a.Issuer+"; form-action 'none'; frame-ancestors 'none'")
	a.answers.Show(w, r, t.Status, page.Error{
		Layout:  page.Layout{Now: a.Now(), Base: a.Issuer},
		Heading: t.Heading, Code: t.Code, Reason: t.Reason, Advice: t.Advice,
		ID: authz.OriginFrom(r.Context()).CorrelationID, Back: t.Back,
	})
}
