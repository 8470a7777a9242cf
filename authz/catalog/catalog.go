// Package catalog keeps the registered APIs and their scopes: what an access token may be
// for and what a person reads about it. Which of them a client or a person may have is
// decided by package oauth2; the server's own API is always there and is not stored.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/cache"
)

// Store remembers APIs.
type Store interface {
	InsertAPI(ctx context.Context, a *authz.API) error
	APIs
	// Client reads a client by id.
	Client(ctx context.Context, id string) (*authz.Client, error)
}

// APIs reads and changes the APIs there are.
type APIs interface {
	API(ctx context.Context, identifier string) (*authz.API, error)
	APIs(ctx context.Context, after string, limit int) ([]*authz.API, error)
	UpdateAPI(ctx context.Context, a *authz.API) error
	DeleteAPI(ctx context.Context, identifier string, version int64) error
}

// Recorder takes down what may be asked about later.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Config names all that a Service needs.
type Config struct {
	Store  Store
	Issuer string // the identifier of the server's own API
	Audit  Recorder
	Now    func() time.Time
}

// Service keeps APIs. It is safe for use by many goroutines.
type Service struct {
	cfg    Config
	cached *cache.Cache[*Snapshot]
}

// believed is how long APIs are taken as they were read.
const believed = 10 * time.Second

// New makes a Service.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg}
	s.cached = cache.New(cache.Config[*Snapshot]{Load: s.load, TTL: believed, Now: cfg.Now})
	return s
}

const (
	maxList  = 1000
	maxTries = 8
)

// Create registers an API. What is wrong is an *authz.InvalidError that names the field, a
// taken identifier authz.ErrConflict.
func (s *Service) Create(ctx context.Context, a authz.API) (*authz.API, error) {
	if err := s.validate(ctx, &a, ""); err != nil {
		return nil, err
	}
	a.CreatedAt, a.Version = s.cfg.Now(), 1
	a.UpdatedAt = a.CreatedAt
	if err := s.cfg.Store.InsertAPI(ctx, &a); err != nil {
		return nil, err
	}
	s.changed(ctx, authz.EventAPICreated, a.Identifier)
	return &a, nil
}

// Get reads a registered API by its identifier.
func (s *Service) Get(ctx context.Context, identifier string) (*authz.API, error) {
	if checkIdentifier(identifier) != nil {
		return nil, fmt.Errorf("read api: %w", authz.ErrNotFound)
	}
	return s.cfg.Store.API(ctx, identifier)
}

// List gives up to limit registered APIs by identifier, those after a given one.
func (s *Service) List(ctx context.Context, after string, limit int) ([]*authz.API, error) {
	if after != "" && checkIdentifier(after) != nil {
		return nil, authz.Invalid("after", "is not the identifier of an API")
	}
	return s.cfg.Store.APIs(ctx, after, min(max(limit, 1), maxList))
}

// Update changes everything about an API but its identifier. A version other than 0 must be
// the API's; authz.ErrStale otherwise.
func (s *Service) Update(ctx context.Context, identifier string, version int64, next authz.API) (*authz.API, error) {
	next.Identifier = identifier
	for range maxTries {
		a, err := s.update(ctx, version, next)
		if errors.Is(err, authz.ErrStale) && version == 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.changed(ctx, authz.EventAPIChanged, identifier)
		return a, nil
	}
	return nil, fmt.Errorf("change api %s: %w", identifier, authz.ErrStale)
}

func (s *Service) update(ctx context.Context, version int64, next authz.API) (*authz.API, error) {
	a, err := s.Get(ctx, next.Identifier)
	if err != nil {
		return nil, err
	}
	if version != 0 && a.Version != version {
		return nil, fmt.Errorf("change api %s: %w", a.Identifier, authz.ErrStale)
	}
	next.CreatedAt, next.UpdatedAt, next.Version = a.CreatedAt, s.cfg.Now(), a.Version
	if err := s.validate(ctx, &next, a.OwnerClientID); err != nil {
		return nil, err
	}
	return &next, s.cfg.Store.UpdateAPI(ctx, &next)
}

// Delete forgets an API. Clients may go on naming it: it matches nothing any more. A version
// other than 0 must be the API's; authz.ErrStale otherwise.
func (s *Service) Delete(ctx context.Context, identifier string, version int64) error {
	if checkIdentifier(identifier) != nil {
		return fmt.Errorf("delete api: %w", authz.ErrNotFound)
	}
	if err := s.cfg.Store.DeleteAPI(ctx, identifier, version); err != nil {
		return err
	}
	s.changed(ctx, authz.EventAPIDeleted, identifier)
	return nil
}

func (s *Service) changed(ctx context.Context, kind, identifier string) {
	s.Invalidate()
	s.cfg.Audit.Record(ctx, authz.Event{Kind: kind, Detail: map[string]string{"api": identifier}})
}
