package login

import "github.com/signet-auth/signet/authz"

// WatchHashes has fn called instead of each computation of a hash; compute does it.
func (s *Service) WatchHashes(fn func(p Argon2Params, compute func() []byte) []byte) {
	real := s.derive
	s.derive = func(p authz.Secret, salt []byte, params Argon2Params) []byte {
		return fn(params, func() []byte { return real(p, salt, params) })
	}
}

// ReadDigest reads a PHC string and writes it again.
func ReadDigest(s string) (string, error) {
	d, err := parseDigest(s)
	if err != nil {
		return "", err
	}
	return d.String(), nil
}
