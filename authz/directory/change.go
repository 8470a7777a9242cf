package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

// maxTries is how often a change without a version may find that somebody else was faster.
const maxTries = 8

// edit is one change to a person.
type edit struct {
	// decide changes the person as they were read, or refuses. It may be called again when
	// somebody else was faster.
	decide func(u *authz.User) error
	// also runs in the transaction that writes the person; nil: nothing more to write.
	also func(ctx context.Context, u *authz.User) error
}

// change applies an edit to the person as they are now, or to the version that is named:
// authz.ErrStale when it is another by now.
func (s *Service) change(ctx context.Context, id string, version int64, e edit) (*authz.User, error) {
	for range maxTries {
		u, err := s.changeOnce(ctx, id, version, e)
		if !errors.Is(err, authz.ErrStale) || version != 0 {
			return u, err
		}
	}
	return nil, fmt.Errorf("change user %s: %w", id, authz.ErrStale)
}

func (s *Service) changeOnce(ctx context.Context, id string, version int64, e edit) (*authz.User, error) {
	if !findable(id) {
		return nil, fmt.Errorf("change user: %w", authz.ErrNotFound)
	}
	u, err := s.cfg.Store.User(ctx, id)
	if err != nil {
		return nil, err
	}
	if version != 0 && u.Version != version {
		return nil, fmt.Errorf("change user %s: %w", id, authz.ErrStale)
	}
	if err := e.decide(u); err != nil {
		return nil, err
	}
	u.UpdatedAt = s.cfg.Now()
	err = s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.cfg.Store.UpdateUser(ctx, u); err != nil || e.also == nil {
			return err
		}
		return e.also(ctx, u)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Change is what may be different about a person; nil leaves it as it is.
type Change struct {
	Username      *string
	Email         *string // another address is not verified, unless EmailVerified says so
	EmailVerified *bool
	Profile       *authz.Profile
	Claims        *authz.UserClaims // all of them
}

func (c Change) apply(u *authz.User) {
	if c.Username != nil {
		u.Username = *c.Username
	}
	if c.Email != nil {
		u.EmailVerified = u.EmailVerified && *c.Email == u.Email
		u.Email = *c.Email
	}
	if c.EmailVerified != nil {
		u.EmailVerified = *c.EmailVerified
	}
	if c.Profile != nil {
		u.Profile = *c.Profile
	}
	if c.Claims != nil {
		u.Claims = *c.Claims
	}
}

// Update changes a person. A version other than 0 must be theirs; authz.ErrStale otherwise.
func (s *Service) Update(ctx context.Context, id string, version int64, c Change) (*authz.User, error) {
	return s.update(ctx, id, version, c.apply)
}

// update has a person changed, and recorded which of their claims are others now: services
// may decide by them.
func (s *Service) update(ctx context.Context, id string, version int64, apply func(u *authz.User)) (*authz.User, error) {
	var changed []string
	u, err := s.change(ctx, id, version, edit{decide: func(u *authz.User) error {
		before := u.Claims
		apply(u)
		changed = before.Changed(u.Claims)
		if err := validate(u); err != nil {
			return err
		}
		return u.Claims.Validate(before)
	}})
	if err != nil {
		return nil, err
	}
	var detail map[string]string
	if len(changed) > 0 {
		detail = map[string]string{"claims": strings.Join(changed, " ")}
	}
	s.record(ctx, authz.EventUserChanged, id, detail)
	return u, nil
}

// SetClaims says these things of a person, each in place of what was said under its name.
func (s *Service) SetClaims(ctx context.Context, id string, claims authz.UserClaims) (*authz.User, error) {
	return s.update(ctx, id, 0, func(u *authz.User) {
		all := authz.UserClaims{}
		maps.Copy(all, u.Claims)
		maps.Copy(all, claims)
		u.Claims = all
	})
}

// RemoveClaim takes back what is said of a person under a name. Taking it back twice is fine.
func (s *Service) RemoveClaim(ctx context.Context, id, name string) (*authz.User, error) {
	return s.update(ctx, id, 0, func(u *authz.User) {
		all := maps.Clone(u.Claims)
		delete(all, name)
		u.Claims = all
	})
}

// SetPassword gives a person a new password and ends what the old one began: all grants,
// and all sessions but the one that this request was made in.
func (s *Service) SetPassword(ctx context.Context, id string, p authz.Secret) error {
	u, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	if p == "" {
		return authz.Invalid("password", "must not be empty")
	}
	hash, err := s.hash(ctx, u, p)
	if err != nil {
		return err
	}
	keep := ""
	if current, _ := authz.SessionFrom(ctx); current != nil {
		keep = current.ID
	}
	_, err = s.change(ctx, u.ID, 0, edit{
		decide: func(*authz.User) error { return nil }, // the version goes up, and stops logins under way
		also: func(ctx context.Context, u *authz.User) error {
			credential := authz.PasswordCredential{UserID: u.ID, Hash: hash, ChangedAt: u.UpdatedAt}
			if err := s.cfg.Store.SetPassword(ctx, credential); err != nil {
				return err
			}
			return s.end(ctx, u, keep)
		},
	})
	if err != nil {
		return err
	}
	s.record(ctx, authz.EventPasswordChanged, u.ID, nil)
	return nil
}

// SetDisabled switches an account off, or on again. Switching off ends its sessions and
// revokes its grants and API tokens, so that whoever verifies offline hears of it too.
func (s *Service) SetDisabled(ctx context.Context, id string, disabled bool) error {
	changed := false
	_, err := s.change(ctx, id, 0, edit{
		decide: func(u *authz.User) error {
			changed = u.Disabled() != disabled
			switch {
			case !disabled:
				u.DisabledAt = time.Time{}
			case changed:
				u.DisabledAt = s.cfg.Now()
			}
			return nil
		},
		also: func(ctx context.Context, u *authz.User) error {
			if !disabled {
				return nil
			}
			if err := s.end(ctx, u, ""); err != nil {
				return err
			}
			_, err := s.cfg.Store.RevokeAPITokensOfUser(ctx, u.ID, authz.RevokedUserChanged, s.cfg.Now())
			return err
		},
	})
	if err != nil || !changed {
		return err
	}
	s.record(ctx, authz.EventUserChanged, id, map[string]string{"disabled": fmt.Sprint(disabled)})
	return nil
}

// end ends the sessions of a person, but one, and revokes what they granted.
func (s *Service) end(ctx context.Context, u *authz.User, keepSession string) error {
	if _, err := s.cfg.Store.DeleteSessions(ctx, u.ID, keepSession); err != nil {
		return err
	}
	_, err := s.cfg.Store.RevokeGrants(ctx, u.ID, "", authz.RevokedUserChanged, s.cfg.Now())
	return err
}

// Delete forgets a person and all that was theirs. A version other than 0 must be theirs;
// authz.ErrStale otherwise.
func (s *Service) Delete(ctx context.Context, id string, version int64) error {
	u, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	err = s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.end(ctx, u, ""); err != nil {
			return err
		}
		return s.cfg.Store.DeleteUser(ctx, u.ID, version)
	})
	if err != nil {
		return err
	}
	s.record(ctx, authz.EventUserDeleted, u.ID, map[string]string{"username": u.Username})
	return nil
}
