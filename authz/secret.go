package authz

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math/big"
	"strings"
)

// Secret is a credential in the clear. It prints as [redacted] wherever a program prints
// values; Reveal is the one way to its text.
type Secret string

const redacted = "[redacted]"

func (Secret) String() string   { return redacted }
func (Secret) GoString() string { return redacted }

// LogValue keeps the secret out of structured logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the secret out of JSON and configuration dumps.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal returns the text. Call it only where the secret leaves the server on purpose.
func (s Secret) Reveal() string { return string(s) }

// Hash is what the database keeps of a secret that the server made itself. One round of
// SHA-256 is enough for 256 random bits; it is never used for a secret that a person chose.
func (s Secret) Hash() []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// Matches compares in constant time. An empty hash matches nothing.
func (s Secret) Matches(hash []byte) bool {
	return len(hash) == sha256.Size && subtle.ConstantTimeCompare(s.Hash(), hash) == 1
}

// The prefixes by which people and secret scanners tell our credentials apart.
const (
	PrefixCode         = "sgc_"
	PrefixRefreshToken = "sgr_"
	PrefixClientSecret = "sgs_"
	PrefixAPIToken     = "sgp_"
	PrefixRegistration = "sgt_"
)

const (
	base62Digits   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	secretBytes    = 32
	secretDigits   = 43 // 32 bytes in base 62
	checksumDigits = 6  // 32 bits in base 62
)

// NewSecret makes a credential with 256 random bits: prefix, 43 base62 digits and a
// 6-digit base62 CRC32 over all that goes before, so that a scanner can tell it from
// noise offline.
func NewSecret(prefix string, random io.Reader) (Secret, error) {
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("make secret: %w", err)
	}
	body := prefix + base62(raw, secretDigits)
	return Secret(body + checksum(body)), nil
}

// WellFormed reports whether s has the form that NewSecret gives and a right checksum.
// It says nothing about whether the secret is known.
func WellFormed(prefix, s string) bool {
	if len(s) != len(prefix)+secretDigits+checksumDigits || !strings.HasPrefix(s, prefix) {
		return false
	}
	for _, c := range []byte(s[len(prefix):]) {
		if strings.IndexByte(base62Digits, c) < 0 {
			return false
		}
	}
	body := s[:len(s)-checksumDigits]
	return checksum(body) == s[len(body):]
}

func checksum(body string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body)))
	return base62(sum, checksumDigits)
}

func base62(raw []byte, width int) string {
	n, base, digit := new(big.Int).SetBytes(raw), big.NewInt(62), new(big.Int)
	out := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = base62Digits[digit.Int64()]
	}
	return string(out)
}

// The prefixes of identifiers. That of people is reserved: no client may have it, so that
// no token's subject can be read as both (RFC 9068 §5).
const (
	PrefixUser    = "usr_"
	PrefixClient  = "cli_"
	PrefixSession = "ses_"
	PrefixEvent   = "evt_"
)

// NewID makes an identifier with 128 random bits in lower-case base32, fit for URLs,
// shells and columns.
func NewID(prefix string, random io.Reader) (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("make identifier: %w", err)
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
	return prefix + strings.ToLower(text), nil
}
