// Package lastuse notes in memory when things were last used, and writes that down beside the
// requests, at most once a minute for each. It knows nothing of what is used: whoever sees a
// use calls Note, and the caller says how one is written.
package lastuse

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	writePeriod = time.Minute     // a use of the same thing is written at most once in it
	lookPeriod  = 5 * time.Second // how often it is looked whether something is to be written
	stopTimeout = 5 * time.Second
	maxNotes    = 100_000
)

// Config says what is noted and where it goes. U is what is known of a use.
type Config[U any] struct {
	// Write writes down the last use of a thing; required. The store must stay open until Run
	// has returned.
	Write func(ctx context.Context, id string, use U) error
	What  string // is used, for the log: "grants"
	Now   func() time.Time
	Log   *slog.Logger
}

// Notes holds the last use of each thing until it is written down. It is safe for use by many
// goroutines.
type Notes[U any] struct {
	cfg Config[U]

	mu    sync.Mutex
	notes map[string]*note[U]
}

// note is the last use of a thing, and when one was last written.
type note[U any] struct {
	use     U
	seen    uint64 // how many uses there were
	saved   uint64 // how many of them are written
	written time.Time
}

// New makes an empty book of notes.
func New[U any](c Config[U]) *Notes[U] { return &Notes[U]{cfg: c, notes: make(map[string]*note[U])} }

// Note notes that a thing was used; Run writes it down. It never waits for the database. The
// use of a thing that is not noted yet is passed over while there are very many.
func (n *Notes[U]) Note(id string, use U) {
	n.mu.Lock()
	defer n.mu.Unlock()
	one, ok := n.notes[id]
	if !ok {
		if len(n.notes) >= maxNotes {
			return
		}
		one = new(note[U])
		n.notes[id] = one
	}
	one.use = use
	one.seen++
}

// Run writes down what was used, each at most once a minute, until ctx ends; then it writes
// what is left, for at most five seconds, and returns.
func (n *Notes[U]) Run(ctx context.Context) {
	tick := time.NewTicker(lookPeriod)
	defer tick.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			n.stop(ctx)
			return
		case <-tick.C:
		}
		err := n.Flush(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			n.cfg.Log.ErrorContext(ctx, "uses cannot be written down yet", "of", n.cfg.What, "error", err)
		}
		failing = err != nil
	}
}

func (n *Notes[U]) stop(ctx context.Context) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := n.write(last, n.due(time.Time{})); err != nil {
		n.cfg.Log.ErrorContext(ctx, "uses lost at stop", "of", n.cfg.What, "error", err)
	}
}

// Flush writes the uses of those things of which none was written within the last minute. Run
// calls it every few seconds.
func (n *Notes[U]) Flush(ctx context.Context) error { return n.write(ctx, n.due(n.cfg.Now())) }

// noted is a use that is to be written.
type noted[U any] struct {
	id   string
	use  U
	seen uint64
}

// due gives what is to be written now, or all that is left without a time, and forgets what
// was written and not used for a while.
func (n *Notes[U]) due(now time.Time) []noted[U] {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []noted[U]
	for id, one := range n.notes {
		switch {
		case !now.IsZero() && now.Sub(one.written) < writePeriod:
		case one.saved == one.seen:
			delete(n.notes, id)
		default:
			out = append(out, noted[U]{id, one.use, one.seen})
		}
	}
	return out
}

// write stops at the first error: what was not written is tried again later.
func (n *Notes[U]) write(ctx context.Context, all []noted[U]) error {
	for _, one := range all {
		if err := n.cfg.Write(ctx, one.id, one.use); err != nil {
			return err
		}
		n.written(one)
	}
	return nil
}

func (n *Notes[U]) written(one noted[U]) {
	now := n.cfg.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if kept, ok := n.notes[one.id]; ok {
		kept.saved, kept.written = one.seen, now
	}
}
