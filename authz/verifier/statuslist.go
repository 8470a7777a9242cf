package verifier

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
)

const (
	maxStatusAnswer = 4 << 20  // bytes on the wire
	maxStatusList   = 16 << 20 // bytes unpacked: 128 million one-bit statuses
	statusListType  = "statuslist+jwt"
)

// snapshot is a status list as it was last seen: the statuses of many tokens, a few bits each
// (draft-ietf-oauth-status-list). It does not change: a newer one replaces it.
type snapshot struct {
	bits    uint64 // per token: 1, 2, 4 or 8
	bytes   []byte
	etag    string
	issued  time.Time
	expires time.Time // zero: never
	ttl     time.Duration
	seen    time.Time     // when the issuer last said that this is how it is
	fresh   time.Duration // how long that may be kept
}

// at gives the status at index, 0 being valid; ok is false beyond the end, and without a list.
func (s *snapshot) at(index uint64) (value byte, ok bool) {
	if s == nil {
		return 0, false
	}
	perByte := 8 / s.bits
	if index/perByte >= uint64(len(s.bytes)) {
		return 0, false
	}
	shift := index % perByte * s.bits
	return s.bytes[index/perByte] >> shift & (1<<s.bits - 1), true
}

// expired: a list past its exp must not be used (draft-ietf-oauth-status-list, "Validation
// Rules").
func (s *snapshot) expired(now time.Time) bool {
	return !s.expires.IsZero() && !now.Before(s.expires)
}

// after gives the list to go by when s arrives while have is held; have may be nil.
func (s *snapshot) after(have *snapshot, leeway time.Duration) (*snapshot, error) {
	if have == nil || s.issued.After(have.issued) {
		return s, nil
	}
	if s.bits != have.bits || s.issued.Before(have.issued.Add(-leeway)) {
		return nil, fmt.Errorf("issued at %s, before the one held", s.issued)
	}
	merged := *s
	merged.issued = have.issued
	merged.bytes = make([]byte, max(len(s.bytes), len(have.bytes)))
	copy(merged.bytes, s.bytes)
	for i, b := range have.bytes {
		merged.bytes[i] |= b
	}
	return &merged, nil
}

// statusClaims are those of a Status List Token in JWT format.
type statusClaims struct {
	Issuer   string      `json:"iss"`
	Subject  string      `json:"sub"`
	IssuedAt numericDate `json:"iat"`
	Expiry   numericDate `json:"exp"`
	TTL      float64     `json:"ttl"`
	List     *struct {
		Bits   uint64 `json:"bits"`
		Packed string `json:"lst"`
	} `json:"status_list"`
}

// parseSnapshot reads the payload of a Status List Token. Its signature is for the caller to
// check, and first.
func parseSnapshot(payload []byte, issuer, uri string) (*snapshot, error) {
	var c statusClaims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, fmt.Errorf("parse claims: %w", err)
	}
	switch {
	case c.Issuer != "" && c.Issuer != issuer:
		return nil, fmt.Errorf("list is by issuer %q", c.Issuer)
	case c.Subject != uri:
		return nil, fmt.Errorf("list is for %q, not %q", c.Subject, uri)
	case c.IssuedAt.IsZero():
		return nil, errors.New("no iat")
	case c.List == nil:
		return nil, errors.New("no status_list")
	}
	switch c.List.Bits {
	case 1, 2, 4, 8:
	default:
		return nil, fmt.Errorf("%d bits per status", c.List.Bits)
	}
	list, err := unpack(c.List.Packed)
	if err != nil {
		return nil, fmt.Errorf("unpack list: %w", err)
	}
	ttl := time.Duration(min(max(c.TTL, 0), 86400) * float64(time.Second))
	return &snapshot{
		bits: c.List.Bits, bytes: list, ttl: ttl,
		issued: c.IssuedAt.Time, expires: c.Expiry.Time,
	}, nil
}

// unpack undoes base64url and ZLIB, and stops at maxStatusList: a kilobyte can be made to
// unpack to a megabyte.
func unpack(packed string) ([]byte, error) {
	compressed, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(packed, "="))
	if err != nil {
		return nil, err
	}
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	list, err := io.ReadAll(io.LimitReader(r, maxStatusList+1))
	if err != nil {
		return nil, err
	}
	if len(list) > maxStatusList {
		return nil, fmt.Errorf("more than %d bytes", maxStatusList)
	}
	return list, nil
}
