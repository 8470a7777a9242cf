package verifier

import "github.com/go-jose/go-jose/v4"

// Forget makes v meet every token for the first time again.
func Forget(v *Verifier) { v.seen = cache{} }

// SignatureCheck is what of Verify is unavoidable, and nothing else of it.
func SignatureCheck(jwk jose.JSONWebKey, token string) (func() bool, error) {
	key, err := usable(&jwk)
	if err != nil {
		return nil, err
	}
	t, err := parseJWS(token, "at+jwt")
	if err != nil {
		return nil, err
	}
	return func() bool { return key.verify(t.signed, t.signature) }, nil
}
