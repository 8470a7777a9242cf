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
	busy    sync.Mutex // one reads at a time
}

// reading is a catalogue, and when it was read and is to be read again.
type reading struct {
	catalogue *Catalogue
	at, until time.Time
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
	h.busy.Lock()
	defer h.busy.Unlock()
	old := h.current.Load()
	if old.good(now) && !h.dirty.Load() {
		return old.catalogue, nil // somebody else has just read it
	}
	h.dirty.Store(false)
	bounded, cancel := context.WithTimeout(ctx, againTimeout)
	defer cancel()
	apis, err := h.load(bounded)
	if err == nil {
		h.current.Store(&reading{old.renewed(apis), now, now.Add(heldFor)})
		return h.current.Load().catalogue, nil
	}
	if old == nil || now.Before(old.at) || now.Sub(old.at) > outageFor {
		return nil, fmt.Errorf("read APIs: %w", err)
	}
	h.current.Store(&reading{old.catalogue, old.at, now.Add(quietFor)})
	return old.catalogue, nil
}

// renewed keeps the catalogue when it is still that of the APIs.
func (r *reading) renewed(apis []*authz.API) *Catalogue {
	if r != nil && r.catalogue.made(apis) {
		return r.catalogue
	}
	return NewCatalogue(apis)
}
