package oauth2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/signet-auth/signet/authz"
)

// GatewayToken says what the short access token shall say that a gateway hands to a
// service, and what credential it stands for.
type GatewayToken struct {
	API      *authz.API
	Scopes   authz.Scopes
	ClientID string // who asks: a client, or the id of an API token
	User     *authz.User
	Origin   string // the grant or API token behind it; its id begins the jti
	Status   int64  // the place of that in the status lists
	AuthTime time.Time
	ACR      string
	AMR      []string
	Lifetime time.Duration
	// Token is the access token that was shown, if one was: its subject, actor and
	// confirmation are kept.
	Token string
}

// MintForGateway makes a short access token (RFC 9068) for a service behind a gateway, from
// memory but for what the API wants to be told about a client's subject. It says when the
// token ends.
func (p *Provider) MintForGateway(g GatewayToken) (string, time.Time, error) {
	now := p.Now()
	ends := now.Add(g.Lifetime)
	claims := accessClaims{
		Issuer: p.Issuer, Subject: g.ClientID, Audience: list{g.API.Identifier}, ClientID: g.ClientID,
		Scope: g.Scopes, IssuedAt: now.Unix(), ID: g.Origin, Status: authz.StatusAt(p.Issuer, g.Status),
		ACR: g.ACR, AMR: g.AMR,
	}
	if g.User != nil {
		claims.Subject, claims.personal = g.User.ID, personalOf(g.User, audience{g.API}.claims())
	}
	if !g.AuthTime.IsZero() {
		claims.AuthTime = g.AuthTime.Unix()
	}
	if g.Token != "" {
		shown, err := p.readAccessToken(g.Token)
		if err != nil {
			return "", time.Time{}, err
		}
		claims.Subject, claims.Actor, claims.Confirm, claims.Status = shown.Subject, shown.Actor, shown.Confirm, shown.Status
		claims.AuthTime, claims.ACR, claims.AMR = shown.AuthTime, shown.ACR, shown.AMR
		claims.ID = originID(shown.ID)
		if shownEnds := time.Unix(shown.Expires, 0); shownEnds.Before(ends) {
			ends = shownEnds
		}
	}
	claims.Expires = ends.Unix()
	token, err := p.signAccess(&claims)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("mint token for gateway: %w", err)
	}
	return token, ends, nil
}

// Shown is who shows a good access token to a gateway.
type Shown struct {
	User     *authz.User // nil: a client acts for itself
	ClientID string
	// Clients are all that had to be enabled for the token to be good: who holds it, who acts
	// in between, and whom a person's grant was given to.
	Clients  []string
	Audience []string
	Scopes   authz.Scopes
	Networks []netip.Prefix // where it may come from; empty: anywhere
	Ends     time.Time
	Origin   string // the grant or API token behind it; empty for a client's own
	TokenID  string
	AuthTime time.Time // zero: no person has logged in for it
	ACR      string
	AMR      []string
}

// ShownAtGateway verifies an access token of ours in full, revocation included, with at
// most one statement, and says what stands behind it. The error is ErrInvalidToken, or an
// outage. The audience is for the caller to check.
func (p *Provider) ShownAtGateway(ctx context.Context, token string) (*Shown, error) {
	claims, err := p.readAccessToken(token)
	if err != nil {
		return nil, err
	}
	behind, err := p.live(ctx, claims)
	if err != nil {
		return nil, err
	}
	shown := &Shown{
		User: behind.user, ClientID: claims.ClientID, Clients: claims.clients(), Audience: claims.Audience, Scopes: claims.Scope,
		Networks: behind.networks(claims), Ends: time.Unix(claims.Expires, 0), TokenID: claims.ID, ACR: claims.ACR, AMR: claims.AMR,
	}
	if behind.user != nil {
		shown.Origin = originID(claims.ID)
	}
	if behind.grant != nil {
		shown.Clients = append(shown.Clients, behind.grant.ClientID)
	}
	if behind.token != nil && behind.token.ClientID != "" {
		shown.Clients = append(shown.Clients, behind.token.ClientID)
	}
	if claims.AuthTime != 0 {
		shown.AuthTime = time.Unix(claims.AuthTime, 0)
	}
	return shown, nil
}

// RedeemForGateway spends an authorization code of a gateway's client in process and gives
// the id of its grant. authz.ErrNotFound when the code is not good, for whatever reason; a
// code that was spent before costs its grant, as at the token endpoint (RFC 6749 §4.1.2).
// Any other error is an outage.
func (p *Provider) RedeemForGateway(ctx context.Context, clientID, code, redirectURI string, verifier authz.Secret) (string, error) {
	c, err := p.usable(ctx, clientID, invalidClient("The client is unknown or disabled."))
	if err != nil {
		return "", notGood(err)
	}
	claim, err := p.codeClaim(c, code, redirectURI, verifier.Reveal(), p.Now())
	if err != nil {
		return "", notGood(err)
	}
	g, err := p.Store.RedeemCode(ctx, claim)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return "", notGood(p.codeRefused(ctx, claim))
	case err != nil:
		return "", unavailable(err)
	}
	return g.ID, nil
}

// notGood makes authz.ErrNotFound of a refusal and leaves an outage as it is.
func notGood(err error) error {
	if translate(err).Status == http.StatusServiceUnavailable {
		return err
	}
	return fmt.Errorf("redeem code at gateway: %w: %w", authz.ErrNotFound, err)
}

// EndForGateway revokes a grant of a gateway's client, because its person signs out at a
// protected host. Doing so twice is fine.
func (p *Provider) EndForGateway(ctx context.Context, clientID, grantID string) error {
	n, err := p.Store.RevokeGrant(ctx, grantID, clientID, authz.RevokedByUser, p.Now())
	if err != nil {
		return unavailable(err)
	}
	if n > 0 {
		p.record(ctx, authz.Event{Kind: authz.EventGrantRevoked, Actor: clientID, ClientID: clientID, GrantID: grantID})
	}
	return nil
}
