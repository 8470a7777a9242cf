package keys

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	defaultRotateEvery  = 30 * 24 * time.Hour
	defaultPublishAhead = time.Hour
	defaultKeepRetired  = 24 * time.Hour
	maxPublicAge        = 5 * time.Minute // how long a key set may be kept by who fetched it
)

// Store remembers signing keys. InsertSigningKey gives authz.ErrConflict when the algorithm
// has a key in that state already, RotateSigningKey and ReplaceSigningKey authz.ErrNotFound
// when the keys they name are not active and next any more.
type Store interface {
	SigningKeys(ctx context.Context) ([]authz.SigningKey, error)
	InsertSigningKey(ctx context.Context, k authz.SigningKey) error
	RotateSigningKey(ctx context.Context, old, next string, fresh authz.SigningKey, now, oldExpires time.Time) error
	// ReplaceSigningKey rotates too, but forgets the old key and the retired ones of its algorithm.
	ReplaceSigningKey(ctx context.Context, old, next string, fresh authz.SigningKey, now time.Time) error
	DeleteExpiredKeys(ctx context.Context, now time.Time) (int64, error)
}

// Recorder is told of each rotation, by the replica that did it.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Config says what a Ring holds and how long.
type Config struct {
	Store  Store
	Master *Master
	// Algorithms have keys; the first signs where no other is asked for. Empty: ES256, RS256.
	Algorithms []string
	// RotateEvery is how long a key signs; 0: 30 days.
	RotateEvery time.Duration
	// PublishAhead is how long a key is published before it signs. It must not be shorter
	// than services keep the key set; 0: one hour.
	PublishAhead time.Duration
	// KeepRetired is how long a key is published after it signed last: at least as long as
	// the longest token lives; 0: 24 hours.
	KeepRetired time.Duration
	Now         func() time.Time // nil: time.Now
	Random      io.Reader        // for keys; nil: crypto/rand
	Log         *slog.Logger
	Audit       Recorder
}

// Ring is the keys of one server. It is safe for use by many goroutines.
type Ring struct {
	cfg  Config
	snap atomic.Pointer[snapshot]

	loading sync.Mutex // one reload at a time, so that none puts older rows over newer ones
	unread  authz.Outage
	idle    authz.Outage // of tending
}

// Info says what an operator may know of a key.
type Info struct {
	KID         string         `json:"kid"`
	Alg         string         `json:"alg"`
	State       authz.KeyState `json:"state"`
	CreatedAt   time.Time      `json:"created_at"`
	ActivatedAt time.Time      `json:"activated_at,omitzero"`
	RetiredAt   time.Time      `json:"retired_at,omitzero"`
	ExpiresAt   time.Time      `json:"expires_at,omitzero"`
}

// Open reads the keys and makes those that are missing. The master key should have been
// claimed before: a wrong one is told apart from a damaged row there and not here.
func Open(ctx context.Context, cfg Config) (*Ring, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	r := &Ring{
		cfg: cfg,
		unread: authz.Outage{
			Log: cfg.Log, Now: cfg.Now,
			What: "signing keys cannot be read, going on with those known", Over: "signing keys are read again",
		},
		idle: authz.Outage{Log: cfg.Log, Now: cfg.Now, What: "signing keys are not tended", Over: "signing keys are tended again"},
	}
	r.snap.Store(&snapshot{})
	if err := r.Reload(ctx); err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	if err := r.fill(ctx); err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	if err := r.Ready(); err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	return r, nil
}

func (c *Config) complete() error {
	if c.Store == nil || c.Master == nil || c.Log == nil || c.Audit == nil {
		return errors.New("store, master key, log and audit are required")
	}
	c.Algorithms = slices.Clone(c.Algorithms)
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{authz.AlgES256, authz.AlgRS256}
	}
	for i, alg := range c.Algorithms {
		if !known(alg) || slices.Contains(c.Algorithms[:i], alg) {
			return fmt.Errorf("algorithm %q is unknown or named twice", alg)
		}
	}
	c.RotateEvery = cmp.Or(c.RotateEvery, defaultRotateEvery)
	c.PublishAhead = cmp.Or(c.PublishAhead, defaultPublishAhead)
	c.KeepRetired = cmp.Or(c.KeepRetired, defaultKeepRetired)
	if c.PublishAhead < 0 || c.KeepRetired < 0 || c.RotateEvery < c.PublishAhead {
		return errors.New("keys must sign for at least as long as they are published ahead")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return nil
}

// Reload reads the keys again. When that fails the ring goes on with the keys it has; the
// outage is logged.
func (r *Ring) Reload(ctx context.Context) error {
	r.loading.Lock()
	defer r.loading.Unlock()
	err := r.read(ctx)
	r.unread.Note(ctx, err)
	return err
}

func (r *Ring) read(ctx context.Context) error {
	rows, err := r.cfg.Store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("reload keys: %w", err)
	}
	fresh, err := newSnapshot(rows, r.snap.Load(), &r.cfg, r.cfg.Now())
	if err != nil {
		return fmt.Errorf("reload keys: %w", err)
	}
	r.snap.Store(fresh)
	return nil
}

// JWKS gives the public keys as a JWK Set (RFC 7517 §5), its entity tag, and how long it may
// be cached. The body is shared: nobody may change it.
func (r *Ring) JWKS() (body []byte, etag string, maxAge time.Duration) {
	s := r.snap.Load()
	return s.body, s.etag, min(maxPublicAge, r.cfg.PublishAhead)
}

// Algorithms are those that Sign knows, the default first.
func (r *Ring) Algorithms() []string { return slices.Clone(r.cfg.Algorithms) }

// List tells of every key in the order in which they are published.
func (r *Ring) List() []Info {
	var out []Info
	for _, k := range r.snap.Load().list {
		out = append(out, Info{KID: k.KID, Alg: k.Alg, State: k.State, CreatedAt: k.CreatedAt,
			ActivatedAt: k.ActivatedAt, RetiredAt: k.RetiredAt, ExpiresAt: k.ExpiresAt})
	}
	return out
}

// Ready is nil when every algorithm has a key that signs.
func (r *Ring) Ready() error {
	s := r.snap.Load()
	for _, alg := range r.cfg.Algorithms {
		if s.active[alg] == nil {
			return fmt.Errorf("no active signing key for %s", alg)
		}
	}
	return nil
}
