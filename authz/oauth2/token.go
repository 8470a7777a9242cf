package oauth2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	if slices.Contains(grantTypes(), asked) {
		return nil
	}
	return fail("unsupported_grant_type", "This server does not know the grant type "+asked+".")
}

// issue is what the token endpoint has decided to hand out.
type issue struct {
	client   *authz.Client
	now      time.Time
	grant    *authz.RedeemedGrant // nil: the client acts for itself
	nonce    string               // of the first ID token only (OpenID Connect Core §12.2)
	asked    authz.Scopes         // by a refresh (RFC 6749 §6); none: all that was granted
	seq      int64                // of the refresh token; 0: none
	audience audience
	scopes   authz.Scopes
	subject  *subject // of a token exchange
}

// handOut makes the tokens of an issue and fills the response (RFC 6749 §5.1).
func (p *Provider) handOut(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	is := r.GetSession().(*carrier).issue
	if is.grant != nil {
		if err := p.narrow(ctx, is, r.GetRequestForm()); err != nil {
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
	if len(is.scopes) > 0 { // a scope has at least one token (RFC 6749 §3.3)
		resp.SetExtra("scope", is.scopes.String())
	}
	if is.subject != nil {
		resp.SetExtra("issued_token_type", tokenTypeAccess)
	}
	if is.grant == nil {
		return nil
	}
	if is.seq > 0 {
		resp.SetExtra("refresh_token", p.sealRefresh(refreshToken{grantID: is.grant.ID, seq: is.seq}))
	}
	if !is.scopes.Has(authz.ScopeOpenID) {
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
// for, never more than was granted, and never more than the client and the person's roles
// give today.
func (p *Provider) narrow(ctx context.Context, is *issue, form url.Values) error {
	g := is.grant
	aud, err := p.narrowAudience(ctx, is.client, g.Resources, form["resource"])
	if err != nil {
		return err
	}
	roles, err := p.Roles(ctx, g.UserRoles)
	if err != nil {
		return unavailable(err)
	}
	asked := g.Scopes
	if len(is.asked) > 0 {
		asked = is.asked
	}
	if !g.Scopes.Contains(asked) {
		return invalidScope("A refresh cannot ask for more than was granted.")
	}
	is.audience = aud
	is.scopes = authz.ScopeLimits{
		Client: is.client.Metadata.Scope.Bound(), APIs: aud.scopes(), Roles: roles, Consented: g.Scopes.Bound(),
	}.Decide(asked)
	if len(is.scopes) == 0 && len(is.asked) > 0 {
		return invalidScope("Nothing is left of what the refresh asks for.")
	}
	return nil
}

// foresee finds out whether a request asks for what its grant does not have, before a code
// is spent or a refresh token rotated on it: a mistake must not cost what nobody gets back.
// What was granted never changes, so it may be read first. A grant that is not the client's
// or not live is left to the statement that spends.
func (p *Provider) foresee(ctx context.Context, c *authz.Client, grantID string, asked authz.Scopes, form url.Values) error {
	if alg := idTokenAlg(c); c.Metadata.Scope.Has(authz.ScopeOpenID) && !slices.Contains(p.algorithms, alg) {
		return unavailable(fmt.Errorf("client %s has its ID tokens signed with %s, which the setting key-algorithms does not name", c.ID, alg))
	}
	if len(asked) == 0 && !form.Has("resource") {
		return nil
	}
	g, u, err := p.Store.LiveGrant(ctx, grantID, "", p.Now())
	switch {
	case errors.Is(err, authz.ErrNotFound) || err == nil && g.ClientID != c.ID:
		return nil
	case err != nil:
		return unavailable(err)
	}
	return p.narrow(ctx, &issue{client: c, grant: &authz.RedeemedGrant{Grant: *g, UserRoles: u.Roles}, asked: asked}, form)
}
