package oauth2

import (
	"errors"
	"net/http"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// UserInfo answers claims about the person behind an access token (OpenID Connect Core
// §5.3). The token comes in the Authorization header, or in the form of a POST (RFC 6750
// §2.1, §2.2); never in the query.
func (p *Provider) UserInfo(w http.ResponseWriter, r *http.Request) {
	token, e := bearer(w, r)
	if e != nil {
		p.writeBearerError(w, r, e)
		return
	}
	claims, err := p.readAccessToken(token)
	if err != nil {
		p.writeBearerError(w, r, tokenError(err))
		return
	}
	if !claims.Scope.Has(authz.ScopeOpenID) || !isPerson(claims.Subject) {
		p.writeBearerError(w, r, &Error{
			Code: "insufficient_scope", Description: "The access token needs the scope openid.", Status: http.StatusForbidden,
		})
		return
	}
	alive, err := p.live(r.Context(), claims)
	if err != nil {
		p.writeBearerError(w, r, tokenError(err))
		return
	}
	p.used(alive)
	demanded := demandsOf(alive.grant)
	out := personClaims(alive.user, claims.Scope, consentedDemands(demanded.UserInfo, claims.Scope))
	out["sub"] = claims.Subject
	writeJSON(w, http.StatusOK, out)
}

// tokenError says that a token is not good, or that nobody can tell.
func tokenError(err error) *Error {
	if errors.Is(err, ErrInvalidToken) {
		return &Error{
			Code: "invalid_token", Description: "The access token is malformed, expired or revoked.",
			Status: http.StatusUnauthorized, cause: err,
		}
	}
	return translate(err)
}

// bearer takes the access token out of a request: exactly one, in one place (RFC 6750 §2).
func bearer(w http.ResponseWriter, r *http.Request) (string, *Error) {
	var found []string
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return "", invalidRequest("There is more than one Authorization header.")
	}
	for _, value := range headers {
		// Another scheme is like no credential at all (RFC 6750 §3.1).
		if scheme, token, _ := strings.Cut(value, " "); strings.EqualFold(scheme, "Bearer") {
			found = append(found, strings.TrimLeft(token, " "))
		}
	}
	if r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := bodyParams(w, r)
		if err != nil {
			return "", translate(err)
		}
		if form.Has("access_token") {
			found = append(found, form.Get("access_token"))
		}
	}
	switch {
	case len(found) > 1:
		return "", invalidRequest("There is more than one access token.")
	case len(found) == 0:
		return "", &Error{Status: http.StatusUnauthorized} // no error code: RFC 6750 §3.1
	}
	return found[0], nil
}
