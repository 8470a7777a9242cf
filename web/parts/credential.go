package parts

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/authz/ratelimit"
)

// How many reports of leaked tokens an address may send: some at once, then one each refill.
const (
	leakBurst  = 20
	leakRefill = 5 * time.Second
)

func leakReports(now func() time.Time) *ratelimit.Limiter {
	return ratelimit.New(ratelimit.Config{Burst: leakBurst, Refill: leakRefill, Now: now})
}

// credentials are what the REST API takes: access tokens, and API tokens in the same place.
type credentials struct {
	issuer       string
	accessTokens *oauth2.Provider
	apiTokens    *apitoken.Service
}

// AccessToken verifies whichever of the two it is, for the address that the request came
// from.
func (c credentials) AccessToken(ctx context.Context, token string) (*oauth2.TokenInfo, error) {
	origin := authz.OriginFrom(ctx)
	address, _ := netip.ParseAddr(origin.Address)        // unknown: within no network
	if !strings.HasPrefix(token, authz.PrefixAPIToken) { // no JWT begins so
		info, err := c.accessTokens.AccessToken(ctx, token)
		if err == nil && !authz.AllowedFrom(info.Networks, address.WithZone("")) {
			return nil, apitoken.ErrAddress
		}
		return info, err
	}
	v, err := c.apiTokens.Verify(ctx, token, address)
	if errors.Is(err, apitoken.ErrInvalid) {
		return nil, fmt.Errorf("%w: %w", oauth2.ErrInvalidToken, err)
	}
	if err != nil {
		return nil, err
	}
	if v.Token.API == c.issuer { // elsewhere it was of no use
		c.apiTokens.Used(v.Token.ID, address, origin.UserAgent)
	}
	return &oauth2.TokenInfo{
		Subject: v.User.ID, UserID: v.User.ID, ClientID: v.Token.ID, Scopes: v.Scopes, Audience: []string{v.Token.API},
	}, nil
}
