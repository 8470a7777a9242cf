package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	believed    = 10 * time.Second // how long APIs are taken as they were read
	loadTimeout = 10 * time.Second
	pageSize    = 500
)

// Snapshot is all APIs as they were a moment ago, the server's own with them. Nobody may
// change what it gives.
type Snapshot struct {
	apis   map[string]*authz.API
	sorted []*authz.API
}

func newSnapshot(all []*authz.API) *Snapshot {
	p := &Snapshot{apis: make(map[string]*authz.API, len(all)), sorted: all}
	slices.SortFunc(all, func(a, b *authz.API) int { return cmp.Compare(a.Identifier, b.Identifier) })
	for _, a := range all {
		p.apis[a.Identifier] = a
	}
	return p
}

// API finds one by its identifier.
func (p *Snapshot) API(identifier string) (*authz.API, bool) {
	a, ok := p.apis[identifier]
	return a, ok
}

// APIs lists all by identifier, the server's own among them.
func (p *Snapshot) APIs() []*authz.API { return p.sorted }

// Describe gives the sentence that says to people what a scope allows, at these APIs; the
// name of the scope when none of them has it.
func (p *Snapshot) Describe(scope string, resources []string) string {
	if sentence := authz.OIDCSentence(scope); sentence != "" {
		return sentence
	}
	for _, identifier := range resources {
		a, ok := p.apis[identifier]
		if !ok {
			continue
		}
		if i := slices.IndexFunc(a.Scopes, func(s authz.APIScope) bool { return s.Name == scope }); i >= 0 {
			return a.Scopes[i].Description
		}
	}
	return scope
}

// cached is the snapshot that was read last. Its generation goes up with every change that
// is heard of, so that what was being read meanwhile is not kept.
type cached struct {
	mu         sync.Mutex
	generation uint64
	loaded     time.Time
	snapshot   *Snapshot // nil: not read
}

func (c *cached) fresh(now time.Time) (*Snapshot, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.loaded) || now.Sub(c.loaded) >= believed {
		return nil, c.generation
	}
	return c.snapshot, c.generation
}

func (c *cached) keep(snapshot *Snapshot, generation uint64, loaded time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation == generation {
		c.snapshot, c.loaded = snapshot, loaded
	}
}

// Invalidate forgets what was read. Call it when APIs have changed.
func (s *Service) Invalidate() {
	s.cached.mu.Lock()
	defer s.cached.mu.Unlock()
	s.cached.generation++
	s.cached.snapshot = nil
}

// All gives all APIs as they were at most ten seconds ago. Those who ask at the same moment
// wait for one reading, whichever of them goes away. Do not call it inside of a
// transaction: it reads outside of it.
func (s *Service) All(ctx context.Context) (*Snapshot, error) {
	snapshot, generation := s.cached.fresh(s.cfg.Now())
	if snapshot != nil {
		return snapshot, nil
	}
	done := s.flight.DoChan(strconv.FormatUint(generation, 10), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		return s.load(ctx, generation)
	})
	select {
	case result := <-done:
		snapshot, _ := result.Val.(*Snapshot)
		return snapshot, result.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for apis: %w", context.Cause(ctx))
	}
}

func (s *Service) load(ctx context.Context, generation uint64) (*Snapshot, error) {
	began, own := s.cfg.Now(), authz.ServerAPI(s.cfg.Issuer)
	all := []*authz.API{&own}
	for after := ""; ; {
		page, err := s.cfg.Store.APIs(ctx, after, pageSize)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < pageSize {
			break
		}
		after = page[len(page)-1].Identifier
	}
	snapshot := newSnapshot(all)
	s.cached.keep(snapshot, generation, began)
	return snapshot, nil
}
