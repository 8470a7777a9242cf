package registration

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-auth/signet/authz"
)

const (
	maxJWKS    = 16 << 10
	maxKeys    = 20
	minRSABits = 2048
	maxRSABits = 8192
)

// assertionAlgs are those by which a client may prove who it is.
var assertionAlgs = []string{authz.AlgES256, authz.AlgEdDSA, authz.AlgPS256, authz.AlgRS256}

// checkAuthentication says whether the client can prove who it is in the way that it names
// (RFC 7591 §2, OpenID Connect Core §9).
func checkAuthentication(m *authz.ClientMetadata) error {
	byKey := m.AuthMethod == authz.AuthPrivateKeyJWT
	switch {
	case !slices.Contains(authz.AuthMethods(), m.AuthMethod):
		return authz.Invalid("token_endpoint_auth_method", "must be "+authz.Either(authz.AuthMethods()))
	case m.AuthAlg != "" && !byKey:
		return authz.Invalid("token_endpoint_auth_signing_alg", "is for private_key_jwt only")
	case m.AuthAlg != "" && !slices.Contains(assertionAlgs, m.AuthAlg):
		return authz.Invalid("token_endpoint_auth_signing_alg", "must be "+authz.Either(assertionAlgs))
	case len(m.JWKS) == 0 && byKey:
		return authz.Invalid("jwks", "is needed for private_key_jwt")
	case len(m.JWKS) == 0:
		return nil
	}
	return checkJWKS(m)
}

// checkJWKS reads the keys and stores what it understood of them, so that nothing is kept
// that was not looked at.
func checkJWKS(m *authz.ClientMetadata) error {
	if len(m.JWKS) > maxJWKS {
		return authz.Invalid("jwks", "is too long")
	}
	var given struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(m.JWKS, &given); err != nil || len(given.Keys) == 0 || len(given.Keys) > maxKeys {
		return authz.Invalid("jwks", fmt.Sprintf("must be a JWK set (RFC 7517 §5) of 1 to %d keys", maxKeys))
	}
	var set jose.JSONWebKeySet
	for _, raw := range given.Keys {
		key, err := readKey(raw)
		if err != nil {
			return err
		}
		if len(given.Keys) > 1 && (key.KeyID == "" || len(set.Key(key.KeyID)) > 0) {
			return authz.Invalid("jwks", "each of several keys needs a kid of its own")
		}
		set.Keys = append(set.Keys, key)
	}
	usable := func(k jose.JSONWebKey) bool { return slices.Contains(algsOf(k), m.AuthAlg) }
	if m.AuthAlg != "" && !slices.ContainsFunc(set.Keys, usable) {
		return authz.Invalid("jwks", "has no key for "+m.AuthAlg)
	}
	kept, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("write jwks: %w", err)
	}
	m.JWKS = kept
	return nil
}

// privateMembers must never be sent to anybody (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

func readKey(raw json.RawMessage) (jose.JSONWebKey, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return jose.JSONWebKey{}, authz.Invalid("jwks", "has a key that is not a JWK (RFC 7517 §4)")
	}
	for _, name := range privateMembers {
		if _, found := members[name]; found {
			return jose.JSONWebKey{}, authz.Invalid("jwks",
				"has a private key: send public keys only, and replace this one, which is not secret any more")
		}
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(raw); err != nil || !key.Valid() || !key.IsPublic() {
		return jose.JSONWebKey{}, authz.Invalid("jwks", "has a key that is not a valid public JWK (RFC 7517 §4)")
	}
	switch {
	case key.Use != "" && key.Use != "sig":
		return jose.JSONWebKey{}, authz.Invalid("jwks", "has a key whose use is not sig")
	case len(algsOf(key)) == 0:
		return jose.JSONWebKey{}, authz.Invalid("jwks", "has a key that is not P-256, Ed25519 or RSA of 2048 to 8192 bits, or is for another algorithm")
	}
	return key, nil
}

// algsOf gives the algorithms that a key can be used with.
func algsOf(key jose.JSONWebKey) []string {
	var algs []string
	switch k := key.Key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			algs = []string{authz.AlgES256}
		}
	case ed25519.PublicKey:
		algs = []string{authz.AlgEdDSA}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			algs = []string{authz.AlgPS256, authz.AlgRS256}
		}
	}
	if key.Algorithm == "" {
		return algs
	}
	if slices.Contains(algs, key.Algorithm) {
		return []string{key.Algorithm}
	}
	return nil
}
