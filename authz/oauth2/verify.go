package oauth2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// TokenInfo is what a good access token says.
type TokenInfo struct {
	Subject  string // a person or a client
	UserID   string // the person; empty when the client acts for itself
	ClientID string
	Scopes   authz.Scopes
	Audience []string
	// Exchanged tells that a service acts with it for another client (RFC 8693 §4.1).
	Exchanged bool
	// Networks are where it may come from, those of the API token that it stands for; empty:
	// anywhere. They are for the caller to check.
	Networks []netip.Prefix
}

// AccessToken verifies an access token of ours in full, revocation included, with at most
// one statement. Its scopes are those that are left today. The error is ErrInvalidToken, or
// an outage. The audience is for the caller to check: it knows which API it is.
func (p *Provider) AccessToken(ctx context.Context, token string) (*TokenInfo, error) {
	claims, err := p.readAccessToken(token)
	if err != nil {
		return nil, err
	}
	behind, err := p.live(ctx, claims)
	if err != nil {
		return nil, err
	}
	scopes, err := p.scopesNow(ctx, claims, behind)
	if err != nil {
		return nil, err
	}
	if slices.Contains(claims.Audience, p.Issuer) { // elsewhere it is of no use
		p.used(behind)
	}
	info := &TokenInfo{
		Subject: claims.Subject, ClientID: claims.ClientID, Scopes: scopes, Audience: claims.Audience,
		Exchanged: claims.Actor != nil, Networks: behind.networks(claims),
	}
	if isPerson(claims.Subject) {
		info.UserID = claims.Subject
	}
	return info, nil
}

// readAccessToken verifies the signature, kind, issuer and time of an access token.
func (p *Provider) readAccessToken(token string) (*accessClaims, error) {
	claims, err := p.parseAccessToken(token)
	if err != nil {
		return nil, err
	}
	if expired(claims.Expires, p.Now()) {
		return nil, fmt.Errorf("%w: expired", ErrInvalidToken)
	}
	return claims, nil
}

// parseAccessToken is readAccessToken for tokens that may have expired.
func (p *Provider) parseAccessToken(token string) (*accessClaims, error) {
	typ, raw, err := p.Keys.Verify(token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidToken, err)
	}
	if typ != typAccessToken {
		return nil, fmt.Errorf("%w: not an access token", ErrInvalidToken)
	}
	var claims accessClaims
	if err := json.Unmarshal(raw, &claims); err != nil || claims.Issuer != p.Issuer {
		return nil, fmt.Errorf("%w: not of this issuer", ErrInvalidToken)
	}
	return &claims, nil
}

// liveness is what stands behind a token that is still good.
type liveness struct {
	grant *authz.Grant    // nil: the client acts for itself, or an API token is behind it
	token *authz.APIToken // nil: none is behind it
	user  *authz.User
}

// networks are where a token may come from: a short token of an API token from where that
// may. A service that has exchanged it shows it from where the service is.
func (l liveness) networks(claims *accessClaims) []netip.Prefix {
	if l.token == nil || claims.Actor != nil {
		return nil
	}
	return l.token.Networks
}

// used notes that a token was good for something. A client's own has no grant.
func (p *Provider) used(l liveness) {
	if l.grant != nil && p.GrantUsed != nil {
		p.GrantUsed(l.grant.ID)
	}
}

// live asks whether a token, its grant, its person and its clients are still good.
func (p *Provider) live(ctx context.Context, claims *accessClaims) (liveness, error) {
	if err := p.clientsLive(ctx, claims, claims.clients()...); err != nil {
		return liveness{}, err
	}
	if !isPerson(claims.Subject) {
		revoked, err := p.Store.TokenRevoked(ctx, claims.ID)
		switch {
		case err != nil:
			return liveness{}, unavailable(err)
		case revoked:
			return liveness{}, fmt.Errorf("%w: revoked", ErrInvalidToken)
		}
		return liveness{}, nil
	}
	id, ok := grantOf(claims.ID)
	if !ok {
		return p.liveByAPIToken(ctx, claims)
	}
	g, u, err := p.Store.LiveGrant(ctx, id, claims.ID, p.Now())
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return liveness{}, fmt.Errorf("%w: revoked", ErrInvalidToken)
	case err != nil:
		return liveness{}, unavailable(err)
	case g.UserID != claims.Subject:
		return liveness{}, fmt.Errorf("%w: of another grant", ErrInvalidToken)
	}
	// An exchanged token rests on a grant to another client than its own.
	return liveness{grant: g, user: u}, p.clientsLive(ctx, claims, g.ClientID)
}

// clients are those that a token names: who holds it, who acts for whom, and whose it is
// when that is no person. A short token of an API token has that for a client, which
// LiveAPIToken asks about.
func (c *accessClaims) clients() []string {
	var out []string
	if id, ok := apiTokenOf(c.ID); !ok || c.ClientID != id {
		out = append(out, c.ClientID)
	}
	for a := c.Actor; a != nil; a = a.Actor {
		out = append(out, a.Subject)
	}
	if !isPerson(c.Subject) {
		out = append(out, c.Subject)
	}
	return out
}

// clientsLive asks whether the clients of a token are enabled, and registered since before
// it was made: one of the same name that came later is another. It asks memory where it can.
func (p *Provider) clientsLive(ctx context.Context, claims *accessClaims, ids ...string) error {
	for _, id := range ids {
		c, err := p.usable(ctx, id, fail("invalid_token", ""))
		if err != nil {
			return deadOr(err)
		}
		if claims.IssuedAt < c.CreatedAt.Add(-clockSkew).Unix() {
			return fmt.Errorf("%w: of an earlier client", ErrInvalidToken)
		}
	}
	return nil
}

// scopesNow gives what is left of the scopes of a live token: a role that was taken from its
// person, or a scope from its client, counts at once for those who ask.
func (p *Provider) scopesNow(ctx context.Context, claims *accessClaims, behind liveness) (authz.Scopes, error) {
	var limits authz.ScopeLimits
	// What an API token may do is no client's matter, and what an exchange gave is its policy's.
	if _, ofToken := apiTokenOf(claims.ID); !ofToken && claims.Actor == nil {
		c, err := p.usable(ctx, claims.ClientID, fail("invalid_token", ""))
		if err != nil {
			return nil, deadOr(err)
		}
		limits.Client = c.Metadata.Scope.Bound()
	}
	if behind.user != nil {
		var err error
		if limits.Roles, err = p.Roles(ctx, behind.user.Roles); err != nil {
			return nil, unavailable(err)
		}
	}
	return limits.Decide(claims.Scope), nil
}

// liveByAPIToken asks about a short token that the gateway made of an API token.
func (p *Provider) liveByAPIToken(ctx context.Context, claims *accessClaims) (liveness, error) {
	id, ok := apiTokenOf(claims.ID)
	if !ok {
		return liveness{}, fmt.Errorf("%w: of no grant", ErrInvalidToken)
	}
	t, u, err := p.Store.LiveAPIToken(ctx, id, p.Now())
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return liveness{}, fmt.Errorf("%w: revoked", ErrInvalidToken)
	case err != nil:
		return liveness{}, unavailable(err)
	case t.UserID != claims.Subject:
		return liveness{}, fmt.Errorf("%w: of another API token", ErrInvalidToken)
	}
	return liveness{token: t, user: u}, nil
}

// deadOr makes ErrInvalidToken of a refusal and leaves an outage as it is.
func deadOr(err error) error {
	if e := translate(err); e.Code != "temporarily_unavailable" {
		return fmt.Errorf("%w: the client is gone", ErrInvalidToken)
	}
	return err
}

func isPerson(subject string) bool { return strings.HasPrefix(subject, authz.PrefixUser) }
