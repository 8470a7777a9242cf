package verifier

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

// jws is a token taken apart; nothing in it is believed before signedBy has said so.
type jws struct {
	header    header
	signed    string // what the signature is over
	payload   []byte
	signature []byte
}

// header holds what decides, and what must not be there: parameters that would let a token
// bring its own key or change what the others mean (RFC 7515 §4.1, RFC 7797, RFC 8725 §3.10).
type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid"`

	Critical json.RawMessage `json:"crit"`
	KeyURL   json.RawMessage `json:"jku"`
	CertURL  json.RawMessage `json:"x5u"`
	Key      json.RawMessage `json:"jwk"`
	Unbased  json.RawMessage `json:"b64"`
}

// parseJWS takes a compact JWS apart whose typ is wanted, short or with "application/"
// (RFC 7515 §4.1.9). It refuses what has two spellings, so that a token has only one.
func parseJWS(raw, wanted string) (*jws, error) {
	if at := strings.IndexFunc(raw, notCompact); at >= 0 {
		return nil, fmt.Errorf("%w: forbidden character at %d", ErrMalformed, at)
	}
	dot, last := strings.IndexByte(raw, '.'), strings.LastIndexByte(raw, '.')
	if strings.Count(raw, ".") != 2 {
		return nil, fmt.Errorf("%w: not three parts", ErrMalformed)
	}
	t := &jws{signed: raw[:last]}
	protected, err := decodePart("header", raw[:dot])
	if err != nil {
		return nil, err
	}
	if t.payload, err = decodePart("payload", raw[dot+1:last]); err != nil {
		return nil, err
	}
	if t.signature, err = decodePart("signature", raw[last+1:]); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(protected, &t.header); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrMalformed, err)
	}
	return t, t.header.check(wanted)
}

func notCompact(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
		return false
	}
	return true
}

func decodePart(name, part string) ([]byte, error) {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, name, err)
	}
	return decoded, nil
}

func (h *header) check(wanted string) error {
	if typ := strings.TrimPrefix(strings.ToLower(h.Type), "application/"); typ != wanted {
		return fmt.Errorf("%w: typ is %q, not %s", ErrMalformed, h.Type, wanted)
	}
	if h.KeyID == "" {
		return fmt.Errorf("%w: no kid", ErrMalformed)
	}
	if h.Critical != nil || h.KeyURL != nil || h.CertURL != nil || h.Key != nil || h.Unbased != nil {
		return fmt.Errorf("%w: forbidden header parameter", ErrMalformed)
	}
	switch h.Algorithm {
	case es256, rs256, ps256, eddsa:
		return nil
	}
	return fmt.Errorf("%w: algorithm %q is not allowed", ErrBadSignature, h.Algorithm)
}

// signedBy checks the signature with key, by the key's algorithm: that of the header only has
// to agree.
func (t *jws) signedBy(key *publicKey) error {
	if t.header.Algorithm != key.algorithm {
		return fmt.Errorf("%w: algorithm %s is not that of the key", ErrBadSignature, t.header.Algorithm)
	}
	if !key.verify(t.signed, t.signature) {
		return ErrBadSignature
	}
	return nil
}
