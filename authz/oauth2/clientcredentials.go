package oauth2

import (
	"context"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// clientCredentialsGrant is the client credentials grant (RFC 6749 §4.4). With a cached
// client it touches no database.
type clientCredentialsGrant struct{ p *Provider }

var _ fosite.TokenEndpointHandler = (*clientCredentialsGrant)(nil)

// CanHandleTokenEndpointRequest reports whether the request is of this grant.
func (h *clientCredentialsGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(authz.GrantClientCredentials)
}

// CanSkipClientAuth is false: every client says which it is.
func (h *clientCredentialsGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool {
	return false
}

// HandleTokenEndpointRequest decides what the client may have for itself.
func (h *clientCredentialsGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	c := r.GetClient().(*client).Client
	switch {
	case c.Public():
		return fail("unauthorized_client", "A public client cannot act for itself: it has nothing to prove who it is.")
	case !c.Allows(authz.GrantClientCredentials):
		return errNotRegistered(authz.GrantClientCredentials)
	}
	form := r.GetRequestForm()
	aud, err := h.p.chooseAudience(ctx, c, form["resource"])
	if err != nil {
		return err
	}
	asked, err := askedScopes(c, aud, form.Get("scope"))
	if err != nil {
		return err
	}
	// The scopes of OpenID Connect are about a person, and here is none.
	if form.Get("scope") != "" && len(asked.Within(authz.OIDCScopes())) > 0 {
		return invalidScope("The scopes of OpenID Connect need a person: they cannot be had with client credentials.")
	}
	scopes := authz.ScopeLimits{Client: c.Metadata.Scope.Bound(), APIs: aud.scopes()}.Decide(asked.Without(authz.OIDCScopes()))
	r.GetSession().(*carrier).issue = &issue{client: c, now: h.p.Now(), audience: aud, scopes: scopes}
	return nil
}

// PopulateTokenEndpointResponse hands out the token, and never a refresh token (RFC 6749
// §4.4.3).
func (h *clientCredentialsGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	return h.p.handOut(ctx, r, resp)
}
