package oauth2

import (
	"context"
	"net/http"
	"time"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// Token is the token endpoint (RFC 6749 §3.2).
func (p *Provider) Token(w http.ResponseWriter, r *http.Request) {
	form, err := bodyParams(w, r)
	if err == nil {
		err = checkGrantType(form.Get("grant_type"))
	}
	if err != nil {
		p.writeError(w, r, err)
		return
	}
	request := synthetic(http.MethodPost, form)
	request.Header["Authorization"] = r.Header["Authorization"]
	response, requester, err := p.exchange(r.Context(), request)
	if err != nil {
		p.writeError(w, r, err)
		return
	}
	p.fosite.WriteAccessResponse(r.Context(), w, requester, response)
}

func (p *Provider) exchange(ctx context.Context, r *http.Request) (fosite.AccessResponder, fosite.AccessRequester, error) {
	requester, err := p.fosite.NewAccessRequest(ctx, r, &carrier{})
	if err != nil {
		return nil, nil, err
	}
	response, err := p.fosite.NewAccessResponse(ctx, requester)
	return response, requester, err
}

// grantTypes are those of the handlers in provider.go.
func grantTypes() []string {
	return []string{
		authz.GrantAuthorizationCode, authz.GrantRefreshToken, authz.GrantClientCredentials, authz.GrantTokenExchange,
	}
}

func checkGrantType(asked string) error {
	if asked == "" {
		return invalidRequest("The grant_type is missing.")
	}
	for _, known := range grantTypes() {
		if asked == known {
			return nil
		}
	}
	return fail("unsupported_grant_type", "This server does not know the grant type "+asked+".")
}

// issue is what the token endpoint has decided to hand out.
type issue struct {
	client   *authz.Client
	now      time.Time
	grant    *authz.RedeemedGrant // nil: the client acts for itself
	nonce    string               // of the first ID token only (OpenID Connect Core §12.2)
	seq      int64                // of the refresh token; 0: none
	audience audience
	scopes   authz.Scopes
	subject  *subject // of a token exchange
}

// handOut makes the tokens of an issue and fills the response (RFC 6749 §5.1).
func (p *Provider) handOut(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	is := r.GetSession().(*carrier).issue
	if is.grant != nil {
		if err := p.narrow(ctx, is, r); err != nil {
			return err
		}
	}
	token, ttl, err := p.accessToken(ctx, is)
	if err != nil {
		return err
	}
	resp.SetAccessToken(token)
	resp.SetTokenType("Bearer")
	resp.SetExpiresIn(ttl)
	resp.SetExtra("scope", is.scopes.String())
	if is.subject != nil {
		resp.SetExtra("issued_token_type", tokenTypeAccess)
	}
	if is.grant == nil {
		return nil
	}
	if is.seq > 0 {
		resp.SetExtra("refresh_token", p.sealRefresh(refreshToken{grantID: is.grant.ID, seq: is.seq}))
	}
	if !is.grant.Scopes.Has(authz.ScopeOpenID) {
		return nil
	}
	idToken, err := p.idToken(ctx, is, token)
	if err != nil {
		return err
	}
	resp.SetExtra("id_token", idToken)
	return nil
}

// narrow decides what of a grant this token request gets: the APIs and scopes that it asks
// for, never more than was granted, and never more than the person's roles give today.
func (p *Provider) narrow(ctx context.Context, is *issue, r fosite.AccessRequester) error {
	form, g := r.GetRequestForm(), is.grant
	aud, err := p.narrowAudience(ctx, g.Resources, form["resource"])
	if err != nil {
		return err
	}
	roles, err := p.Roles(ctx, g.UserRoles)
	if err != nil {
		return unavailable(err)
	}
	asked := g.Scopes
	if text := form.Get("scope"); text != "" && g.RefreshSeq > 0 {
		asked = authz.ParseScopes(text)
		if !g.Scopes.Contains(asked) {
			return invalidScope("A refresh cannot ask for more than was granted.")
		}
	}
	is.audience = aud
	is.scopes = authz.ScopeLimits{
		Client: is.client.Metadata.Scope, APIs: aud.scopes(), Roles: roles, Consented: g.Scopes,
	}.Decide(asked)
	return nil
}
