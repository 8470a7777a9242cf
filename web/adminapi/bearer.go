package adminapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/oauth2"
)

// authenticate finds out who calls and that they hold the scope (RFC 6750). A token counts
// in the Authorization header only.
func (a *API) authenticate(r *http.Request, scope string) (*oauth2.TokenInfo, error) {
	token, err := bearerToken(r.Header)
	if err != nil {
		return nil, err
	}
	info, err := a.Tokens.AccessToken(r.Context(), token)
	switch {
	case errors.Is(err, oauth2.ErrInvalidToken):
		return nil, badToken("The token is not valid, or not any more.")
	case errors.Is(err, apitoken.ErrAddress):
		return nil, badToken("The API token may not be used from this address.")
	case err != nil:
		return nil, err
	case !slices.Contains(info.Audience, a.Issuer):
		return nil, badToken("The token is not for this API: ask for one with resource=" + a.Issuer + ".")
	case !info.Scopes.Has(scope) && !info.Scopes.Has(authz.ScopeAdmin):
		return nil, missingScope(scope)
	}
	return info, nil
}

func bearerToken(h http.Header) (string, error) {
	values := h.Values("Authorization")
	switch {
	case len(values) == 0: // RFC 6750 §3.1: no error code for who did not try
		return "", challenge(http.StatusUnauthorized, "unauthorized", "Send an access token or an API token: Authorization: Bearer …", "")
	case len(values) > 1:
		return "", challenge(http.StatusBadRequest, "invalid_request", "There is more than one Authorization header.", "")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimLeft(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " ,\t") {
		return "", challenge(http.StatusUnauthorized, "unauthorized", "Send an access token or an API token: Authorization: Bearer …", "")
	}
	return token, nil
}

func badToken(detail string) error {
	return challenge(http.StatusUnauthorized, "invalid_token", detail, "")
}

func missingScope(scope string) error {
	return challenge(http.StatusForbidden, "insufficient_scope",
		"The token does not have the scope "+scope+".", scope)
}

// notAPerson refuses a client's own token where it is about a person. To RFC 6750 §3.1 that
// is a privilege that the token lacks.
func notAPerson() error {
	e := challenge(http.StatusForbidden, "insufficient_scope",
		"This is about what belongs to a person, and the token is the client's own: have a person sign in and allow it.", "")
	e.code = "person_required"
	return e
}

// challenge is a refusal with the header of RFC 6750 §3.
func challenge(status int, code, detail, scope string) *refusal {
	value := `Bearer realm="signet"`
	if code != "unauthorized" {
		value += `, error="` + code + `", error_description="` + detail + `"`
	}
	if scope != "" {
		value += `, scope="` + scope + `"`
	}
	return &refusal{status: status, code: code, detail: detail, header: http.Header{"Www-Authenticate": {value}}}
}

// mayTouch says whether the caller may hand out scopes, or change what holds them. Nobody
// gives away power over this server that they do not have themselves: who may register
// clients could otherwise register an administrator.
func (c *call) mayTouch(scopes authz.Scopes) error {
	if c.caller.Scopes.Has(authz.ScopeAdmin) {
		return nil
	}
	power := scopes.Within(authz.ServerScopes()).Without(authz.Scopes{authz.ScopeAccount})
	if more := power.Without(c.caller.Scopes); len(more) > 0 {
		return challenge(http.StatusForbidden, "insufficient_scope",
			"This is about the scope "+more[0]+", which the token does not have itself.", more[0])
	}
	return nil
}

// asCaller puts the caller where the audit log looks for who is asking, and with what.
func asCaller(ctx context.Context, info *oauth2.TokenInfo) context.Context {
	return authz.WithClient(authz.WithSession(ctx, nil, &authz.User{ID: info.Subject}), info.ClientID)
}
