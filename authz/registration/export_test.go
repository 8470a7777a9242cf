package registration

import "github.com/signet-auth/signet/authz"

// CheckKeys says whether a client may prove who it is by these keys, and what is kept of them.
func (s *Service) CheckKeys(jwks []byte) ([]byte, error) {
	m := authz.ClientMetadata{AuthMethod: authz.AuthPrivateKeyJWT, JWKS: jwks}
	err := checkAuthentication(&m)
	return m.JWKS, err
}
