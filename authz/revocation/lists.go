package revocation

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Store is what this package remembers.
type Store interface {
	ClaimStatusIndex(ctx context.Context, index int64, expires time.Time) (bool, error)
	SetClientStatusIndex(ctx context.Context, clientID string, index int64) (int64, error)
	// RevokedStatusIndexes gives the places whose bits are set at this moment, some of them
	// twice.
	RevokedStatusIndexes(ctx context.Context, from, to int64, now time.Time) ([]int64, error)
	// StatusLists is how many lists have a place that is taken.
	StatusLists(ctx context.Context) (int64, error)
}

// Config names what the lists need.
type Config struct {
	Store    Store
	Issuer   string
	Sign     func(alg, typ string, claims []byte) (string, error)
	TTL      time.Duration // how long others may keep a list without asking; 0: 12 s
	Lifetime time.Duration // how long a signed list is good for; 0: 10 min
	Poll     time.Duration // how often watched lists are read without a notice; 0: 10 s
	Now      func() time.Time
	Random   io.Reader
	// Failed is told of a list that could not be read; those who wait keep waiting.
	Failed func(error)
}

// Lists are the published status lists. They are safe for concurrent use.
type Lists struct {
	cfg     Config
	filling atomic.Int64 // the list that new places are taken from
	clients sync.Map     // registered → int64
	noticed chan struct{}

	mu    sync.Mutex
	lists map[int64]*published
}

// published is one list as it was read last. Its fields are replaced together, under the
// mutex of Lists; changed is closed when they are.
type published struct {
	bits     []byte
	lst      string
	etag     string
	token    []byte
	gzip     []byte
	signedAt time.Time
	cleared  bool // since then a bit was cleared
	readAt   time.Time
	dirty    bool
	waiting  int
	changed  chan struct{}
	reading  chan struct{} // open while somebody reads it; nil otherwise
}

// Answer is a list as it goes over the wire.
type Answer struct {
	Body        []byte
	Gzip        []byte // the same, compressed (draft-ietf-oauth-status-list §8.2)
	ETag        string
	NotModified bool
	MaxAge      time.Duration
}

// MaxWait is the longest that Serve waits for a change.
const MaxWait = 30 * time.Second

// New makes the lists. Run must be called for waiting callers to hear of changes.
func New(cfg Config) *Lists {
	cfg.TTL = orElse(cfg.TTL, 12*time.Second)
	cfg.Lifetime = orElse(cfg.Lifetime, 10*time.Minute)
	cfg.Poll = orElse(cfg.Poll, 10*time.Second)
	return &Lists{cfg: cfg, lists: map[int64]*published{}, noticed: make(chan struct{}, 1)}
}

func orElse(d, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return d
}

// Serve gives a list, read no longer ago than its poll period or the last notice. With an
// ETag that still stands it says so, after waiting for it to change for as long as asked,
// at most MaxWait, and only if that is known at the end of the wait. An unknown list is
// authz.ErrNotFound; any other error is an outage.
func (l *Lists) Serve(ctx context.Context, list int64, etag string, wait time.Duration) (Answer, error) {
	deadline := time.NewTimer(min(wait, MaxWait))
	defer deadline.Stop()
	for {
		a, changed, err := l.current(ctx, list)
		if err != nil || etag != a.ETag {
			return a, err
		}
		a.NotModified, a.Body, a.Gzip = true, nil, nil
		if wait <= 0 {
			return a, nil
		}
		if !l.await(list) {
			continue // with a notice meanwhile
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-deadline.C:
			wait = 0
		case <-changed:
		}
		l.leave(list)
		if err != nil {
			return a, err
		}
	}
}

// current gives a list that is fresh enough, reading it when it is not, and the channel
// that is closed when it is replaced by another.
func (l *Lists) current(ctx context.Context, list int64) (Answer, <-chan struct{}, error) {
	for {
		l.mu.Lock()
		p, now := l.lists[list], l.cfg.Now()
		if p != nil && p.readAt.Add(l.cfg.Poll).After(now) && !p.dirty && p.reading == nil {
			a, err := l.answer(list, p, now)
			changed := p.changed
			l.mu.Unlock()
			return a, changed, err
		}
		if p != nil && p.reading != nil {
			reading := p.reading
			l.mu.Unlock()
			select {
			case <-reading:
				continue
			case <-ctx.Done():
				return Answer{}, nil, ctx.Err()
			}
		}
		l.mu.Unlock()
		if err := l.refresh(ctx, list); err != nil {
			return Answer{}, nil, err
		}
	}
}

// answer signs the list anew when half of its token's life is over. The mutex is held.
func (l *Lists) answer(list int64, p *published, now time.Time) (Answer, error) {
	if p.token == nil || p.signedAt.Add(l.cfg.Lifetime/2).Before(now) {
		issued := p.next(now)
		token, err := l.sign(list, p.lst, issued)
		if err != nil {
			return Answer{}, err
		}
		smaller, err := zip(token)
		if err != nil {
			return Answer{}, err
		}
		p.token, p.gzip, p.signedAt, p.cleared = token, smaller, issued, false
	}
	return Answer{Body: p.token, Gzip: p.gzip, ETag: p.etag, MaxAge: l.cfg.TTL}, nil
}

// next dates the next token of a list. Who holds two of one second does not know which came
// first, and goes by the bits of both: where one was cleared there must be a second between.
func (p *published) next(now time.Time) time.Time {
	if p.cleared && now.Unix() <= p.signedAt.Unix() {
		return p.signedAt.Add(time.Second)
	}
	if now.Before(p.signedAt) {
		return p.signedAt
	}
	return now
}

// refresh reads a list. Of several callers one reads and the others wait for it.
func (l *Lists) refresh(ctx context.Context, list int64) error {
	if err := l.mustExist(ctx, list); err != nil {
		return err
	}
	l.mu.Lock()
	p := l.lists[list]
	if p == nil {
		p = &published{changed: make(chan struct{})}
		l.lists[list] = p
	}
	if p.reading != nil {
		l.mu.Unlock()
		return nil
	}
	p.reading, p.dirty = make(chan struct{}), false
	l.mu.Unlock()

	from := list * authz.StatusListSize
	revoked, err := l.cfg.Store.RevokedStatusIndexes(ctx, from, from+authz.StatusListSize, l.cfg.Now())
	bits, set := pack(list, revoked)
	var lst, etag string
	if err == nil && !bytes.Equal(bits, p.bits) { // nobody else changes them while we read
		lst, etag, err = encode(bits, set)
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	close(p.reading)
	p.reading = nil
	if err != nil {
		p.dirty = true
		return err
	}
	p.readAt = l.cfg.Now()
	if lst != "" {
		close(p.changed)
		p.cleared = p.cleared || p.bits != nil && !within(p.bits, bits)
		p.bits, p.lst, p.etag, p.token, p.changed = bits, lst, etag, nil, make(chan struct{})
	}
	return nil
}

// mustExist keeps strangers from having any number of lists made.
func (l *Lists) mustExist(ctx context.Context, list int64) error {
	l.mu.Lock()
	known := l.lists[list] != nil
	l.mu.Unlock()
	if known {
		return nil
	}
	n, err := l.cfg.Store.StatusLists(ctx)
	if err != nil {
		return err
	}
	if list < 0 || list >= max(n, 1) {
		return fmt.Errorf("status list: %w", authz.ErrNotFound)
	}
	return nil
}
