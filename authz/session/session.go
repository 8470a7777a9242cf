// Package session keeps people signed in with a browser: it begins sessions, finds the one
// that a cookie names, and ends them. Who somebody is was found out before, by package
// login; what the cookie is called and how it is set is the web's.
package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signet-auth/signet/authz"
)

const (
	defaultIdle     = 12 * time.Hour
	defaultAbsolute = 30 * 24 * time.Hour
	touchPeriod     = time.Minute
	maxUserAgent    = 512
	maxID           = 64
)

// Store remembers sessions.
type Store interface {
	Reader
	Writer
}

// Reader finds sessions.
type Reader interface {
	SessionWithUser(ctx context.Context, id string, now time.Time) (*authz.Session, *authz.User, error)
	Sessions(ctx context.Context, userID string, now time.Time) ([]*authz.Session, error)
}

// Writer begins and ends sessions.
type Writer interface {
	InTx(ctx context.Context, fn func(context.Context) error) error
	// BeginSession inserts a session if the person is enabled and still has this version;
	// authz.ErrStale if not.
	BeginSession(ctx context.Context, v *authz.Session, userVersion int64) error
	TouchSession(ctx context.Context, id string, now, since, idleExpires time.Time) error
	DeleteSession(ctx context.Context, id, userID string) error
	DeleteSessions(ctx context.Context, userID, keep string) (int64, error)
}

// Recorder takes down what may be asked about later.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Config names all that a Service needs.
type Config struct {
	Store    Store
	Audit    Recorder
	Idle     time.Duration // after which an unused session ends; 0: 12 h
	Absolute time.Duration // after which any session ends; 0: 30 days
	Now      func() time.Time
	Random   io.Reader
}

// Service begins, finds and ends sessions. It is safe for use by many goroutines.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Idle <= 0 {
		cfg.Idle = defaultIdle
	}
	if cfg.Absolute <= 0 {
		cfg.Absolute = defaultAbsolute
	}
	return &Service{cfg: cfg}
}

// Begin signs a person in, who has just shown the credentials that amr names (RFC 8176).
// The secret is the value of the cookie. u must be as login read it: authz.ErrStale when
// the account was changed or disabled since, so that nobody who logs in while a password is
// changed keeps a session from the old one.
func (s *Service) Begin(ctx context.Context, u *authz.User, amr []string) (*authz.Session, authz.Secret, error) {
	v, cookie, err := s.prepare(ctx, u, amr)
	if err != nil {
		return nil, "", err
	}
	if err := s.cfg.Store.BeginSession(ctx, v, u.Version); err != nil {
		return nil, "", err
	}
	return v, cookie, nil
}

// Replace begins a session in place of the one that the browser had, which ends, whoever it
// belonged to. Nobody who knew the old cookie is signed in by the new login.
func (s *Service) Replace(ctx context.Context, old *authz.Session, u *authz.User, amr []string) (*authz.Session, authz.Secret, error) {
	v, cookie, err := s.prepare(ctx, u, amr)
	if err != nil {
		return nil, "", err
	}
	err = s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		// The person's row comes first, as in a change of their password: two who take the
		// same locks in another order wait for each other for ever.
		if err := s.cfg.Store.BeginSession(ctx, v, u.Version); err != nil {
			return err
		}
		err := s.cfg.Store.DeleteSession(ctx, old.ID, old.UserID)
		if errors.Is(err, authz.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return v, cookie, nil
}

func (s *Service) prepare(ctx context.Context, u *authz.User, amr []string) (*authz.Session, authz.Secret, error) {
	id, err := authz.NewID(authz.PrefixSession, s.cfg.Random)
	if err != nil {
		return nil, "", err
	}
	secret, err := authz.NewSecret("", s.cfg.Random)
	if err != nil {
		return nil, "", err
	}
	now, origin := s.cfg.Now(), authz.OriginFrom(ctx)
	v := &authz.Session{
		ID: id, SecretHash: secret.Hash(), UserID: u.ID, AuthTime: now, ACR: authz.ACROf(amr), AMR: amr,
		UserAgent: text(origin.UserAgent), Address: origin.Address,
		CreatedAt: now, LastSeenAt: now,
		IdleExpiresAt: now.Add(s.cfg.Idle), ExpiresAt: now.Add(s.cfg.Absolute),
	}
	return v, authz.Secret(id + "." + secret.Reveal()), nil
}

// Find gives the live session that a cookie names and the enabled person it belongs to;
// authz.ErrNotFound when there is none. It notes the use, at most once a minute.
func (s *Service) Find(ctx context.Context, cookie string) (*authz.Session, *authz.User, error) {
	id, secret, ok := strings.Cut(cookie, ".")
	if !ok || len(id) > maxID || !strings.HasPrefix(id, authz.PrefixSession) || !authz.WellFormed("", secret) {
		return nil, nil, errNone
	}
	now := s.cfg.Now()
	v, u, err := s.cfg.Store.SessionWithUser(ctx, id, now)
	if err != nil {
		return nil, nil, err
	}
	if !authz.Secret(secret).Matches(v.SecretHash) {
		return nil, nil, errNone
	}
	if since := now.Add(-touchPeriod); v.LastSeenAt.Before(since) {
		idle := now.Add(s.cfg.Idle)
		if err := s.cfg.Store.TouchSession(ctx, id, now, since, idle); err != nil {
			return nil, nil, err
		}
		v.LastSeenAt, v.IdleExpiresAt = now, idle
	}
	return v, u, nil
}

var errNone = fmt.Errorf("find session: %w", authz.ErrNotFound)

// List gives the live sessions of a person, the one seen last first.
func (s *Service) List(ctx context.Context, userID string) ([]*authz.Session, error) {
	return s.cfg.Store.Sessions(ctx, userID, s.cfg.Now())
}

// End ends one session of a person; authz.ErrNotFound when they have none such.
func (s *Service) End(ctx context.Context, userID, id string) error {
	if len(id) > maxID || text(id) != id {
		return fmt.Errorf("end session: %w", authz.ErrNotFound)
	}
	if err := s.cfg.Store.DeleteSession(ctx, id, userID); err != nil {
		return err
	}
	kind := authz.EventSessionEnded
	if current, _ := authz.SessionFrom(ctx); current != nil && current.ID == id {
		kind = authz.EventLogout
	}
	s.cfg.Audit.Record(ctx, authz.Event{Kind: kind, UserID: userID, Detail: map[string]string{"session": id}})
	return nil
}

// EndOthers ends all sessions of a person but one, and tells how many there were.
func (s *Service) EndOthers(ctx context.Context, userID, keepID string) (int64, error) {
	n, err := s.cfg.Store.DeleteSessions(ctx, userID, keepID)
	if err != nil {
		return 0, err
	}
	if n > 0 {
		s.cfg.Audit.Record(ctx, authz.Event{
			Kind: authz.EventSessionEnded, UserID: userID, Detail: map[string]string{"count": fmt.Sprint(n)},
		})
	}
	return n, nil
}

// text makes what a stranger sent something that a database takes.
func text(s string) string {
	if len(s) > maxUserAgent {
		s = s[:maxUserAgent]
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}
