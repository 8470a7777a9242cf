package login

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/signet-auth/signet/authz"
)

// Argon2Params say what one guess at a password costs (RFC 9106 §3.1).
type Argon2Params struct {
	MemoryKiB   uint32
	Passes      uint32
	Parallelism uint8
}

// DefaultArgon2 is the second recommendation of RFC 9106 §4 with two passes and one lane:
// about 85 ms on one core of a server of 2024, in 64 MiB.
func DefaultArgon2() Argon2Params {
	return Argon2Params{MemoryKiB: 64 << 10, Passes: 2, Parallelism: 1}
}

const (
	saltBytes = 16
	keyBytes  = 32

	maxMemoryKiB = 1 << 20 // 1 GiB: a damaged row must not take the server's memory
	maxPasses    = 64
	maxLanes     = 64
	maxSalt      = 64
)

func (p Argon2Params) valid() bool {
	return p.Parallelism >= 1 && p.Parallelism <= maxLanes && p.Passes >= 1 && p.Passes <= maxPasses &&
		p.MemoryKiB >= 8*uint32(p.Parallelism) && p.MemoryKiB <= maxMemoryKiB
}

// digest is a stored hash: a PHC string of argon2id.
type digest struct {
	params Argon2Params
	salt   []byte
	key    []byte
}

var (
	errNoDigest = errors.New("not an argon2id hash")
	b64         = base64.RawStdEncoding.Strict()
)

// derive is what all the cost is in.
func derive(password authz.Secret, salt []byte, p Argon2Params) []byte {
	return argon2.IDKey([]byte(password.Reveal()), salt, p.Passes, p.MemoryKiB, p.Parallelism, keyBytes)
}

// newDigest makes a digest that no password has: random bytes stand where the key goes.
func newDigest(p Argon2Params, random io.Reader) (digest, error) {
	raw := make([]byte, saltBytes+keyBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return digest{}, fmt.Errorf("make salt: %w", err)
	}
	return digest{params: p, salt: raw[:saltBytes:saltBytes], key: raw[saltBytes:]}, nil
}

func (d digest) matches(key []byte) bool { return subtle.ConstantTimeCompare(d.key, key) == 1 }

func (d digest) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		d.params.MemoryKiB, d.params.Passes, d.params.Parallelism,
		b64.EncodeToString(d.salt), b64.EncodeToString(d.key))
}

// parseDigest reads a PHC string. It accepts what String gives and no other spelling.
func parseDigest(s string) (digest, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v="+strconv.Itoa(argon2.Version) {
		return digest{}, errNoDigest
	}
	var d digest
	var err error
	if _, err = fmt.Sscanf(part[3], "m=%d,t=%d,p=%d",
		&d.params.MemoryKiB, &d.params.Passes, &d.params.Parallelism); err != nil || !d.params.valid() {
		return digest{}, errNoDigest
	}
	if d.salt, err = b64.DecodeString(part[4]); err != nil || len(d.salt) < 8 || len(d.salt) > maxSalt {
		return digest{}, errNoDigest
	}
	if d.key, err = b64.DecodeString(part[5]); err != nil || len(d.key) != keyBytes {
		return digest{}, errNoDigest
	}
	if d.String() != s {
		return digest{}, errNoDigest
	}
	return d, nil
}
