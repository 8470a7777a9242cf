package oauth2

import (
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

// accessClaims are those of RFC 9068 §2.2.
type accessClaims struct {
	Issuer   string       `json:"iss"`
	Subject  string       `json:"sub"`
	Audience list         `json:"aud"`
	ClientID string       `json:"client_id"`
	Scope    authz.Scopes `json:"scope"`
	IssuedAt int64        `json:"iat"`
	Expires  int64        `json:"exp"`
	ID       string       `json:"jti"`
	AuthTime int64        `json:"auth_time,omitempty"`
	ACR      string       `json:"acr,omitempty"`
	AMR      []string     `json:"amr,omitempty"`
}

// accessToken makes the access token of an issue (RFC 9068) and says how long it lives.
func (p *Provider) accessToken(is *issue) (string, time.Duration, error) {
	ttl := lifetime(p.Lifetimes.AccessToken, is.audience.lifetime(), is.client.Metadata.AccessTokenLifetime)
	grantID := ""
	if is.grant != nil {
		grantID = is.grant.ID
		ttl = min(ttl, is.grant.ExpiresAt.Sub(is.now))
	}
	jti, err := newTokenID(p.Random, grantID)
	if err != nil {
		return "", 0, err
	}
	claims := accessClaims{
		Issuer: p.Issuer, Subject: is.client.ID, Audience: is.audience.identifiers(), ClientID: is.client.ID,
		Scope: is.scopes, IssuedAt: is.now.Unix(), Expires: is.now.Add(ttl).Unix(), ID: jti,
	}
	if g := is.grant; g != nil {
		claims.Subject, claims.ACR, claims.AMR = g.UserID, g.ACR, g.AMR
		claims.AuthTime = g.AuthTime.Unix()
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		return "", 0, fmt.Errorf("write access token: %w", err)
	}
	token, err := p.Keys.Sign("", typAccessToken, raw)
	if err != nil {
		return "", 0, fmt.Errorf("sign access token: %w", err)
	}
	return token, ttl, nil
}
