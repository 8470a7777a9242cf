package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/signet-auth/signet/authz"
)

// ErrSetUp means that the server has had an administrator before.
var ErrSetUp = errors.New("this server is set up already")

const setupClaim = "setup"

// NeedsSetup reports whether the server has never had an administrator.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	_, err := s.cfg.Store.Instance(ctx, setupClaim)
	if errors.Is(err, authz.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// Setup makes the first administrator. Of any number of callers one succeeds, for the others
// it is ErrSetUp; a refusal leaves the server to be set up as before.
func (s *Service) Setup(ctx context.Context, n New) (*authz.User, error) {
	n.Admin = true
	if n.Password == "" {
		return nil, authz.Invalid("password", "must not be empty")
	}
	return s.create(ctx, n, func(err error) error {
		if errors.Is(err, authz.ErrConflict) {
			return ErrSetUp
		}
		return err
	})
}

func (s *Service) claimSetup(ctx context.Context) error {
	return s.cfg.Store.ClaimInstance(ctx, setupClaim, []byte{1}, s.cfg.Now())
}

// SetupToken is what the setup link carries. All replicas give the same; it is good until
// there is an administrator.
func (s *Service) SetupToken() authz.Secret {
	if len(s.cfg.SetupKey) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, s.cfg.SetupKey)
	mac.Write([]byte(setupClaim))
	return authz.Secret(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
}

// CheckSetupToken reports whether token is the one of the setup link.
func (s *Service) CheckSetupToken(token string) bool {
	right := s.SetupToken().Reveal()
	return right != "" && hmac.Equal([]byte(token), []byte(right))
}
