package apitoken

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	writePeriod = time.Minute     // a token's use is written at most once in it
	lookPeriod  = 5 * time.Second // how often it is looked whether something is to be written
	stopTimeout = 5 * time.Second
	maxNotes    = 100_000
	maxAgent    = 512 // bytes
)

// uses holds the last use of each token until it is written down.
type uses struct {
	mu    sync.Mutex
	notes map[string]*note
}

// note is the last use of a token, and when one was last written.
type note struct {
	at      time.Time // zero: nothing to write
	address netip.Addr
	agent   string
	written time.Time
}

// Used notes in memory that a token was used; Run writes it down. It never waits for the
// database. The use of a token that is not noted yet is passed over while there are very
// many.
func (s *Service) Used(id string, address netip.Addr, agent string) {
	if len(agent) > maxAgent {
		agent = agent[:maxAgent]
	}
	now := s.cfg.Now()
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	n, ok := s.uses.notes[id]
	if !ok {
		if len(s.uses.notes) >= maxNotes {
			return
		}
		n = new(note)
		s.uses.notes[id] = n
	}
	n.at, n.address, n.agent = now, address, agent
}

// Run writes down when tokens were used, each at most once a minute, until ctx ends; then it
// writes what is left, for at most five seconds, and returns. The store must stay open until
// then.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(lookPeriod)
	defer tick.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			s.stop(ctx)
			return
		case <-tick.C:
		}
		err := s.WriteUses(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "uses of API tokens cannot be written down yet", "error", err)
		}
		failing = err != nil
	}
}

func (s *Service) stop(ctx context.Context) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := s.write(last, s.pending(func(*note) bool { return true })); err != nil {
		s.cfg.Log.ErrorContext(ctx, "uses of API tokens lost at stop", "error", err)
	}
}

// WriteUses writes the uses of those tokens of which none was written within the last
// minute. Run calls it every few seconds.
func (s *Service) WriteUses(ctx context.Context) error {
	now := s.cfg.Now()
	return s.write(ctx, s.pending(func(n *note) bool { return now.Sub(n.written) >= writePeriod }))
}

// pending gives the uses that are not written yet and are due, and forgets tokens that were
// written and not used for a while.
func (s *Service) pending(due func(*note) bool) []authz.TokenUse {
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	var out []authz.TokenUse
	for id, n := range s.uses.notes {
		switch {
		case !due(n):
		case n.at.IsZero():
			delete(s.uses.notes, id)
		default:
			out = append(out, authz.TokenUse{TokenID: id, At: n.at, Address: n.text(), Agent: n.agent})
		}
	}
	return out
}

func (n *note) text() string {
	if !n.address.IsValid() {
		return ""
	}
	return n.address.Unmap().String()
}

// write stops at the first error: what was not written is tried again later.
func (s *Service) write(ctx context.Context, all []authz.TokenUse) error {
	for _, u := range all {
		if err := s.cfg.Store.NoteTokenUse(ctx, u); err != nil {
			return err
		}
		s.written(u)
	}
	return nil
}

func (s *Service) written(u authz.TokenUse) {
	now := s.cfg.Now()
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	n, ok := s.uses.notes[u.TokenID]
	if !ok {
		return
	}
	n.written = now
	if n.at.Equal(u.At) {
		n.at = time.Time{}
	}
}
