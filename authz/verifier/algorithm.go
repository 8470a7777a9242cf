package verifier

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/go-jose/go-jose/v4"
)

const (
	es256 = "ES256"
	rs256 = "RS256"
	ps256 = "PS256"
	eddsa = "EdDSA"

	minRSABits = 2048
	es256Half  = 32 // octets of r, and of s (RFC 7518 §3.4)
)

// publicKey is one key of the issuer together with the one algorithm it is for: a token cannot
// choose another (RFC 8725 §3.1).
type publicKey struct {
	algorithm string
	key       crypto.PublicKey
}

// usable gives the key that a JWK holds, or an error for one that must not verify tokens:
// symmetric, private, meant for encryption, too short, of an algorithm we do not speak.
func usable(jwk *jose.JSONWebKey) (*publicKey, error) {
	if jwk.KeyID == "" {
		return nil, errors.New("key has no kid")
	}
	if jwk.Use != "" && jwk.Use != "sig" {
		return nil, fmt.Errorf("key %q is for %q", jwk.KeyID, jwk.Use)
	}
	allowed := algorithmsOf(jwk.Key)
	if len(allowed) == 0 {
		return nil, fmt.Errorf("key %q is of no supported kind", jwk.KeyID)
	}
	if jwk.Algorithm == "" {
		return &publicKey{algorithm: allowed[0], key: jwk.Key}, nil
	}
	for _, algorithm := range allowed {
		if jwk.Algorithm == algorithm {
			return &publicKey{algorithm: algorithm, key: jwk.Key}, nil
		}
	}
	return nil, fmt.Errorf("key %q does not fit algorithm %q", jwk.KeyID, jwk.Algorithm)
}

// algorithmsOf lists what a key can do; the first is what a JWK without alg is taken for.
func algorithmsOf(key any) []string {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return []string{es256}
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSABits {
			return []string{rs256, ps256}
		}
	case ed25519.PublicKey:
		return []string{eddsa}
	}
	return nil
}

// verify says whether signature was made over signed by the holder of the key.
func (k *publicKey) verify(signed string, signature []byte) bool {
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		if len(signature) != 2*es256Half {
			return false
		}
		sum := sha256.Sum256([]byte(signed))
		r := new(big.Int).SetBytes(signature[:es256Half])
		s := new(big.Int).SetBytes(signature[es256Half:])
		return ecdsa.Verify(key, sum[:], r, s)
	case *rsa.PublicKey:
		sum := sha256.Sum256([]byte(signed))
		if k.algorithm == ps256 {
			// RFC 7518 §3.5: the salt is as long as the hash.
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, options) == nil
		}
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(key, []byte(signed), signature)
	}
	return false
}

// equal says whether both are the same key for the same algorithm.
func (k *publicKey) equal(other *publicKey) bool {
	key, ok := k.key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.algorithm == other.algorithm && key.Equal(other.key)
}
