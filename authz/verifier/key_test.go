package verifier_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signingKey signs tokens by hand, so that it can make those that no library would.
type signingKey struct {
	kid, alg string
	private  crypto.Signer
}

func (k *signingKey) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.kid, Algorithm: k.alg, Use: "sig"}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newES256(kid string) *signingKey {
	return &signingKey{kid: kid, alg: "ES256", private: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

func newEdDSA(kid string) *signingKey {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return &signingKey{kid: kid, alg: "EdDSA", private: must(private, err)}
}

// rsaKey is slow to make, and shared by all tests.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func newRSA(kid, alg string) *signingKey {
	return &signingKey{kid: kid, alg: alg, private: rsaKey()}
}

// goodClaims are those of a token that every verifier here accepts.
func goodClaims() map[string]any {
	now := time.Now().Unix()
	return map[string]any{
		"iss": issuer, "aud": audience, "sub": "alice", "client_id": "shop", "jti": "grant1-1",
		"scope": "orders:read orders:write", "iat": now, "exp": now + 600,
	}
}

// with gives good claims with changes; a nil value takes a claim away.
func with(changes map[string]any) map[string]any { return changed(goodClaims(), changes) }

func changed(m, changes map[string]any) map[string]any {
	m = maps.Clone(m)
	maps.Copy(m, changes)
	for name, value := range m {
		if value == nil {
			delete(m, name)
		}
	}
	return m
}

func (k *signingKey) header() map[string]any {
	return map[string]any{"alg": k.alg, "kid": k.kid, "typ": "at+jwt"}
}

// token signs claims as an access token.
func (k *signingKey) token(claims map[string]any) string { return k.sign(k.header(), claims) }

// sign makes a compact JWS; header and payload are JSON text when they are strings.
func (k *signingKey) sign(header, payload any) string {
	signed := encode(header) + "." + encode(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(k.signature(signed))
}

func encode(part any) string {
	text, ok := part.(string)
	if !ok {
		text = string(must(json.Marshal(part)))
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

func (k *signingKey) signature(signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
		must(r, err)
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		if k.alg == "PS256" {
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return must(rsa.SignPSS(rand.Reader, private, crypto.SHA256, sum[:], options))
		}
		return must(rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:]))
	case ed25519.PrivateKey:
		return ed25519.Sign(private, []byte(signed))
	}
	panic("no such key")
}
