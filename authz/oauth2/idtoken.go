package oauth2

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

// idClaims are those of an ID token that we read back in a hint.
type idClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience list   `json:"aud"`
}

// idToken makes the ID token of an issue (OpenID Connect Core §2, §3.1.3.6), signed as the
// client is registered for. It holds who the person is and how they logged in; the claims
// of scopes only for clients that read nothing else, or that demanded them one by one.
func (p *Provider) idToken(ctx context.Context, is *issue, accessToken string) (string, error) {
	claims, err := p.extraIDClaims(ctx, is)
	if err != nil {
		return "", err
	}
	g, alg := is.grant, idTokenAlg(is.client)
	ttl := lifetime(p.Lifetimes.IDToken, is.client.Metadata.IDTokenLifetime)
	for name, value := range map[string]any{
		"iss": p.Issuer, "sub": g.UserID, "aud": is.client.ID,
		"iat": is.now.Unix(), "exp": is.now.Add(ttl).Unix(), "auth_time": g.AuthTime.Unix(),
		"at_hash": leftHalfHash(alg, accessToken),
		"nonce":   is.nonce, "acr": g.ACR, "sid": g.SessionID,
	} {
		if value != "" {
			claims[name] = value
		}
	}
	if len(g.AMR) > 0 {
		claims["amr"] = g.AMR
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		return "", unavailable(fmt.Errorf("write id token: %w", err))
	}
	token, err := p.Keys.Sign(alg, typIDToken, raw)
	if err != nil {
		return "", unavailable(fmt.Errorf("sign id token: %w", err))
	}
	return token, nil
}

// idTokenAlg is RS256 for who registered for nothing else (OpenID Connect Registration §2).
func idTokenAlg(c *authz.Client) string {
	if c.Metadata.IDTokenAlg == "" {
		return authz.AlgRS256
	}
	return c.Metadata.IDTokenAlg
}

// extraIDClaims reads the person only when a claim about them belongs in the ID token.
func (p *Provider) extraIDClaims(ctx context.Context, is *issue) (map[string]any, error) {
	demanded := demandsOf(&is.grant.Grant)
	scopes := authz.Scopes{}
	if is.client.Metadata.ClaimsInIDToken {
		scopes = is.scopes
	}
	if !scopes.Has(authz.ScopeProfile) && !scopes.Has(authz.ScopeEmail) && len(demanded.IDToken) == 0 {
		return map[string]any{}, nil
	}
	u, err := p.Store.User(ctx, is.grant.UserID)
	if err != nil {
		return nil, notFoundOr(err, invalidGrant("The person's account is gone."))
	}
	return personClaims(u, scopes, consentedDemands(demanded.IDToken, is.scopes)), nil
}

// consentedDemands keeps the demands whose scope was granted: a claims parameter asks for
// more detail, not for more than the person allowed.
func consentedDemands(demands map[string]*claimDemand, scopes authz.Scopes) map[string]*claimDemand {
	out := map[string]*claimDemand{}
	for name, d := range demands {
		if scopes.Has(scopeOf(name)) {
			out[name] = d
		}
	}
	return out
}

// leftHalfHash is at_hash (OpenID Connect Core §3.1.3.6): the left half of the hash that
// goes with the algorithm.
func leftHalfHash(alg, token string) string {
	if alg == authz.AlgEdDSA {
		sum := sha512.Sum512([]byte(token))
		return b64.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(token))
	return b64.EncodeToString(sum[:16])
}

// readIDToken verifies an ID token of ours, by current and retired keys, expired or not.
func (p *Provider) readIDToken(token string) (idClaims, error) {
	typ, raw, err := p.Keys.Verify(token)
	if err != nil {
		return idClaims{}, err
	}
	var claims idClaims
	if err := json.Unmarshal(raw, &claims); err != nil {
		return idClaims{}, fmt.Errorf("read id token: %w", err)
	}
	if typ != typIDToken || claims.Issuer != p.Issuer || claims.Subject == "" {
		return idClaims{}, errors.New("read id token: not an ID token of this issuer")
	}
	return claims, nil
}

// expired reports whether a time in seconds has passed.
func expired(seconds int64, now time.Time) bool { return now.Unix() >= seconds }
