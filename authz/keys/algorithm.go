package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/signet-auth/signet/authz"
)

const (
	rsaBits      = 2048
	rsaSize      = rsaBits / 8
	p256Size     = 32
	ecdsaSize    = 2 * p256Size
	maxSignature = rsaSize
)

// pss is the one form of PSS that RFC 7518 §3.5 allows: a salt as long as the hash.
var pss = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}

func known(alg string) bool {
	switch alg {
	case authz.AlgES256, authz.AlgRS256, authz.AlgPS256, authz.AlgEdDSA:
		return true
	}
	return false
}

// private is one private key and the one algorithm that it is for. Exactly one of the
// pointers is set. It holds no interface, so that what is signed can stay on the stack.
type private struct {
	alg string
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
	ed  ed25519.PrivateKey
}

func generate(alg string, random io.Reader) (private, error) {
	p := private{alg: alg}
	var err error
	switch alg {
	case authz.AlgES256:
		p.ec, err = ecdsa.GenerateKey(elliptic.P256(), random)
	case authz.AlgRS256, authz.AlgPS256:
		p.rsa, err = rsa.GenerateKey(random, rsaBits)
	case authz.AlgEdDSA:
		_, p.ed, err = ed25519.GenerateKey(random)
	default:
		err = errors.New("unknown algorithm")
	}
	if err != nil {
		return private{}, fmt.Errorf("generate %s key: %w", alg, err)
	}
	return p, nil
}

// privateOf binds a parsed key to its algorithm and refuses one of another kind or size.
func privateOf(alg string, parsed any) (private, error) {
	p, fits := private{alg: alg}, false
	switch k := parsed.(type) {
	case *ecdsa.PrivateKey:
		p.ec, fits = k, alg == authz.AlgES256 && k.Curve == elliptic.P256()
	case *rsa.PrivateKey:
		p.rsa, fits = k, (alg == authz.AlgRS256 || alg == authz.AlgPS256) && k.Size() == rsaSize
	case ed25519.PrivateKey:
		p.ed, fits = k, alg == authz.AlgEdDSA
	}
	if !fits {
		return private{}, fmt.Errorf("use %T for %s: wrong kind of key", parsed, alg)
	}
	return p, nil
}

// stdlib is the key as package x509 takes it.
func (p *private) stdlib() any {
	switch {
	case p.ec != nil:
		return p.ec
	case p.rsa != nil:
		return p.rsa
	}
	return p.ed
}

func (p *private) signatureSize() int {
	switch {
	case p.ec != nil:
		return ecdsaSize
	case p.rsa != nil:
		return rsaSize
	}
	return ed25519.SignatureSize
}

// sign appends the signature of message to dst in the form of RFC 7518 §3 and RFC 8037 §3.1.
// ECDSA is the deterministic one of RFC 6979, as RFC 8725 §3.2 recommends; it is also the
// fastest that the standard library has.
func (p *private) sign(dst, message []byte) ([]byte, error) {
	if p.ed != nil {
		return append(dst, ed25519.Sign(p.ed, message)...), nil
	}
	digest := sha256.Sum256(message)
	var signature []byte
	var err error
	switch p.alg {
	case authz.AlgES256:
		signature, err = p.ec.Sign(nil, digest[:], crypto.SHA256)
		if err == nil {
			return appendRaw(dst, signature)
		}
	case authz.AlgRS256:
		signature, err = rsa.SignPKCS1v15(nil, p.rsa, crypto.SHA256, digest[:])
	case authz.AlgPS256:
		signature, err = rsa.SignPSS(rand.Reader, p.rsa, crypto.SHA256, digest[:], pss)
	}
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", p.alg, err)
	}
	return append(dst, signature...), nil
}

// verify reports whether signature is the one of message, in exactly the length that the
// algorithm has.
func (p *private) verify(message, signature []byte) bool {
	if len(signature) != p.signatureSize() {
		return false
	}
	if p.ed != nil {
		return ed25519.Verify(ed25519.PublicKey(p.ed[ed25519.SeedSize:]), message, signature)
	}
	digest := sha256.Sum256(message)
	switch p.alg {
	case authz.AlgES256:
		var der [ecdsaSize + 8]byte
		return ecdsa.VerifyASN1(&p.ec.PublicKey, digest[:], appendDER(der[:0], signature))
	case authz.AlgRS256:
		return rsa.VerifyPKCS1v15(&p.rsa.PublicKey, crypto.SHA256, digest[:], signature) == nil
	case authz.AlgPS256:
		return rsa.VerifyPSS(&p.rsa.PublicKey, crypto.SHA256, digest[:], signature, pss) == nil
	}
	return false
}

// appendRaw turns an ECDSA signature from ASN.1 into r and s, 32 bytes each (RFC 7518 §3.4).
func appendRaw(dst, der []byte) ([]byte, error) {
	var inner cryptobyte.String
	var r, s []byte
	input := cryptobyte.String(der)
	if !input.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) ||
		len(r) > p256Size || len(s) > p256Size {
		return nil, errors.New("sign with ES256: signature is not two numbers of 32 bytes")
	}
	var zeros [p256Size]byte
	for _, number := range [2][]byte{r, s} {
		dst = append(dst, zeros[len(number):]...)
		dst = append(dst, number...)
	}
	return dst, nil
}

// appendDER turns r and s back into ASN.1. Numbers of 32 bytes need short lengths only.
func appendDER(dst, raw []byte) []byte {
	dst = append(dst, 0x30, 0)
	for _, number := range [2][]byte{raw[:p256Size], raw[p256Size:]} {
		for len(number) > 1 && number[0] == 0 {
			number = number[1:]
		}
		pad := number[0] >> 7 // a number with its highest bit set would read as negative
		dst = append(dst, 0x02, byte(len(number))+pad)
		if pad == 1 {
			dst = append(dst, 0)
		}
		dst = append(dst, number...)
	}
	dst[1] = byte(len(dst) - 2)
	return dst
}
