package gateway

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	heldFor   = time.Second // how long APIs are taken as they were read
	quietFor  = time.Second // how long nothing is tried again after an outage
	outageFor = time.Minute // how long old APIs are good during one; no answer is kept as long
)

// held is the catalogue that was read last.
type held struct {
	load    func(ctx context.Context) ([]*authz.API, error)
	dirty   atomic.Bool
	current atomic.Pointer[reading]

	mu       sync.Mutex
	underway *attempt // nil: nobody reads
}

// reading is a catalogue, and when it was read and is to be read again.
type reading struct {
	catalogue *Catalogue
	at, until time.Time
}

// attempt is one try to read, which all who need it wait for.
type attempt struct {
	done      chan struct{} // closed when the rest is set
	catalogue *Catalogue
	err       error
}

func (r *reading) good(now time.Time) bool {
	return r != nil && !now.Before(r.at) && now.Before(r.until)
}

// get gives the catalogue from memory, or reads it. While it cannot be read the old one is
// good for a minute: it allows nothing by itself.
func (h *held) get(ctx context.Context, now time.Time) (*Catalogue, error) {
	if r := h.current.Load(); r.good(now) && !h.dirty.Load() {
		return r.catalogue, nil
	}
	h.mu.Lock()
	if r := h.current.Load(); r.good(now) && !h.dirty.Load() {
		h.mu.Unlock()
		return r.catalogue, nil // somebody else has just read it
	}
	a := h.join(now) //nolint:contextcheck // it is for everybody who waits, and no outage when the first of them goes away
	h.mu.Unlock()
	select {
	case <-a.done:
		return a.catalogue, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("read APIs: %w", context.Cause(ctx))
	}
}

// join finds the attempt that is under way or begins one. One from before a change is left
// to those who wait for it already. The mutex is held.
func (h *held) join(now time.Time) *attempt {
	if h.underway != nil && !h.dirty.Load() {
		return h.underway
	}
	h.dirty.Store(false)
	a := &attempt{done: make(chan struct{})}
	h.underway = a
	go h.read(a, now)
	return a
}

func (h *held) read(a *attempt, now time.Time) {
	defer close(a.done)
	ctx, cancel := context.WithTimeout(context.Background(), againTimeout)
	defer cancel()
	apis, err := h.load(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.current.Load()
	var fresh *reading
	switch {
	case err == nil:
		fresh = &reading{old.renewed(apis), now, now.Add(heldFor)}
	case old == nil || now.Before(old.at) || now.Sub(old.at) > outageFor:
		a.err = fmt.Errorf("read APIs: %w", err)
	default:
		fresh = &reading{old.catalogue, old.at, now.Add(quietFor)}
	}
	if fresh != nil {
		a.catalogue = fresh.catalogue
	}
	if h.underway != a {
		return // a later attempt knows better
	}
	h.underway = nil
	if fresh != nil {
		h.current.Store(fresh)
	}
}

// renewed keeps the catalogue when it is still that of the APIs.
func (r *reading) renewed(apis []*authz.API) *Catalogue {
	if r != nil && r.catalogue.made(apis) {
		return r.catalogue
	}
	return NewCatalogue(apis)
}
