package keys

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	minMaster   = 32 // bytes
	sealVersion = 1
	masterName  = "master_key" // of the check value in the database
)

// ErrWrongMaster means that the database was first used with another master key.
var ErrWrongMaster = errors.New("the master key is not the one this database was first used with")

// ErrSealed means that a sealed value does not open: it was sealed under another master
// key or for another purpose, or it is damaged.
var ErrSealed = errors.New("sealed value does not open")

// Master is the secret that everything the database keeps encrypted is sealed under. It
// never prints.
type Master struct {
	prk  []byte
	aead cipher.AEAD
}

// InstanceStore remembers one value per name: ClaimInstance gives authz.ErrConflict when
// there is one already.
type InstanceStore interface {
	ClaimInstance(ctx context.Context, name string, value []byte, now time.Time) error
	Instance(ctx context.Context, name string) ([]byte, error)
}

// NewMaster takes at least 32 bytes from a good random source. It keeps no reference to
// them.
func NewMaster(secret []byte) (*Master, error) {
	if len(secret) < minMaster {
		return nil, fmt.Errorf("make master key: %d bytes are too short, need at least %d", len(secret), minMaster)
	}
	prk, err := hkdf.Extract(sha256.New, secret, []byte("signet master key"))
	if err != nil {
		return nil, fmt.Errorf("make master key: %w", err)
	}
	m := &Master{prk: prk}
	block, err := aes.NewCipher(m.Derive("seal"))
	if err != nil {
		return nil, fmt.Errorf("make master key: %w", err)
	}
	m.aead, err = cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make master key: %w", err)
	}
	return m, nil
}

// Derive gives the 32 bytes that belong to a purpose (HKDF, RFC 5869 §2.3). Nobody who
// knows them learns the master key or the bytes of another purpose.
func (m *Master) Derive(purpose string) []byte {
	derived, err := hkdf.Expand(sha256.New, m.prk, purpose, sha256.Size)
	if err != nil {
		panic("keys: HKDF refused to make 32 bytes: " + err.Error()) // it does above 255 × 32 only
	}
	return derived
}

// Seal encrypts plaintext (AES-256-GCM). aad says what it is; Open must be given the same.
func (m *Master) Seal(plaintext, aad []byte) ([]byte, error) {
	return m.aead.Seal([]byte{sealVersion}, nil, plaintext, aad), nil
}

// Open decrypts what Seal made; ErrSealed when it was not made with this key and aad.
func (m *Master) Open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	plaintext, err := m.aead.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

// Claim ties the database to this master key at the first use and compares at every
// later one: ErrWrongMaster when it belongs to another. What it stores is derived one-way.
func (m *Master) Claim(ctx context.Context, store InstanceStore, now time.Time) error {
	check := m.Derive("check of the master key")
	err := store.ClaimInstance(ctx, masterName, check, now)
	if err == nil {
		return nil
	}
	if !errors.Is(err, authz.ErrConflict) {
		return fmt.Errorf("claim master key: %w", err)
	}
	first, err := store.Instance(ctx, masterName)
	if err != nil {
		return fmt.Errorf("compare master key: %w", err)
	}
	if subtle.ConstantTimeCompare(first, check) != 1 {
		return ErrWrongMaster
	}
	return nil
}

// String, GoString, LogValue and MarshalText keep the master key out of logs and dumps.
func (*Master) String() string               { return "[redacted]" }
func (*Master) GoString() string             { return "[redacted]" }
func (*Master) LogValue() slog.Value         { return slog.StringValue("[redacted]") }
func (*Master) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
