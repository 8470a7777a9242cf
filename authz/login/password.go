package login

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/signet-auth/signet/authz"
)

// Password finds out whose username and password these are. ErrWrong when nobody's, or when
// the account is disabled: the answer and the work are the same for all. *ThrottledError
// when it was tried too often. Any other error is an outage, or the end of ctx.
func (s *Service) Password(ctx context.Context, a Attempt) (*authz.User, error) {
	if !a.plausible() {
		return nil, ErrWrong
	}
	c, user, hash, err := s.admit(ctx, newAttempt(ctx, a))
	if err != nil {
		return nil, err
	}
	if err := s.slow(ctx, c); err != nil {
		return nil, err
	}
	reason, err := s.verify(ctx, c, user, hash)
	if err != nil {
		return nil, err
	}
	if reason != "" {
		s.recordFailed(ctx, user, reason)
		return nil, ErrWrong
	}
	s.giveBack(c)
	s.cfg.Audit.Record(ctx, authz.Event{Kind: authz.EventLoginSucceeded, Actor: user.ID, UserID: user.ID})
	return user, nil
}

// plausible reports whether anybody could have this name and password. What is not text
// would be an error to a database, and an error there is an outage.
func (a Attempt) plausible() bool {
	return fold(a.Username) != "" && len(a.Username) <= maxUsername &&
		utf8.ValidString(a.Username) && !strings.Contains(a.Username, "\x00") &&
		a.Password != "" && len(a.Password) <= MaxPassword
}

// admit counts the attempt and reads whom it is about; nil when nobody. A browser in which
// this person has signed in before is counted by itself, so that others at the same
// address cannot spend its attempts.
func (s *Service) admit(ctx context.Context, c attempt) (attempt, *authz.User, string, error) {
	d, known := s.openDevice(c.Device)
	if !known {
		var err error
		if c, err = s.takeOrRecord(ctx, c); err != nil {
			return c, nil, "", err
		}
	}
	user, hash, err := s.cfg.Store.UserWithPassword(ctx, c.Username)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		user, hash = nil, ""
	case err != nil:
		return c, nil, "", fmt.Errorf("look up password: %w", err)
	}
	if known {
		if user != nil && user.ID == d.userID {
			c = c.ofDevice(d)
		}
		if c, err = s.takeOrRecord(ctx, c); err != nil {
			return c, nil, "", err
		}
	}
	return c, user, hash, nil
}

func (s *Service) takeOrRecord(ctx context.Context, c attempt) (attempt, error) {
	c, err := s.take(ctx, c)
	if throttled := new(ThrottledError); errors.As(err, &throttled) {
		s.recordThrottled(ctx, c)
	}
	return c, err
}

// verify compares, and improves what is stored when the parameters have changed. It does
// the work of one hash whatever it finds. The reason of a refusal is for the audit log
// alone.
func (s *Service) verify(ctx context.Context, c attempt, user *authz.User, hash string) (reason string, err error) {
	stored, reason := s.nobody, "unknown user"
	if user != nil {
		reason = "no password"
	}
	if hash != "" {
		if stored, err = parseDigest(hash); err != nil {
			return "", fmt.Errorf("read password of %s: %w", user.ID, err)
		}
		reason = "wrong password"
	}
	key, err := s.compute(ctx, c.Password, stored.salt, stored.params)
	switch {
	case err != nil:
		return "", err
	case !stored.matches(key) || hash == "":
		return reason, nil
	case user.Disabled():
		return "account disabled", nil
	case stored.params == s.cfg.Params:
		return "", nil
	}
	return "", s.upgrade(ctx, c, user, hash)
}

func (s *Service) upgrade(ctx context.Context, c attempt, user *authz.User, from string) error {
	to, err := s.hash(ctx, c.Password)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.UpgradePassword(ctx, user.ID, from, to); err != nil {
		return fmt.Errorf("upgrade password: %w", err)
	}
	return nil
}

// recordFailed leaves out the name that was typed: people type their password there.
func (s *Service) recordFailed(ctx context.Context, user *authz.User, reason string) {
	e := authz.Event{Kind: authz.EventLoginFailed, Detail: map[string]string{"reason": reason}}
	if user != nil {
		e.UserID = user.ID
	}
	s.cfg.Audit.Record(ctx, e)
}
