package directory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	believed    = 10 * time.Second // how long roles are taken as they were read
	loadTimeout = 10 * time.Second
)

// snapshot is all roles as they were read a moment ago. Its generation goes up with every
// change that is heard of, so that what was being read meanwhile is not kept.
type snapshot struct {
	mu         sync.Mutex
	generation uint64
	loaded     time.Time
	roles      map[string]authz.Role // nil: not read
}

func (p *snapshot) fresh(now time.Time) (map[string]authz.Role, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.loaded) || now.Sub(p.loaded) >= believed {
		return nil, p.generation
	}
	return p.roles, p.generation
}

func (p *snapshot) keep(roles map[string]authz.Role, generation uint64, loaded time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.generation == generation {
		p.roles, p.loaded = roles, loaded
	}
}

// InvalidateRoles forgets what was read of roles. Call it when they have changed.
func (s *Service) InvalidateRoles() {
	s.roles.mu.Lock()
	defer s.roles.mu.Unlock()
	s.roles.generation++
	s.roles.roles = nil
}

// RolesOf gives the roles with these names that exist, and the one that everybody has, as
// they were at most ten seconds ago. It is never nil without an error. Do not call it inside
// of a transaction: it reads outside of it.
func (s *Service) RolesOf(ctx context.Context, names []string) ([]authz.Role, error) {
	all, err := s.allRoles(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]authz.Role, 0, len(names)+1)
	if r, ok := all[s.cfg.DefaultRole]; ok {
		out = append(out, r)
	}
	for _, name := range names {
		if r, ok := all[name]; ok && name != s.cfg.DefaultRole {
			out = append(out, r)
		}
	}
	return out, nil
}

// allRoles reads all roles once for everybody who asks at the same moment, whichever of
// them goes away.
func (s *Service) allRoles(ctx context.Context) (map[string]authz.Role, error) {
	roles, generation := s.roles.fresh(s.cfg.Now())
	if roles != nil {
		return roles, nil
	}
	done := s.flight.DoChan(strconv.FormatUint(generation, 10), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		return s.loadRoles(ctx, generation)
	})
	select {
	case result := <-done:
		roles, _ := result.Val.(map[string]authz.Role)
		return roles, result.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for roles: %w", context.Cause(ctx))
	}
}

func (s *Service) loadRoles(ctx context.Context, generation uint64) (map[string]authz.Role, error) {
	began := s.cfg.Now()
	list, err := s.cfg.Store.Roles(ctx)
	if err != nil {
		return nil, err
	}
	roles := make(map[string]authz.Role, len(list))
	for _, r := range list {
		roles[r.Name] = r
	}
	s.roles.keep(roles, generation, began)
	return roles, nil
}

// notFoundAs tells a refusal from an outage.
func notFoundAs(err, refusal error) error {
	if errors.Is(err, authz.ErrNotFound) {
		return refusal
	}
	return err
}
