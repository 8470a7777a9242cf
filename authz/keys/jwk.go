package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// base64url is the encoding of RFC 7515 §2; Strict refuses a second spelling of the same
// bytes by stray bits at the end.
var base64url = base64.RawURLEncoding.Strict()

// jwk is a public key as RFC 7517 §4, RFC 7518 §6 and RFC 8037 §2 write it. There is no
// field that a private member could get into.
type jwk struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
}

// public gives the public half; its kid is the thumbprint.
func (p *private) public() (jwk, error) {
	out := jwk{Use: "sig", Alg: p.alg}
	switch {
	case p.ec != nil:
		point, err := p.ec.PublicKey.Bytes() // 4, x, y (SEC 1 §2.3.3)
		if err != nil {
			return jwk{}, fmt.Errorf("write public key: %w", err)
		}
		out.Kty, out.Crv = "EC", "P-256"
		out.X = base64url.EncodeToString(point[1 : 1+p256Size])
		out.Y = base64url.EncodeToString(point[1+p256Size:])
	case p.rsa != nil:
		exponent := binary.BigEndian.AppendUint64(nil, uint64(p.rsa.E))
		out.Kty = "RSA"
		out.N = base64url.EncodeToString(p.rsa.N.Bytes())
		out.E = base64url.EncodeToString(bytes.TrimLeft(exponent, "\x00"))
	default:
		out.Kty, out.Crv = "OKP", "Ed25519"
		out.X = base64url.EncodeToString(p.ed[ed25519.SeedSize:])
	}
	out.Kid = out.thumbprint()
	return out, nil
}

// thumbprint is the SHA-256 of the required members in the order of their names (RFC 7638 §3).
// The values are base64url and fixed names: nothing in them needs escaping.
func (k *jwk) thumbprint() string {
	var members string
	switch k.Kty {
	case "EC":
		members = `{"crv":"` + k.Crv + `","kty":"EC","x":"` + k.X + `","y":"` + k.Y + `"}`
	case "RSA":
		members = `{"e":"` + k.E + `","kty":"RSA","n":"` + k.N + `"}`
	default:
		members = `{"crv":"` + k.Crv + `","kty":"OKP","x":"` + k.X + `"}`
	}
	sum := sha256.Sum256([]byte(members))
	return base64url.EncodeToString(sum[:])
}

// marshalSet writes a JWK Set (RFC 7517 §5).
func marshalSet(list []*key) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: make([]jwk, 0, len(list))}
	for _, k := range list {
		set.Keys = append(set.Keys, k.jwk)
	}
	body, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("write key set: %w", err)
	}
	return body, nil
}
