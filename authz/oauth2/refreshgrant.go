package oauth2

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// refreshGrant is the refresh token grant (RFC 6749 §6) with rotation and reuse detection
// (RFC 9700 §4.14.2). Public clients rotate always; confidential ones keep their token
// unless they are registered to rotate.
type refreshGrant struct{ p *Provider }

var _ fosite.TokenEndpointHandler = (*refreshGrant)(nil)

// CanHandleTokenEndpointRequest reports whether the request is of this grant.
func (h *refreshGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(authz.GrantRefreshToken)
}

// CanSkipClientAuth is false: every client says which it is.
func (h *refreshGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// HandleTokenEndpointRequest uses the token with one statement. Within the grace window a
// repetition gets the same successor; what is older costs the grant.
func (h *refreshGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	c := r.GetClient().(*client).Client
	if !c.Allows(authz.GrantRefreshToken) {
		return errNotRegistered(authz.GrantRefreshToken)
	}
	form, now := r.GetRequestForm(), h.p.Now()
	if !form.Has("refresh_token") {
		return invalidRequest("The refresh_token is missing.")
	}
	token, ok := h.p.openRefresh(form.Get("refresh_token"))
	if !ok {
		return errRefresh
	}
	asked := authz.ParseScopes(form.Get("scope"))
	if err := h.p.foresee(ctx, c, token.grantID, asked, form); err != nil {
		return err
	}
	claim := h.p.refreshClaim(c, token, now)
	g, err := h.p.Store.UseRefresh(ctx, claim)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return h.p.refreshRefused(ctx, claim)
	case err != nil:
		return unavailable(err)
	}
	r.GetSession().(*carrier).issue = &issue{grant: g, client: c, now: now, asked: asked, seq: g.RefreshSeq}
	return nil
}

var errRefresh = invalidGrant("The refresh token is unknown, expired, revoked, used before, or was issued to another client.")

func (p *Provider) refreshClaim(c *authz.Client, t refreshToken, now time.Time) authz.RefreshClaim {
	return authz.RefreshClaim{
		GrantID: t.grantID, ClientID: c.ID, Seq: t.seq,
		Rotate:           c.Public() || c.Metadata.RotateRefreshTokens,
		GraceSince:       now.Add(-p.RefreshGrace),
		RefreshExpiresAt: now.Add(lifetime(p.Lifetimes.RefreshIdle, c.Metadata.RefreshIdleLifetime)),
		Now:              now,
	}
}

// refreshRefused finds out whether a genuine token was refused because its successor is in
// use: then one of the two holders is a thief, and neither keeps anything.
func (p *Provider) refreshRefused(ctx context.Context, claim authz.RefreshClaim) error {
	err := p.Store.RevokeReusedRefresh(ctx, claim.GrantID, claim.ClientID, claim.Seq, claim.Now)
	switch {
	case err == nil:
		p.record(ctx, authz.Event{
			Kind: authz.EventRefreshReuse, Actor: claim.ClientID, ClientID: claim.ClientID, GrantID: claim.GrantID,
		})
	case !errors.Is(err, authz.ErrNotFound):
		return unavailable(err)
	}
	return errRefresh
}

// PopulateTokenEndpointResponse hands out the tokens.
func (h *refreshGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	return h.p.handOut(ctx, r, resp)
}
