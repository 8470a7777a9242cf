package oauth2

import (
	"context"
	"fmt"
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
		wanted := audience{g.API}.claims()
		claims.Subject = g.User.ID
		claims.fill(g.User, wanted)
		if wanted.Has("roles") {
			claims.Roles = g.User.Roles
		}
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

// GatewaySession is what stands behind the cookie of a browser at a protected host.
type GatewaySession struct {
	Grant *authz.Grant
	User  *authz.User
}

// SessionGrant reads a live grant by its id, for the gateway.
func (p *Provider) SessionGrant(ctx context.Context, grantID string) (GatewaySession, error) {
	g, u, err := p.Store.LiveGrant(ctx, grantID, "", p.Now())
	return GatewaySession{Grant: g, User: u}, err
}
