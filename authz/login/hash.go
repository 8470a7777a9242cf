package login

import (
	"context"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/signet-auth/signet/authz"
)

// How long a password is: at least MinPassword characters, at most MaxPassword bytes.
const (
	MinPassword = 8
	MaxPassword = 1024
)

// CheckPassword says whether a password may be chosen; an *authz.InvalidError for the field
// "password" if not. There are no rules about kinds of characters: they make passwords
// worse (NIST SP 800-63B §3.1.1.2).
func CheckPassword(p authz.Secret) error {
	text := p.Reveal()
	switch {
	case len(text) > MaxPassword:
		return authz.Invalid("password", fmt.Sprintf("must have at most %d bytes", MaxPassword))
	case !utf8.ValidString(text):
		return authz.Invalid("password", "must be text")
	case utf8.RuneCountInString(text) < MinPassword:
		return authz.Invalid("password", fmt.Sprintf("must have at least %d characters", MinPassword))
	case hasControl(text):
		return authz.Invalid("password", "must have no control characters")
	}
	return nil
}

// hasControl finds what a person cannot have meant to type, such as the end of a line that
// a program sent along.
func hasControl(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}

// Hash checks a new password and gives the form in which it is stored. It waits while too
// many are being hashed, until ctx ends.
func (s *Service) Hash(ctx context.Context, p authz.Secret) (string, error) {
	if err := CheckPassword(p); err != nil {
		return "", err
	}
	return s.hash(ctx, p)
}

func (s *Service) hash(ctx context.Context, p authz.Secret) (string, error) {
	d, err := newDigest(s.cfg.Params, s.cfg.Random)
	if err != nil {
		return "", err
	}
	if d.key, err = s.compute(ctx, p, d.salt, d.params); err != nil {
		return "", err
	}
	return d.String(), nil
}

// compute derives a key. No more than Config.Hashing run at once: each takes the memory
// that its parameters say.
func (s *Service) compute(ctx context.Context, p authz.Secret, salt []byte, params Argon2Params) ([]byte, error) {
	select {
	case s.hashing <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash password: %w", context.Cause(ctx))
	}
	defer func() { <-s.hashing }()
	return s.derive(p, salt, params), nil
}

// SetPassword gives a person a new password. Ending what the old one began is the caller's.
func (s *Service) SetPassword(ctx context.Context, userID string, p authz.Secret) error {
	hash, err := s.Hash(ctx, p)
	if err != nil {
		return err
	}
	err = s.cfg.Store.SetPassword(ctx, authz.PasswordCredential{UserID: userID, Hash: hash, ChangedAt: s.cfg.Now()})
	if err != nil {
		return err
	}
	s.cfg.Audit.Record(ctx, authz.Event{Kind: authz.EventPasswordChanged, UserID: userID})
	return nil
}
