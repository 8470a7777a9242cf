package oauth2

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Revoke is the revocation endpoint (RFC 7009). A refresh token takes its grant with it; an
// access token goes alone. A token that is unknown or dead is revoked already (§2.2). An
// outage is 503: a client must know that its token may still work.
func (p *Provider) Revoke(w http.ResponseWriter, r *http.Request) {
	form, err := bodyParams(w, r)
	if err != nil {
		p.writeError(w, r, err)
		return
	}
	c, err := p.authenticate(r.Context(), r.Header, form)
	if err == nil && form.Get("token") == "" {
		err = invalidRequest("The token is missing.")
	}
	if err == nil {
		err = p.revoke(r.Context(), c, form.Get("token"))
	}
	if err != nil {
		p.writeError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

func (p *Provider) revoke(ctx context.Context, c *authz.Client, token string) error {
	if strings.HasPrefix(token, authz.PrefixRefreshToken) {
		return p.revokeRefresh(ctx, c, token)
	}
	claims, err := p.parseAccessToken(token)
	if err != nil {
		return nil //nolint:nilerr // not a token of ours: there is nothing to revoke (RFC 7009 §2.2)
	}
	if claims.ClientID != c.ID {
		return errForeignToken
	}
	now := p.Now()
	if expired(claims.Expires, now) {
		return nil
	}
	if err := p.Store.RevokeToken(ctx, claims.ID, now, time.Unix(claims.Expires, 0)); err != nil {
		return unavailable(err)
	}
	p.record(ctx, authz.Event{
		Kind: authz.EventTokenRevoked, Actor: c.ID, ClientID: c.ID, UserID: personOf(claims.Subject),
		Detail: map[string]string{"jti": claims.ID},
	})
	return nil
}

// errForeignToken refuses to revoke for a client what another one holds (RFC 7009 §2.1).
var errForeignToken = invalidGrant("The token was issued to another client.")

// revokeRefresh revokes the grant of a refresh token, be it the live one of its sequence or
// an older one: whoever holds any of them wants none of them to work.
func (p *Provider) revokeRefresh(ctx context.Context, c *authz.Client, token string) error {
	t, ok := p.openRefresh(token)
	if !ok {
		return nil
	}
	n, err := p.Store.RevokeGrant(ctx, t.grantID, c.ID, authz.RevokedByClient, p.Now())
	if err != nil {
		return unavailable(err)
	}
	if n > 0 {
		p.record(ctx, authz.Event{Kind: authz.EventGrantRevoked, Actor: c.ID, ClientID: c.ID, GrantID: t.grantID})
	}
	return nil
}

func personOf(subject string) string {
	if isPerson(subject) {
		return subject
	}
	return ""
}
