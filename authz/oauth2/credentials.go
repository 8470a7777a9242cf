package oauth2

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// b64 is base64url without padding; Strict refuses the second spelling that stray bits at
// the end would give a value.
var b64 = base64.RawURLEncoding.Strict()

const (
	grantBytes  = 16
	grantChars  = 22 // 16 bytes in base64url
	secretBytes = 32
	macBytes    = sha256.Size
	tokenBytes  = 12 // of randomness that each access token of a grant adds
)

// code is an authorization code: the grant's id, so that it is found by primary key, and a
// secret of which the database has the hash.
type code struct {
	grantID string
	secret  []byte
}

func newCode(random io.Reader) (code, error) {
	raw := make([]byte, grantBytes+secretBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return code{}, fmt.Errorf("make code: %w", err)
	}
	return code{grantID: b64.EncodeToString(raw[:grantBytes]), secret: raw[grantBytes:]}, nil
}

func parseCode(s string) (code, bool) {
	raw, ok := unprefixed(authz.PrefixCode, s, grantBytes+secretBytes)
	if !ok {
		return code{}, false
	}
	return code{grantID: b64.EncodeToString(raw[:grantBytes]), secret: raw[grantBytes:]}, true
}

func (c code) String() string {
	id, _ := b64.DecodeString(c.grantID)
	return authz.PrefixCode + b64.EncodeToString(append(id, c.secret...))
}

func (c code) hash() []byte {
	sum := sha256.Sum256(c.secret)
	return sum[:]
}

// refreshToken names a grant and a place in its sequence of tokens. Nothing of it is
// stored but the live place: a MAC proves that we made it, so that an old genuine token is
// known as such for ever, and a stolen database holds no token.
type refreshToken struct {
	grantID string
	seq     int64
}

const refreshVersion = 1

func (p *Provider) sealRefresh(t refreshToken) string {
	body := refreshBody(t)
	return authz.PrefixRefreshToken + b64.EncodeToString(append(body, p.refreshMAC(body)...))
}

func refreshBody(t refreshToken) []byte {
	id, _ := b64.DecodeString(t.grantID)
	body := make([]byte, 0, 1+grantBytes+4+macBytes)
	body = append(append(body, refreshVersion), id...)
	return binary.BigEndian.AppendUint32(body, uint32(t.seq))
}

func (p *Provider) refreshMAC(body []byte) []byte {
	mac := hmac.New(sha256.New, p.RefreshKey)
	mac.Write([]byte("refresh token\x00"))
	mac.Write(body)
	return mac.Sum(nil)
}

// openRefresh reads a refresh token; false for everything that we did not make.
func (p *Provider) openRefresh(s string) (refreshToken, bool) {
	const bodyBytes = 1 + grantBytes + 4
	raw, ok := unprefixed(authz.PrefixRefreshToken, s, bodyBytes+macBytes)
	if !ok || raw[0] != refreshVersion || !equalMAC(raw[bodyBytes:], p.refreshMAC(raw[:bodyBytes])) {
		return refreshToken{}, false
	}
	return refreshToken{
		grantID: b64.EncodeToString(raw[1 : 1+grantBytes]),
		seq:     int64(binary.BigEndian.Uint32(raw[1+grantBytes : bodyBytes])),
	}, true
}

// unprefixed decodes a credential of exactly n bytes.
func unprefixed(prefix, s string, n int) ([]byte, bool) {
	text, ok := strings.CutPrefix(s, prefix)
	if !ok || len(text) != b64.EncodedLen(n) {
		return nil, false
	}
	raw, err := b64.DecodeString(text)
	return raw, err == nil
}

// newTokenID makes the jti of an access token. It begins with what the token came from, a
// grant or an API token, so that whoever asks us about the one asks about the other.
func newTokenID(random io.Reader, origin string) (string, error) {
	n := tokenBytes
	if origin == "" {
		n = grantBytes
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("make token id: %w", err)
	}
	return origin + b64.EncodeToString(raw), nil
}

// apiTokenChars is the length of an API token's identifier.
const apiTokenChars = len(authz.PrefixToken) + 26

// grantOf gives the grant that an access token of a person came from.
func grantOf(jti string) (string, bool) { return originOf(jti, grantChars) }

// apiTokenOf gives the API token that a short token of the gateway came from.
func apiTokenOf(jti string) (string, bool) {
	id, ok := originOf(jti, apiTokenChars)
	return id, ok && strings.HasPrefix(id, authz.PrefixToken)
}

func originOf(jti string, n int) (string, bool) {
	if len(jti) != n+b64.EncodedLen(tokenBytes) {
		return "", false
	}
	return jti[:n], true
}
