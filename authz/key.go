package authz

import (
	"encoding/json"
	"time"
)

// KeyState says what a signing key does now.
type KeyState string

// A key is published as next before it signs, signs while active, and stays published
// while retired until the last token it signed has expired.
const (
	KeyNext    KeyState = "next"
	KeyActive  KeyState = "active"
	KeyRetired KeyState = "retired"
)

// SigningKey is a signing key as storage keeps it: the private half sealed.
type SigningKey struct {
	KID         string
	Alg         string
	State       KeyState
	Sealed      []byte
	PublicJWK   json.RawMessage
	CreatedAt   time.Time
	ActivatedAt time.Time // zero: not yet
	RetiredAt   time.Time // zero: not yet
	ExpiresAt   time.Time // when a retired key may go; zero: not retired
}

// Algorithms that sign tokens (RFC 7518 §3.1, RFC 8037 §3.1).
const (
	AlgES256 = "ES256"
	AlgRS256 = "RS256"
	AlgPS256 = "PS256"
	AlgEdDSA = "EdDSA"
)
