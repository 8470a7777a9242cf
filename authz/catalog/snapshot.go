package catalog

import (
	"cmp"
	"context"
	"slices"

	"github.com/signet-auth/signet/authz"
)

const pageSize = 500

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

// whole is the one key of the cache: APIs are read all together.
const whole = ""

// Invalidate forgets what was read. Call it when APIs have changed.
func (s *Service) Invalidate() { s.cached.Clear() }

// All gives all APIs as they were at most ten seconds ago. Those who ask at the same moment
// wait for one reading, whichever of them goes away. Do not call it inside of a
// transaction: it reads outside of it.
func (s *Service) All(ctx context.Context) (*Snapshot, error) {
	return s.cached.Get(ctx, whole)
}

func (s *Service) load(ctx context.Context, _ string) (*Snapshot, error) {
	own := authz.ServerAPI(s.cfg.Issuer)
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
	return newSnapshot(all), nil
}
