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

// personal is what an API may want to be told about a person (API.Claims). Whoever writes it
// adds the custom claims to the members (withCustom).
type personal struct {
	custom        authz.UserClaims
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
		claims.personal = personalOf(is.subject.user, is.audience.claims())
	case is.grant != nil:
		ttl = min(ttl, is.grant.ExpiresAt.Sub(is.now))
		describeGrant(&claims, &is.grant.Grant, p.Issuer)
		claims.personal, err = p.personalOfGrant(ctx, is.grant, is.audience.claims())
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
	raw, err := withCustom(c, c.custom)
	if err != nil {
		return "", fmt.Errorf("write access token: %w", err)
	}
	token, err := p.Keys.Sign("", typAccessToken, raw)
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return token, nil
}

// withCustom writes a structure as JSON with custom claims behind its members. None of these
// is called as a custom claim may be (authz.ClaimNameProblem).
func withCustom(members any, custom authz.UserClaims) ([]byte, error) {
	raw, err := json.Marshal(members)
	if err != nil || len(custom) == 0 {
		return raw, err
	}
	more, err := json.Marshal(custom)
	if err != nil {
		return nil, err
	}
	raw[len(raw)-1] = ','
	return append(raw, more[1:]...), nil
}

// personalOfGrant gives what the APIs of a token want to be told about whom it is given for.
// The person is read only when one of them wants more than the roles.
func (p *Provider) personalOfGrant(ctx context.Context, g *authz.RedeemedGrant, wanted authz.Scopes) (personal, error) {
	u := &authz.User{}
	if len(wanted.Without(authz.Scopes{"roles"})) > 0 {
		var err error
		if u, err = p.Store.User(ctx, g.UserID); err != nil {
			return personal{}, notFoundOr(err, invalidGrant("The person's account is gone."))
		}
	}
	u.Roles = g.UserRoles // by which the scopes were decided
	return personalOf(u, wanted), nil
}

// personalOf gives what is wanted of a person; nothing of nobody.
func personalOf(u *authz.User, wanted authz.Scopes) personal {
	var out personal
	if u == nil {
		return out
	}
	if wanted.Has("roles") {
		out.Roles = u.Roles
	}
	if wanted.Has("preferred_username") {
		out.Username = u.Username
	}
	if wanted.Has("name") {
		out.Name = u.Profile.Name
	}
	if wanted.Has("email") {
		out.Email = u.Email
	}
	if wanted.Has("email_verified") && u.Email != "" {
		out.EmailVerified = &u.EmailVerified
	}
	out.custom = customOf(u, wanted)
	return out
}

// customOf looks at the names again: what could be said under one when it was written may
// have got a meaning since.
func customOf(u *authz.User, wanted authz.Scopes) authz.UserClaims {
	out := authz.UserClaims{}
	for name, value := range u.Claims {
		if wanted.Has(name) && authz.ClaimNameProblem(name) == "" {
			out[name] = value
		}
	}
	return out
}
