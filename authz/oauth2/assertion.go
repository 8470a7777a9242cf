package oauth2

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/signet-auth/signet/authz"
)

const (
	maxAssertionLife = 5 * time.Minute
	clockSkew        = 30 * time.Second
	maxJTI           = 128
	maxAssertion     = 8 << 10
	replayAssertion  = "client_assertion"
)

// proveByKey authenticates a client by a JWT that it signed (RFC 7523 §3; OpenID Connect
// Core §9, private_key_jwt). The audience must be the issuer and nothing else, so that an
// assertion made for another server is of no use here.
func (p *Provider) proveByKey(ctx context.Context, assertion string) (*authz.Client, error) {
	id, kid, err := assertedClient(assertion)
	if err != nil {
		return nil, err
	}
	c, err := p.usable(ctx, id, invalidClient(errUnknownClient))
	if err != nil {
		return nil, err
	}
	if c.Metadata.AuthMethod != authz.AuthPrivateKeyJWT {
		return nil, invalidClient("This client must authenticate with " + c.Metadata.AuthMethod + ".")
	}
	claims, err := verifyAssertion(c, assertion, kid)
	if err != nil {
		return nil, err
	}
	now := p.Now()
	if err := p.checkAssertion(c, claims, now); err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(claims.ID))
	err = p.Store.Consume(ctx, replayAssertion, c.ID, hash[:], now, claims.Expiry.Time().Add(clockSkew))
	switch {
	case errors.Is(err, authz.ErrReplay):
		return nil, invalidClient("The client_assertion was used before.")
	case err != nil:
		return nil, unavailable(err)
	}
	return c, nil
}

var assertionAlgs = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.PS256, jose.RS256}

// assertedClient reads who an assertion says it is from, which is proven afterwards.
func assertedClient(assertion string) (id, kid string, err error) {
	malformed := invalidClient("The client_assertion is not a JWT signed with ES256, EdDSA, PS256 or RS256.")
	if len(assertion) > maxAssertion {
		return "", "", malformed
	}
	token, err := jwt.ParseSigned(assertion, assertionAlgs)
	if err != nil || len(token.Headers) != 1 {
		return "", "", malformed
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return "", "", malformed
	}
	if claims.Issuer == "" || claims.Issuer != claims.Subject {
		return "", "", invalidClient("The client_assertion must have the client_id as iss and as sub.")
	}
	return claims.Issuer, token.Headers[0].KeyID, nil
}

// verifyAssertion checks the signature with a key of the client and the algorithm that it or
// the key is registered for; without one, any that suits the key (OpenID Connect
// Registration §2).
func verifyAssertion(c *authz.Client, assertion, kid string) (jwt.Claims, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(c.Metadata.JWKS, &set); err != nil {
		return jwt.Claims{}, invalidClient("The client has no usable keys registered.")
	}
	algs := assertionAlgs
	if c.Metadata.AuthAlg != "" {
		algs = []jose.SignatureAlgorithm{jose.SignatureAlgorithm(c.Metadata.AuthAlg)}
	}
	token, err := jwt.ParseSigned(assertion, algs)
	if err != nil {
		return jwt.Claims{}, invalidClient("The client_assertion must be signed with " + c.Metadata.AuthAlg + ".")
	}
	for _, key := range set.Keys {
		if kid != "" && key.KeyID != kid || key.Algorithm != "" && key.Algorithm != token.Headers[0].Algorithm || !key.IsPublic() {
			continue
		}
		var claims jwt.Claims
		if token.Claims(key.Key, &claims) == nil {
			return claims, nil
		}
	}
	return jwt.Claims{}, invalidClient("No registered key of the client verifies the client_assertion.")
}

func (p *Provider) checkAssertion(c *authz.Client, claims jwt.Claims, now time.Time) error {
	switch {
	case claims.Issuer != c.ID || claims.Subject != c.ID:
		return invalidClient("The client_assertion must have the client_id as iss and as sub.")
	case len(claims.Audience) != 1 || claims.Audience[0] != p.Issuer:
		return invalidClient("The client_assertion must have the issuer " + p.Issuer + " as its only aud.")
	case claims.Expiry == nil || !now.Before(claims.Expiry.Time().Add(clockSkew)):
		return invalidClient("The client_assertion has expired.")
	case claims.Expiry.Time().After(now.Add(maxAssertionLife + clockSkew)):
		return invalidClient("The client_assertion may be valid for 5 minutes at most.")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(clockSkew)):
		return invalidClient("The client_assertion is not valid yet.")
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(now.Add(clockSkew)):
		return invalidClient("The client_assertion was issued in the future.")
	case claims.ID == "" || len(claims.ID) > maxJTI:
		return invalidClient("The client_assertion needs a jti of at most 128 characters.")
	}
	return nil
}
