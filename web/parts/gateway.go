package parts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/web/gatewayapi"
)

// gateway makes what answers the checks of reverse proxies.
func (p *Parts) gateway(_ context.Context, c Config) (err error) {
	p.Gateway, err = gateway.New(gateway.Config{
		APIs: p.registered, Tokens: apiTokens{p.APITokens}, AccessTokens: accessTokens{p.Protocol},
		Sessions: c.Store, Roles: p.People.RolesOf, Mint: p.mint, GrantUsed: p.grantUsed,
		Seen:      func(ctx context.Context, s *authz.Session) { p.seen(ctx, s, c.Now()) },
		CookieKey: c.Master.Derive("gateway cookies"), Now: c.Now, Random: c.Random,
	})
	if err != nil {
		return fmt.Errorf("set up gateway: %w", err)
	}
	p.Checks, err = gatewayapi.New(gatewayapi.Config{
		Issuer: c.Issuer, TrustedProxies: c.TrustedProxies, Gateway: p.Gateway, Grants: p.Protocol,
		Client: func(ctx context.Context, api *authz.API) (string, error) { return p.gatewayClient(ctx, api, c.Now()) },
		Pages:  p.pages, Now: c.Now,
	})
	return err
}

// registered gives all APIs, the same slice until one has changed.
func (p *Parts) registered(ctx context.Context) ([]*authz.API, error) {
	all, err := p.APIs.All(ctx)
	if err != nil {
		return nil, err
	}
	return all.APIs(), nil
}

func (p *Parts) mint(_ context.Context, c gateway.Claims) (string, time.Time, error) {
	return p.Protocol.MintForGateway(oauth2.GatewayToken{
		API: c.API, Scopes: c.Scopes, ClientID: c.ClientID, User: c.User, Origin: c.Origin, Status: c.Status,
		AuthTime: c.AuthTime, ACR: c.ACR, AMR: c.AMR, Lifetime: c.Lifetime, Token: c.Token,
	})
}

// gatewayClient sees to it that an API has its client, which the authorization endpoint
// looks up from memory.
func (p *Parts) gatewayClient(ctx context.Context, api *authz.API, now time.Time) (string, error) {
	id := gateway.ClientID(api.Identifier)
	changed, err := gateway.Register(ctx, p.store, api, now)
	if err != nil {
		return "", err
	}
	if changed {
		p.clientCache.Forget(id)
		p.Audit.Record(ctx, authz.Event{Kind: authz.EventClientCreated, Actor: "system", ClientID: id, Detail: map[string]string{"api": api.Identifier}})
	}
	return id, nil
}

// seen keeps the session of a person alive who visits nothing but what is behind a gateway.
func (p *Parts) seen(ctx context.Context, s *authz.Session, now time.Time) {
	idle := s.IdleExpiresAt.Sub(s.LastSeenAt)
	if err := p.store.TouchSession(ctx, s.ID, now, now.Add(-time.Minute), now.Add(idle)); err != nil {
		p.log.WarnContext(ctx, "note visit", slog.Any("error", err))
	}
}

// apiTokens shows API tokens to the gateway.
type apiTokens struct{ *apitoken.Service }

// APIToken says whose a token is, wherever it comes from.
func (t apiTokens) APIToken(ctx context.Context, token string) (*gateway.Identity, error) {
	v, err := t.Find(ctx, token)
	if errors.Is(err, apitoken.ErrInvalid) {
		return nil, fmt.Errorf("%w: %w", gateway.ErrRefused, err)
	}
	if err != nil {
		return nil, err
	}
	who := &gateway.Identity{
		User: v.User, ClientID: v.Token.ID, Audience: []string{v.Token.API}, Granted: v.Token.Scopes,
		Networks: v.Token.Networks, Ends: v.Token.ExpiresAt, Origin: v.Token.ID, Status: v.Token.StatusIndex,
	}
	if v.Token.ClientID != "" {
		who.Clients = []string{v.Token.ClientID}
	}
	return who, nil
}

// accessTokens shows access tokens to the gateway.
type accessTokens struct{ *oauth2.Provider }

// AccessToken says whose a token is.
func (t accessTokens) AccessToken(ctx context.Context, token string) (*gateway.Identity, error) {
	shown, err := t.ShownAtGateway(ctx, token)
	if errors.Is(err, oauth2.ErrInvalidToken) {
		return nil, fmt.Errorf("%w: %w", gateway.ErrRefused, err)
	}
	if err != nil {
		return nil, err
	}
	return &gateway.Identity{
		User: shown.User, ClientID: shown.ClientID, Clients: shown.Clients, Audience: shown.Audience, Granted: shown.Scopes,
		Networks: shown.Networks, Ends: shown.Ends, Origin: shown.Origin, TokenID: shown.TokenID,
		AuthTime: shown.AuthTime, ACR: shown.ACR, AMR: shown.AMR,
	}, nil
}
