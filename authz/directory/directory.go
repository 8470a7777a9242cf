package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/cache"
)

// Store remembers people, their roles, and what ends with them.
type Store interface {
	Users
	Roles
	Endings
	InTx(ctx context.Context, fn func(context.Context) error) error
	SetPassword(ctx context.Context, p authz.PasswordCredential) error
	ClaimInstance(ctx context.Context, name string, value []byte, now time.Time) error
	Instance(ctx context.Context, name string) ([]byte, error)
}

// Users remembers people. A taken username or email address is authz.ErrConflict.
type Users interface {
	Finder
	InsertUser(ctx context.Context, u *authz.User) error
	Users(ctx context.Context, after string, limit int) ([]*authz.User, error)
	UpdateUser(ctx context.Context, u *authz.User) error
	DeleteUser(ctx context.Context, id string, version int64) error
}

// Finder finds people.
type Finder interface {
	User(ctx context.Context, id string) (*authz.User, error)
	UserByName(ctx context.Context, name string) (*authz.User, error)
}

// Endings ends what grew from an account.
type Endings interface {
	DeleteSessions(ctx context.Context, userID, keep string) (int64, error)
	RevokeGrants(ctx context.Context, userID, clientID, reason string, now time.Time) (int64, error)
	RevokeAPITokensOfUser(ctx context.Context, userID, reason string, now time.Time) (int64, error)
}

// PasswordHasher checks a new password and gives the form in which it is stored; an
// *authz.InvalidError for one that may not be chosen.
type PasswordHasher interface {
	Hash(ctx context.Context, p authz.Secret) (string, error)
}

// Recorder takes down what may be asked about later.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Config names all that a Service needs.
type Config struct {
	Store     Store
	Passwords PasswordHasher
	Audit     Recorder
	// DefaultRole is the role that everybody has; empty: authz.RoleDefault.
	DefaultRole string
	// SetupKey makes the one-time token of the setup link; without it no token is good.
	SetupKey []byte
	Now      func() time.Time
	Random   io.Reader
}

// Service keeps people and roles. It is safe for use by many goroutines.
type Service struct {
	cfg   Config
	roles *cache.Cache[map[string]authz.Role] // all of them under one key
}

// believed is how long roles are taken as they were read.
const believed = 10 * time.Second

// NewService makes a Service.
func NewService(cfg Config) *Service {
	if cfg.DefaultRole == "" {
		cfg.DefaultRole = authz.RoleDefault
	}
	s := &Service{cfg: cfg}
	s.roles = cache.New(cache.Config[map[string]authz.Role]{Load: s.loadRoles, TTL: believed, Now: cfg.Now})
	return s
}

// New is a person to be made.
type New struct {
	Username string
	Email    string       // may be empty
	Name     string       // may be empty
	Password authz.Secret // empty: they cannot log in until they are given one
	Admin    bool         // has the role administrator
	Claims   authz.UserClaims
}

const maxList = 1000

// Create makes an account. What is wrong is an *authz.InvalidError that names the field, a
// taken username or email address authz.ErrConflict. Once there is an administrator the
// setup link is good for nothing.
func (s *Service) Create(ctx context.Context, n New) (*authz.User, error) {
	return s.create(ctx, n, func(err error) error {
		if errors.Is(err, authz.ErrConflict) { // there was an administrator before
			return nil
		}
		return err
	})
}

// create makes an account, in one transaction with the claim of an administrator to the
// setup; claimed says what it means that somebody has claimed it before.
func (s *Service) create(ctx context.Context, n New, claimed func(error) error) (*authz.User, error) {
	u, err := s.newUser(n)
	if err != nil {
		return nil, err
	}
	hash, err := s.hash(ctx, u, n.Password)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		if n.Admin {
			if err := claimed(s.claimSetup(ctx)); err != nil {
				return err
			}
			if err := s.ensureRoles(ctx); err != nil {
				return err
			}
		}
		return s.insert(ctx, u, hash)
	})
	if err != nil {
		return nil, err
	}
	detail := map[string]string{"username": u.Username, "roles": strings.Join(u.Roles, " ")}
	if claims := authz.UserClaims(nil).Changed(u.Claims); len(claims) > 0 {
		detail["claims"] = strings.Join(claims, " ")
	}
	s.record(ctx, authz.EventUserCreated, u.ID, detail)
	return u, nil
}

func (s *Service) insert(ctx context.Context, u *authz.User, hash string) error {
	if err := s.cfg.Store.InsertUser(ctx, u); err != nil || hash == "" {
		return err
	}
	return s.cfg.Store.SetPassword(ctx, authz.PasswordCredential{UserID: u.ID, Hash: hash, ChangedAt: u.CreatedAt})
}

func (s *Service) newUser(n New) (*authz.User, error) {
	id, err := authz.NewID(authz.PrefixUser, s.cfg.Random)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	u := &authz.User{
		ID: id, Username: n.Username, Email: n.Email, Profile: authz.Profile{Name: n.Name},
		Claims: n.Claims, Roles: []string{}, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	if n.Admin {
		u.Roles = []string{authz.RoleAdministrator}
	}
	if err := validate(u); err != nil {
		return u, err
	}
	return u, u.Claims.Validate(nil)
}

// hash is called outside of transactions: it takes long, and a transaction keeps others
// waiting. No password has no hash.
func (s *Service) hash(ctx context.Context, u *authz.User, p authz.Secret) (string, error) {
	if p == "" {
		return "", nil
	}
	if err := checkPassword(u, p); err != nil {
		return "", err
	}
	return s.cfg.Passwords.Hash(ctx, p)
}

// Get reads a person by id, username or email address.
func (s *Service) Get(ctx context.Context, idOrName string) (*authz.User, error) {
	switch {
	case !findable(idOrName):
		return nil, fmt.Errorf("read user: %w", authz.ErrNotFound)
	case strings.HasPrefix(idOrName, authz.PrefixUser):
		return s.cfg.Store.User(ctx, idOrName)
	}
	return s.cfg.Store.UserByName(ctx, idOrName)
}

// List gives up to limit people by id, those after a given one.
func (s *Service) List(ctx context.Context, after string, limit int) ([]*authz.User, error) {
	if after != "" && !findable(after) {
		return nil, authz.Invalid("after", "is not the id of a user")
	}
	return s.cfg.Store.Users(ctx, after, min(max(limit, 1), maxList))
}

func (s *Service) record(ctx context.Context, kind, userID string, detail map[string]string) {
	s.cfg.Audit.Record(ctx, authz.Event{Kind: kind, UserID: userID, Detail: detail})
}
