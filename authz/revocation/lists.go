package revocation

import (
	"bytes"
	"context"
	"errors"
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
	RevokedStatusIndexes(ctx context.Context, from, to int64) ([]int64, error)
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
	Poll     time.Duration // how often watched lists are read without a notice; 0: 1 s
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
	cfg.Poll = orElse(cfg.Poll, time.Second)
	return &Lists{cfg: cfg, lists: map[int64]*published{}}
}

func orElse(d, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return d
}

// Serve gives a list, read no longer ago than its poll period or the last notice. With an
// ETag that still stands it says so, after waiting for it to change for as long as asked,
// at most MaxWait, and only if that is known at the end of the wait. An unknown list is authz.ErrNotFound; any other error is an outage.
func (l *Lists) Serve(ctx context.Context, list int64, etag string, wait time.Duration) (Answer, error) {
	deadline := time.NewTimer(min(wait, MaxWait))
	defer deadline.Stop()
	for {
		a, changed, err := l.current(ctx, list)
		if err != nil || etag != a.ETag {
			return a, err
		}
		a.NotModified, a.Body = true, nil
		if wait <= 0 {
			return a, nil
		}
		l.addWaiting(list, 1)
		select {
		case <-ctx.Done():
			l.addWaiting(list, -1)
			return a, ctx.Err()
		case <-deadline.C:
			l.addWaiting(list, -1)
			wait = 0
		case <-changed:
			l.addWaiting(list, -1)
		}
	}
}

func (l *Lists) addWaiting(list int64, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.lists[list]; p != nil {
		p.waiting += n
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
		issued := now
		// Who holds two lists of one second does not know which came first, and goes by the
		// bits of both.
		if p.cleared && issued.Unix() <= p.signedAt.Unix() {
			issued = p.signedAt.Add(time.Second)
		}
		token, err := l.sign(list, p.lst, issued)
		if err != nil {
			return Answer{}, err
		}
		p.token, p.signedAt, p.cleared = token, issued, false
	}
	return Answer{Body: p.token, ETag: p.etag, MaxAge: l.cfg.TTL}, nil
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
	revoked, err := l.cfg.Store.RevokedStatusIndexes(ctx, from, from+authz.StatusListSize)
	bits, lst, etag := pack(list, revoked), "", ""
	if err == nil && !bytes.Equal(bits, p.bits) { // nobody else changes them while we read
		lst, etag, err = encode(bits)
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

// Changed says that places may have been revoked: lists that somebody waits for are read
// at once, the others when they are asked for.
func (l *Lists) Changed(ctx context.Context) {
	l.mu.Lock()
	var awaited []int64
	for list, p := range l.lists {
		p.dirty = true
		if p.waiting > 0 {
			awaited = append(awaited, list)
		}
	}
	l.mu.Unlock()
	for _, list := range awaited {
		if err := l.refresh(ctx, list); err != nil && !errors.Is(err, context.Canceled) && l.cfg.Failed != nil {
			l.cfg.Failed(err)
		}
	}
}

// Run reads the lists that somebody waits for once in a poll period, so that a notice that
// was lost costs a second, until ctx ends.
func (l *Lists) Run(ctx context.Context) {
	tick := time.NewTicker(l.cfg.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.Changed(ctx)
		}
	}
}
