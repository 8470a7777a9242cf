package keys

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-auth/signet/authz"
)

const (
	maxToken  = 16 << 10 // bytes; what is longer is nothing that we made
	maxHeader = 256      // bytes, decoded
	scratch   = 2 << 10  // bytes of a token that are built on the stack
)

// ErrInvalid means that a token is not one that a key of ours has signed: it is malformed,
// was changed, or was signed by somebody else or by a key that is gone.
var ErrInvalid = errors.New("token is not signed by a known key")

var (
	errForm      = fmt.Errorf("%w: malformed", ErrInvalid)
	errHeader    = fmt.Errorf("%w: unexpected header", ErrInvalid)
	errKey       = fmt.Errorf("%w: unknown key: %w", ErrInvalid, authz.ErrNotFound)
	errSignature = fmt.Errorf("%w: wrong signature", ErrInvalid)
)

// Sign makes a JWS in compact form (RFC 7515 §3.1) of claims, which are signed as they are.
// alg is one of Algorithms, "" the first of them; typ goes into the header, and without one
// the header has none. It reads no database.
func (r *Ring) Sign(alg, typ string, claims []byte) (string, error) {
	k, ok := r.snap.Load().active[alg]
	if !ok {
		return "", fmt.Errorf("sign token: no active key for algorithm %q", alg)
	}
	head, ok := k.headers[typ]
	if !ok {
		if !plain(typ) {
			return "", fmt.Errorf("sign token: type %q cannot stand in a header", typ)
		}
		head = encodeHeader(k.Alg, k.KID, typ)
	}
	var buffer [scratch]byte
	token := base64url.AppendEncode(append(buffer[:0], head...), claims)
	var room [maxSignature]byte
	signature, err := k.sign(room[:0], token)
	if err != nil {
		return "", err
	}
	token = base64url.AppendEncode(append(token, '.'), signature)
	return string(token), nil
}

// Verify checks a JWS in compact form that this server has signed, with the one key and the
// one algorithm that its kid names (RFC 8725 §3.1). It gives the typ of the header and the
// claims as they were signed, and says nothing about what they mean. Keys that are next or
// retired count. ErrInvalid when the token is not ours; there is no other error.
func (r *Ring) Verify(token string) (typ string, claims []byte, err error) {
	// The decoder skips line breaks, which would give one token several spellings.
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return "", nil, errForm
	}
	raw := []byte(token)
	head, rest, _ := bytes.Cut(raw, []byte{'.'})
	body, seal, ok := bytes.Cut(rest, []byte{'.'}) // a further dot is no digit of the signature
	if !ok || base64url.DecodedLen(len(head)) > maxHeader {
		return "", nil, errForm
	}
	var headRoom [maxHeader]byte
	n, err := base64url.Decode(headRoom[:], head)
	if err != nil {
		return "", nil, errForm
	}
	h, ok := parseHeader(headRoom[:n])
	if !ok {
		return "", nil, errHeader
	}
	k, ok := r.snap.Load().byKID[string(h.kid)]
	if !ok || k.Alg != string(h.alg) {
		return "", nil, errKey
	}
	if err := k.check(raw[:len(head)+1+len(body)], seal); err != nil {
		return "", nil, err
	}
	claims, err = base64url.AppendDecode(nil, body)
	if err != nil {
		return "", nil, errForm
	}
	return string(h.typ), claims, nil
}

// check decodes a signature and verifies it.
func (m *material) check(message, encoded []byte) error {
	if base64url.DecodedLen(len(encoded)) > maxSignature {
		return errSignature
	}
	var room [maxSignature]byte
	n, err := base64url.Decode(room[:], encoded)
	if err != nil {
		return errForm
	}
	if !m.verify(message, room[:n]) {
		return errSignature
	}
	return nil
}
