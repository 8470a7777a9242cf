package revocation

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/signet-auth/signet/authz"
)

// typStatusList is the typ of a status list token (draft-ietf-oauth-status-list §5.1).
const typStatusList = "statuslist+jwt"

// claims are those of a status list token.
type claims struct {
	Subject  string     `json:"sub"`
	Issuer   string     `json:"iss"`
	IssuedAt int64      `json:"iat"`
	Expires  int64      `json:"exp"`
	TTL      int64      `json:"ttl"` // seconds
	List     statusList `json:"status_list"`
}

type statusList struct {
	Bits int    `json:"bits"`
	List string `json:"lst"`
}

// pack sets the bits of a list, the least significant bit of each byte first
// (draft-ietf-oauth-status-list §4.1), and counts them.
func pack(list int64, revoked []int64) (bits []byte, set int) {
	bits = make([]byte, authz.StatusListSize/8)
	for _, index := range revoked {
		at := index - list*authz.StatusListSize
		if bit := byte(1) << (at % 8); bits[at/8]&bit == 0 {
			bits[at/8] |= bit
			set++
		}
	}
	return bits, set
}

// within reports that no bit is set that is not set in the other list too.
func within(bits, other []byte) bool {
	for i, b := range bits {
		if b&^other[i] != 0 {
			return false
		}
	}
	return true
}

// crowd is how many of the bits of a list are set when nothing in it repeats itself any more.
const crowd = authz.StatusListSize / 50

// encode compresses the bits of a list, of which some are set. The ETag stands for the bits,
// not for the signature over them. Where few are set it pays to look for repetitions; where
// many are, there are none worth their price, and to look for them takes longest.
func encode(bits []byte, set int) (lst, etag string, err error) {
	level := zlib.DefaultCompression
	if set > crowd {
		level = zlib.HuffmanOnly
	}
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, level)
	if err != nil {
		return "", "", fmt.Errorf("compress status list: %w", err)
	}
	if _, err := w.Write(bits); err != nil {
		return "", "", fmt.Errorf("compress status list: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", "", fmt.Errorf("compress status list: %w", err)
	}
	sum := sha256.Sum256(bits)
	etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	return base64.RawURLEncoding.EncodeToString(packed.Bytes()), etag, nil
}

// sign makes the token of a list, issued at now.
func (l *Lists) sign(list int64, lst string, now time.Time) ([]byte, error) {
	raw, err := json.Marshal(claims{
		Subject: authz.StatusListURI(l.cfg.Issuer, list), Issuer: l.cfg.Issuer,
		IssuedAt: now.Unix(), Expires: now.Add(l.cfg.Lifetime).Unix(), TTL: int64(l.cfg.TTL / time.Second),
		List: statusList{Bits: 1, List: lst},
	})
	if err != nil {
		return nil, fmt.Errorf("write status list %s: %w", strconv.FormatInt(list, 10), err)
	}
	token, err := l.cfg.Sign("", typStatusList, raw)
	if err != nil {
		return nil, fmt.Errorf("sign status list: %w", err)
	}
	return []byte(token), nil
}

// zip compresses a token: its base64 alone has a quarter that says nothing.
func zip(token []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compress status list: %w", err)
	}
	if _, err := w.Write(token); err != nil {
		return nil, fmt.Errorf("compress status list: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress status list: %w", err)
	}
	return out.Bytes(), nil
}
