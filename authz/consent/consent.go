// Package consent remembers what people have allowed to apps, shows it to them, and takes
// it back. What an app asks for and what of that is still to be asked is decided by package
// oauth2; the words on the page are the web's.
package consent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Store remembers consents and the grants that came from them.
type Store interface {
	Answers
	InTx(ctx context.Context, fn func(context.Context) error) error
	GrantsOfUser(ctx context.Context, userID string, now time.Time) ([]*authz.Grant, error)
	RevokeGrants(ctx context.Context, userID, clientID, reason string, now time.Time) (int64, error)
	// RevokeAPITokensMadeBy revokes the API tokens of a person that a client has made. It
	// comes first in a transaction: it locks the person's row.
	RevokeAPITokensMadeBy(ctx context.Context, clientID, userID, reason string, now time.Time) (int64, error)
}

// Answers remembers consents.
type Answers interface {
	Consent(ctx context.Context, userID, clientID string) (*authz.Consent, error)
	Consents(ctx context.Context, userID string) ([]*authz.Consent, error)
	// InsertConsent is authz.ErrConflict when there is one already, UpdateConsent
	// authz.ErrStale unless the row was last written at readAt.
	InsertConsent(ctx context.Context, c *authz.Consent) error
	UpdateConsent(ctx context.Context, c *authz.Consent, readAt time.Time) error
	DeleteConsent(ctx context.Context, userID, clientID string) error
}

// ClientGetter looks clients up, from memory where it can; authz.ErrNotFound for one that
// is not registered.
type ClientGetter interface {
	Get(ctx context.Context, id string) (*authz.Client, error)
}

// Recorder takes down what may be asked about later.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Config names all that a Service needs.
type Config struct {
	Store   Store
	Clients ClientGetter
	Audit   Recorder
	Now     func() time.Time
}

// Service remembers and revokes consents. It is safe for use by many goroutines.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// maxTries is how often two answers given at the same moment may get in each other's way.
const maxTries = 8

// Find gives what a person has answered to a client; nil, nil when they were never asked.
func (s *Service) Find(ctx context.Context, userID, clientID string) (*authz.Consent, error) {
	c, err := s.cfg.Store.Consent(ctx, userID, clientID)
	if errors.Is(err, authz.ErrNotFound) {
		return nil, nil
	}
	return c, err
}

// Remember adds an answer to those given before: what it does not speak of stays as it was.
// Two answers at once both count. In a transaction it joins it.
func (s *Service) Remember(ctx context.Context, answer authz.Consent) error {
	now := s.cfg.Now()
	for range maxTries {
		err := s.remember(ctx, answer, now)
		if !errors.Is(err, authz.ErrConflict) && !errors.Is(err, authz.ErrStale) {
			return err
		}
	}
	return fmt.Errorf("remember consent: answers keep coming: %w", authz.ErrStale)
}

func (s *Service) remember(ctx context.Context, answer authz.Consent, now time.Time) error {
	known, err := s.Find(ctx, answer.UserID, answer.ClientID)
	if err != nil {
		return err
	}
	if known == nil {
		answer.CreatedAt, answer.UpdatedAt = now, now
		return s.cfg.Store.InsertConsent(ctx, &answer)
	}
	merged := merge(*known, answer)
	merged.UpdatedAt = after(now, known.UpdatedAt)
	return s.cfg.Store.UpdateConsent(ctx, &merged, known.UpdatedAt)
}

// merge lets the newer answer win in what it speaks of.
func merge(known, answer authz.Consent) authz.Consent {
	known.Scopes = known.Scopes.Without(answer.Declined).With(answer.Scopes)
	known.Declined = known.Declined.Without(answer.Scopes).With(answer.Declined)
	known.Resources = authz.Scopes(known.Resources).With(answer.Resources)
	return known
}

// after gives now, or the next instant that a database can tell from last: the time of the
// last change is what tells whether there was one.
func after(now, last time.Time) time.Time {
	if next := last.Add(time.Microsecond); now.Before(next) {
		return next
	}
	return now
}

// Revoke takes back all that a person has allowed to a client: what they answered is
// forgotten, and every grant revoked and every API token that the client made in their name,
// all or nothing. Revoking twice is fine.
func (s *Service) Revoke(ctx context.Context, userID, clientID string) error {
	if userID == "" || clientID == "" { // to storage, no client means all of them
		return fmt.Errorf("revoke consent: %w", authz.ErrNotFound)
	}
	var grants, tokens int64
	err := s.cfg.Store.InTx(ctx, func(ctx context.Context) (err error) {
		now := s.cfg.Now()
		if tokens, err = s.cfg.Store.RevokeAPITokensMadeBy(ctx, clientID, userID, authz.RevokedByUser, now); err != nil {
			return err
		}
		if err := s.cfg.Store.DeleteConsent(ctx, userID, clientID); err != nil {
			return err
		}
		grants, err = s.cfg.Store.RevokeGrants(ctx, userID, clientID, authz.RevokedByUser, now)
		return err
	})
	if err != nil {
		return err
	}
	s.cfg.Audit.Record(ctx, authz.Event{
		Kind: authz.EventGrantRevoked, UserID: userID, ClientID: clientID,
		Detail: map[string]string{"reason": authz.RevokedByUser, "grants": fmt.Sprint(grants), "api_tokens": fmt.Sprint(tokens)},
	})
	return nil
}
