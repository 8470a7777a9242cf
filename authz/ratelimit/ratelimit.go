// Package ratelimit counts attempts per key in memory: a bucket of tokens that refills
// with time. It decides nothing about what a key is or what a refusal means; that is the
// caller's. Each process counts for itself, and a restart forgets.
package ratelimit

import (
	"container/list"
	"sync"
	"time"
)

const (
	defaultBurst  = 10
	defaultRefill = time.Minute
	defaultMax    = 10_000
)

// Config says how many attempts a key has.
type Config struct {
	Burst  int           // attempts in a row from a full bucket; 0: 10
	Refill time.Duration // one attempt comes back each; 0: one minute
	// Max is the number of keys kept; 0: 10000. The key that was used longest ago makes
	// room, and with it what it had spent is forgotten.
	Max int
	Now func() time.Time // nil: time.Now
}

// Limiter holds one bucket per key. It is safe for use by many goroutines.
type Limiter struct {
	cfg   Config
	depth time.Duration // how long an empty bucket takes to fill

	mu     sync.Mutex
	bucket map[string]*list.Element // of *bucket
	recent *list.List               // the most recently used in front
}

// bucket is told by the moment at which it is full again: that one value stands for both
// the tokens left and the time they were counted.
type bucket struct {
	key  string
	full time.Time
}

// New makes a limiter in which every bucket is full.
func New(cfg Config) *Limiter {
	if cfg.Burst <= 0 {
		cfg.Burst = defaultBurst
	}
	if cfg.Refill <= 0 {
		cfg.Refill = defaultRefill
	}
	if cfg.Max <= 0 {
		cfg.Max = defaultMax
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Limiter{
		cfg:    cfg,
		depth:  time.Duration(cfg.Burst) * cfg.Refill,
		bucket: make(map[string]*list.Element),
		recent: list.New(),
	}
}

// Take spends one token of key. Without one it is refused, costs nothing, and retryAfter
// says when the next token comes: above 0 and at most Refill.
func (l *Limiter) Take(key string) (ok bool, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.cfg.Now()
	b := l.touch(key, now)
	full := b.full.Add(l.cfg.Refill)
	if wait := full.Sub(now) - l.depth; wait > 0 {
		return false, wait
	}
	b.full = full
	return true, 0
}

// Give returns one token to key: the attempt was a good one and shall not count.
func (l *Limiter) Give(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.bucket[key]
	if !ok {
		return
	}
	b := at.Value.(*bucket)
	b.full = b.full.Add(-l.cfg.Refill)
	if !b.full.After(l.cfg.Now()) {
		l.remove(at)
	}
}

// Len is the number of keys kept at this moment.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recent.Len()
}

// touch finds or makes the bucket of key and brings it to now. A bucket that is further
// from full than an empty one was counted before the clock was set back; it is taken as
// empty, so that nobody is refused for as long as the clock jumped.
func (l *Limiter) touch(key string, now time.Time) *bucket {
	at, ok := l.bucket[key]
	if !ok {
		at = l.recent.PushFront(&bucket{key: key})
		l.bucket[key] = at
		if l.recent.Len() > l.cfg.Max {
			l.remove(l.recent.Back())
		}
	}
	l.recent.MoveToFront(at)
	b := at.Value.(*bucket)
	if b.full.Before(now) {
		b.full = now
	}
	if empty := now.Add(l.depth); b.full.After(empty) {
		b.full = empty
	}
	return b
}

func (l *Limiter) remove(at *list.Element) {
	l.recent.Remove(at)
	delete(l.bucket, at.Value.(*bucket).key)
}
