package oauth2

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

// The typ of our tokens, which keeps one kind from being taken for another (RFC 8725 §3.11).
const (
	typAccessToken = "at+jwt" // RFC 9068 §2.1
	typIDToken     = "JWT"
)

// list is a JSON array of strings, or the bare string when it has one member, as aud is
// (RFC 7519 §4.1.3).
type list []string

// MarshalJSON writes one member as a string.
func (l list) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]string(l))
}

// UnmarshalJSON reads a string or an array of strings.
func (l *list) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*l = make(list, 1)
		return json.Unmarshal(raw, &(*l)[0])
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

// accessClaims are those of RFC 9068 §2.2, the actor of RFC 8693 §4.1, and the place in
// the status lists.
type accessClaims struct {
	Issuer   string          `json:"iss"`
	Subject  string          `json:"sub"`
	Audience list            `json:"aud"`
	ClientID string          `json:"client_id"`
	Scope    authz.Scopes    `json:"scope,omitempty"`
	IssuedAt int64           `json:"iat"`
	Expires  int64           `json:"exp"`
	ID       string          `json:"jti"`
	AuthTime int64           `json:"auth_time,omitempty"`
	ACR      string          `json:"acr,omitempty"`
	AMR      []string        `json:"amr,omitempty"`
	Actor    *actor          `json:"act,omitempty"`
	Confirm  json.RawMessage `json:"cnf,omitempty"`
	Status   *authz.Status   `json:"status,omitempty"`
	personal
}

// personal is what an API may want to be told about a person (API.Claims).
type personal struct {
	Roles         []string `json:"roles,omitempty"`
	Username      string   `json:"preferred_username,omitempty"`
	Name          string   `json:"name,omitempty"`
	Email         string   `json:"email,omitempty"`
	EmailVerified *bool    `json:"email_verified,omitempty"`
}

// accessToken makes the access token of an issue (RFC 9068) and says how long it lives.
func (p *Provider) accessToken(ctx context.Context, is *issue) (string, time.Duration, error) {
	ttl := lifetime(p.Lifetimes.AccessToken, is.audience.lifetime(), is.client.Metadata.AccessTokenLifetime)
	claims := accessClaims{
		Issuer: p.Issuer, Subject: is.client.ID, Audience: is.audience.identifiers(), ClientID: is.client.ID,
		Scope: is.scopes, IssuedAt: is.now.Unix(),
	}
	var err error
	switch {
	case is.subject != nil:
		ttl = min(ttl, maxOnBehalf, time.Unix(is.subject.claims.Expires, 0).Sub(is.now))
		is.subject.describe(&claims)
		claims.personal, err = p.personal(ctx, is.audience, is.subject.userID(), is.subject.roles)
	case is.grant != nil:
		ttl = min(ttl, is.grant.ExpiresAt.Sub(is.now))
		describeGrant(&claims, &is.grant.Grant, p.Issuer)
		claims.personal, err = p.personal(ctx, is.audience, is.grant.UserID, is.grant.UserRoles)
	default:
		err = p.describeClient(ctx, &claims, is.client)
	}
	if err != nil {
		return "", 0, err
	}
	claims.Expires = is.now.Add(ttl).Unix()
	token, err := p.signAccess(&claims)
	if err != nil {
		return "", 0, unavailable(err)
	}
	return token, ttl, nil
}

// describeGrant says who logged in, how, and where the grant stands in the status lists.
// The token's id is completed by signAccess.
func describeGrant(c *accessClaims, g *authz.Grant, issuer string) {
	c.Subject, c.ACR, c.AMR, c.AuthTime = g.UserID, g.ACR, g.AMR, g.AuthTime.Unix()
	c.ID, c.Status = g.ID, authz.StatusAt(issuer, g.StatusIndex)
}

func (p *Provider) describeClient(ctx context.Context, c *accessClaims, client *authz.Client) error {
	index, err := p.Statuses.ClientIndex(ctx, client)
	if err != nil {
		return notFoundOr(err, invalidClient(errUnknownClient))
	}
	c.Status = authz.StatusAt(p.Issuer, index)
	return nil
}

// signAccess completes the id of a token, which begins with what it came from, and signs.
func (p *Provider) signAccess(c *accessClaims) (string, error) {
	var err error
	if c.ID, err = newTokenID(p.Random, c.ID); err != nil {
		return "", err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write access token: %w", err)
	}
	token, err := p.Keys.Sign("", typAccessToken, raw)
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return token, nil
}

// personal gives what the APIs of a token want to be told about a person. The person is
// read only when one of them wants more than the roles.
func (p *Provider) personal(ctx context.Context, aud audience, userID string, roles []string) (personal, error) {
	var out personal
	wanted := aud.claims()
	if len(wanted) == 0 || userID == "" {
		return out, nil
	}
	if wanted.Has("roles") {
		out.Roles = roles
	}
	if len(wanted.Without(authz.Scopes{"roles"})) == 0 {
		return out, nil
	}
	u, err := p.Store.User(ctx, userID)
	if err != nil {
		return out, notFoundOr(err, invalidGrant("The person's account is gone."))
	}
	out.fill(u, wanted)
	return out, nil
}

func (c *personal) fill(u *authz.User, wanted authz.Scopes) {
	if wanted.Has("preferred_username") {
		c.Username = u.Username
	}
	if wanted.Has("name") {
		c.Name = u.Profile.Name
	}
	if wanted.Has("email") {
		c.Email = u.Email
	}
	if wanted.Has("email_verified") && u.Email != "" {
		c.EmailVerified = &u.EmailVerified
	}
}
