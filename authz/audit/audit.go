package audit

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	defaultBuffer = 4096
	reserve       = 16 // times Buffer, for events that are not ordinary
	batchSize     = 256
	writePeriod   = time.Second
	stopTimeout   = 5 * time.Second
)

// Store remembers events, all or none; an event it has already, it leaves as it is.
type Store interface {
	InsertEvents(ctx context.Context, events []authz.Event) error
}

// Config says where events go.
type Config struct {
	Store  Store
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // for ids; nil: crypto/rand
	// Buffer is how many events wait for the database before ordinary ones lose their
	// row; 0: 4096.
	Buffer int
	// Actor stands in events of which neither the decider nor the request says who did
	// it; empty: "system". A command line says "cli".
	Actor string
}

// Log takes events. It is safe for use by many goroutines.
type Log struct {
	cfg     Config
	wake    chan struct{} // a batch is worth writing now
	writing chan struct{} // held by whoever writes, so that rows keep their order

	mu      sync.Mutex
	queue   []authz.Event
	dropped uint64
}

// New makes a log. Nothing is written until Run or Flush is called.
func New(cfg Config) *Log {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Buffer <= 0 {
		cfg.Buffer = defaultBuffer
	}
	if cfg.Actor == "" {
		cfg.Actor = "system"
	}
	return &Log{cfg: cfg, wake: make(chan struct{}, 1), writing: make(chan struct{}, 1)}
}

// Record writes the log line of an event and queues its row. ID, At, Actor and what the
// context knows of the request are filled in where they are empty. It never waits for the
// database and never fails.
func (l *Log) Record(ctx context.Context, e authz.Event) {
	l.complete(ctx, &e)
	clean(&e)
	queued := l.enqueue(e)
	l.line(ctx, &e, queued)
}

// Run writes queued events each second, or as soon as there are many, until ctx ends; then
// it writes what is left, for at most five seconds, and returns. The store must stay open
// until then.
func (l *Log) Run(ctx context.Context) {
	tick := time.NewTicker(writePeriod)
	defer tick.Stop()
	failing := false
	for ctx.Err() == nil {
		err := l.Flush(ctx)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			l.cfg.Log.ErrorContext(ctx, "events wait in memory", "queued", l.Queued(), "error", err)
		case err == nil && failing:
			l.cfg.Log.InfoContext(ctx, "events are written again", "dropped", l.Dropped())
		}
		failing = err != nil
		l.wait(ctx, tick.C, failing)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := l.Flush(last); err != nil {
		l.cfg.Log.ErrorContext(ctx, "events lost at stop", "queued", l.Queued(), "error", err)
	}
}

// wait returns when it is time to write. After a failure only the clock counts: a full
// queue is no reason to press a database that does not answer.
func (l *Log) wait(ctx context.Context, tick <-chan time.Time, failing bool) {
	wake := l.wake
	if failing {
		wake = nil
	}
	select {
	case <-ctx.Done():
	case <-tick:
	case <-wake:
	}
}

// Flush writes what is queued at the moment it is called. On an error, what was not written
// stays queued.
func (l *Log) Flush(ctx context.Context) error {
	select {
	case l.writing <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("flush events: %w", context.Cause(ctx))
	}
	defer func() { <-l.writing }()
	for left := l.Queued(); left > 0; {
		batch := l.head(min(left, batchSize))
		if err := l.cfg.Store.InsertEvents(ctx, batch); err != nil {
			return fmt.Errorf("flush events: %w", err)
		}
		l.behead(len(batch))
		left -= len(batch)
	}
	return nil
}

// Queued is the number of events that have no row yet.
func (l *Log) Queued() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue)
}

// Dropped is the number of events that never get a row, because too many were waiting.
func (l *Log) Dropped() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

func (l *Log) enqueue(e authz.Event) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	room := l.cfg.Buffer
	if !ordinary(e.Kind) {
		room *= reserve
	}
	if len(l.queue) >= room {
		l.dropped++
		return false
	}
	l.queue = append(l.queue, e)
	if len(l.queue) >= batchSize {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// head gives the first n events. Nobody changes them there: Record appends behind them and
// only the writer takes them away.
func (l *Log) head(n int) []authz.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue[:n:n]
}

func (l *Log) behead(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.queue[:n]) // so that their texts can go
	l.queue = l.queue[n:]
	if len(l.queue) == 0 {
		l.queue = nil
	}
}
