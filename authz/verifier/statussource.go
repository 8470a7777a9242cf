package verifier

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// statusSource answers whether a token is revoked, out of status lists that are followed in the
// background: no request waits for one but the first that meets it.
type statusSource struct {
	statusPolicy
	keys       *keySource
	background *background

	mu        sync.RWMutex
	followers map[string]*follower
}

// statusPolicy is what all followers of a Verifier have in common.
type statusPolicy struct {
	issuer   string
	fetch    *fetcher
	now      func() time.Time
	log      *slog.Logger
	leeway   time.Duration
	maxStale time.Duration
	failOpen bool
}

// hold is how long the issuer is asked to hold an answer back: well short of the time after
// which the list would be stale. An answer sooner than a sixth of it was not held back.
func (p *statusPolicy) hold() time.Duration {
	return max(min(longPoll, p.maxStale/2), time.Second)
}

func newStatusSource(policy statusPolicy, keys *keySource, b *background) *statusSource {
	return &statusSource{statusPolicy: policy, keys: keys, background: b, followers: map[string]*follower{}}
}

// check gives nil for a token that holds, ErrRevoked for one that does not, and ErrStaleStatus
// when that cannot be told. Known to be revoked stays revoked, however old the knowledge is.
func (s *statusSource) check(ctx context.Context, ref *statusRef) error {
	f, err := s.follower(ref.URI)
	if err != nil {
		return err
	}
	f.touch()
	list := f.list.Load()
	if !s.answers(list, *ref.Index) && !f.failing.Load() {
		err = f.loading.start().wait(ctx)
		list = f.list.Load()
	}
	value, there := list.at(*ref.Index)
	switch {
	case there && value != 0:
		return ErrRevoked
	case there && !s.stale(list), s.failOpen:
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrStaleStatus, err)
	}
	return ErrStaleStatus
}

// answers says whether list can tell the status at index now. A list that has grown since it
// was seen cannot.
func (s *statusSource) answers(list *snapshot, index uint64) bool {
	if s.stale(list) {
		return false
	}
	_, there := list.at(index)
	return there || s.now().Before(list.seen.Add(followPause))
}

func (s *statusSource) stale(list *snapshot) bool {
	now := s.now()
	return list == nil || now.After(list.seen.Add(s.maxStale)) || list.expired(now.Add(-s.leeway))
}

// follower gives the one that follows the list at uri, and starts it at first sight. Lists live
// with the issuer: a token must not send us anywhere else.
func (s *statusSource) follower(uri string) (*follower, error) {
	s.mu.RLock()
	f := s.followers[uri]
	s.mu.RUnlock()
	if f != nil {
		return f, nil
	}
	poll, err := s.pollURL(uri)
	if err != nil {
		return nil, fmt.Errorf("%w: status list: %w", ErrMalformed, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.followers[uri]; f != nil {
		return f, nil
	}
	f = newFollower(s.statusPolicy, s.keys, s.background, uri, poll)
	f.touch()
	if !s.background.run(func(ctx context.Context) { f.follow(ctx); s.forget(f) }) {
		return nil, errClosed
	}
	s.followers[uri] = f
	return f, nil
}

func (s *statusSource) forget(f *follower) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.followers, f.uri)
}

// pollURL is uri with the wish that the answer be held back until there is news.
func (s *statusSource) pollURL(uri string) (string, error) {
	if err := s.fetch.checkURL(uri); err != nil {
		return "", err
	}
	list, err := url.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("parse URL: %w", err)
	}
	issuer, err := url.Parse(s.issuer)
	if err != nil {
		return "", fmt.Errorf("parse issuer: %w", err)
	}
	if origin(list) != origin(issuer) {
		return "", fmt.Errorf("%q is not at the issuer", uri)
	}
	query := list.Query()
	query.Set("wait", strconv.Itoa(int(s.hold()/time.Second)))
	list.RawQuery = query.Encode()
	return list.String(), nil
}
