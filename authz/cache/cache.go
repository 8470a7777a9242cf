// Package cache keeps what was read a moment ago, for a few seconds and in bounded
// memory, and lets callers who miss the same key at the same time wait for one load.
// It knows nothing of what it keeps: the caller says how to load a key, and whoever learns
// of a change calls Forget.
package cache

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	defaultTTL         = 10 * time.Second
	defaultNegativeTTL = 2 * time.Second
	defaultMax         = 10_000
	defaultLoadTimeout = 10 * time.Second
)

// Config says what a cache loads and how long it believes it.
type Config[V any] struct {
	// Load reads one key; required. Its context carries no value of any caller and ends
	// when LoadTimeout has passed, never because one caller went away.
	Load func(ctx context.Context, key string) (V, error)
	// TTL is how long a value is believed, counted from the start of its load; 0: 10 s.
	TTL time.Duration
	// NegativeTTL is how long authz.ErrNotFound is believed; 0: 2 s.
	NegativeTTL time.Duration
	// Max is the number of keys kept, absent ones included; 0: 10000. The key that was
	// asked for longest ago makes room.
	Max int
	// LoadTimeout bounds one load; 0: 10 s.
	LoadTimeout time.Duration
	// Now tells the time; nil: time.Now.
	Now func() time.Time
}

// Cache holds loaded values. It is safe for use by many goroutines. All callers share one
// value: they must not change it.
type Cache[V any] struct {
	cfg Config[V]

	mu      sync.Mutex
	entries map[string]*list.Element // of *entry[V]
	recent  *list.List               // the most recently asked for in front
	flights map[string]*flight[V]
}

// entry is a key whose load came back with a value, or with err wrapping authz.ErrNotFound.
type entry[V any] struct {
	key     string
	value   V
	err     error
	loaded  time.Time
	expires time.Time
}

// flight is one running load. It may be cached only while it is still the flight of its
// key; Forget takes that away from it.
type flight[V any] struct {
	done  chan struct{} // closed when value and err are set
	value V
	err   error
}

// New makes an empty cache.
func New[V any](cfg Config[V]) *Cache[V] {
	if cfg.TTL <= 0 {
		cfg.TTL = defaultTTL
	}
	if cfg.NegativeTTL <= 0 {
		cfg.NegativeTTL = defaultNegativeTTL
	}
	if cfg.Max <= 0 {
		cfg.Max = defaultMax
	}
	if cfg.LoadTimeout <= 0 {
		cfg.LoadTimeout = defaultLoadTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Cache[V]{
		cfg:     cfg,
		entries: make(map[string]*list.Element),
		recent:  list.New(),
		flights: make(map[string]*flight[V]),
	}
}

// Get gives the value of key, from memory or by one load that all callers of the moment
// share. authz.ErrNotFound is remembered like a value; any other error goes to those who
// waited and is forgotten. When ctx ends first, its error is returned and the load goes on
// for the others.
//
// Never call Get inside of a transaction: the load runs outside of it, would not see its
// writes and, with a single connection, would wait for it for ever.
func (c *Cache[V]) Get(ctx context.Context, key string) (V, error) {
	c.mu.Lock()
	if e := c.fresh(key); e != nil {
		c.mu.Unlock()
		return e.value, e.err
	}
	f := c.join(key)
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none V
		return none, context.Cause(ctx)
	}
}

// Forget drops key. A Get that begins after Forget has returned sees nothing that was
// loaded, or began to be loaded, before.
func (c *Cache[V]) Forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, key)
	if at, ok := c.entries[key]; ok {
		c.remove(at)
	}
}

// Clear drops every key, as Forget does one.
func (c *Cache[V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.flights)
	clear(c.entries)
	c.recent.Init()
}

// Len is the number of keys kept at this moment, expired ones included.
func (c *Cache[V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.Len()
}

// fresh finds an entry that may still be believed. One that seems to come from the future
// may not: the clock was set back, and nobody knows how old it is.
func (c *Cache[V]) fresh(key string) *entry[V] {
	at, ok := c.entries[key]
	if !ok {
		return nil
	}
	e := at.Value.(*entry[V])
	now := c.cfg.Now()
	if now.Before(e.loaded) || !now.Before(e.expires) {
		c.remove(at)
		return nil
	}
	c.recent.MoveToFront(at)
	return e
}

// join finds the running load of key or starts one.
func (c *Cache[V]) join(key string) *flight[V] {
	if f, ok := c.flights[key]; ok {
		return f
	}
	f := &flight[V]{done: make(chan struct{})}
	c.flights[key] = f
	go c.load(key, f)
	return f
}

func (c *Cache[V]) load(key string, f *flight[V]) {
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.LoadTimeout)
	defer cancel()
	began := c.cfg.Now()
	f.value, f.err = c.cfg.Load(ctx, key)

	c.mu.Lock()
	if c.flights[key] == f {
		delete(c.flights, key)
		c.keep(&entry[V]{key: key, value: f.value, err: f.err, loaded: began})
	}
	c.mu.Unlock()
	close(f.done)
}

func (c *Cache[V]) keep(e *entry[V]) {
	switch {
	case e.err == nil:
		e.expires = e.loaded.Add(c.cfg.TTL)
	case errors.Is(e.err, authz.ErrNotFound):
		e.expires = e.loaded.Add(c.cfg.NegativeTTL)
	default:
		return
	}
	if old, ok := c.entries[e.key]; ok {
		c.remove(old)
	}
	c.entries[e.key] = c.recent.PushFront(e)
	for c.recent.Len() > c.cfg.Max {
		c.remove(c.recent.Back())
	}
}

func (c *Cache[V]) remove(at *list.Element) {
	c.recent.Remove(at)
	delete(c.entries, at.Value.(*entry[V]).key)
}
