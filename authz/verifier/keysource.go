package verifier

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	unknownKeyPause = 30 * time.Second // between fetches that an unknown kid asked for
	failurePause    = time.Second      // after a failure, before anybody waits for another attempt
	renewalPause    = 10 * time.Second // between attempts while the old keys serve
	renewalWait     = 2 * time.Second  // for an attempt to renew expired keys; then the old ones serve
	knownDown       = time.Minute      // how long a failure is reason enough not to wait at all
)

// keySource knows the issuer's keys: fetched when first needed, renewed before they grow old,
// kept through an outage.
type keySource struct {
	issuer string
	fetch  *fetcher
	now    func() time.Time
	log    *slog.Logger

	set     atomic.Pointer[keySet]
	loading flight
	known   *metadata // what discovery said; used by load only, of which one runs at a time

	mu        sync.Mutex
	failedAt  time.Time
	failure   error // of the last attempt; nil when it succeeded
	unknown   *call // the last fetch that an unknown kid asked for
	unknownAt time.Time
}

func newKeySource(issuer string, f *fetcher, b *background, now func() time.Time, log *slog.Logger) *keySource {
	s := &keySource{issuer: issuer, fetch: f, now: now, log: log}
	s.loading = flight{background: b, clock: now, fn: s.load}
	return s
}

// find gives the key with this kid: ErrUnknownKey when the issuer has none, ErrUnavailable when
// it could not be asked.
func (s *keySource) find(ctx context.Context, kid string) (*publicKey, error) {
	set, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	if key := set.keys[kid]; key != nil {
		return key, nil
	}
	if set, err = s.reload(ctx); err != nil {
		return nil, err
	}
	if key := set.keys[kid]; key != nil {
		return key, nil
	}
	return nil, fmt.Errorf("%w: kid %q", ErrUnknownKey, kid)
}

// current gives the keys to go by. It waits for a fetch when there are none; and, for a moment,
// when they have expired and the issuer is not known to be down.
func (s *keySource) current(ctx context.Context) (*keySet, error) {
	set, now := s.set.Load(), s.now()
	if set != nil && now.Before(set.renew) {
		return set, nil
	}
	failedAt, failure := s.lastFailure()
	switch {
	case set == nil && failure != nil && now.Before(failedAt.Add(failurePause)):
		return nil, failure
	case set == nil:
		if err := s.loading.start().wait(ctx); err != nil {
			return nil, err
		}
	case failure != nil && now.Before(failedAt.Add(renewalPause)):
		return set, nil
	case failure != nil && now.Before(failedAt.Add(knownDown)), now.Before(set.expires):
		s.loading.start()
		return set, nil
	default:
		attempt := s.loading.start()
		ctx, cancel := context.WithTimeout(ctx, attempt.begun.Add(renewalWait).Sub(now))
		defer cancel()
		_ = attempt.wait(ctx) // the old keys serve where this fails
	}
	return s.set.Load(), nil
}

// reload fetches because of an unknown kid, which anybody can send: hence at most once per
// pause, and everybody in between shares that outcome.
func (s *keySource) reload(ctx context.Context) (*keySet, error) {
	if failedAt, failure := s.lastFailure(); failure != nil && s.now().Before(failedAt.Add(failurePause)) {
		return nil, failure
	}
	s.mu.Lock()
	if now := s.now(); s.unknown == nil || !now.Before(s.unknownAt.Add(unknownKeyPause)) {
		s.unknown, s.unknownAt = s.loading.start(), now
	}
	asked, at := s.unknown, s.unknownAt
	s.mu.Unlock()
	err := asked.wait(ctx)
	set := s.set.Load()
	if err != nil && !set.fetched.After(at) {
		return nil, err // the key may well exist: that is an outage, not a refusal
	}
	return set, nil
}

func (s *keySource) lastFailure() (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failedAt, s.failure
}

// load asks the issuer once and notes the outcome.
func (s *keySource) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.fetch.timeout)
	defer cancel()
	set, err := s.ask(ctx)
	if err != nil {
		s.known = nil // the keys may have moved: discover again next time
		err = fmt.Errorf("%w: fetch keys: %w", ErrUnavailable, err)
	} else {
		s.set.Store(set)
	}
	s.mu.Lock()
	before := s.failure
	s.failure, s.failedAt = err, s.now()
	s.mu.Unlock()
	switch {
	case err != nil && before == nil:
		s.log.Warn("signet: keys cannot be fetched, trying on", "issuer", s.issuer, "error", err)
	case err == nil && before != nil:
		s.log.Info("signet: keys can be fetched again", "issuer", s.issuer)
	}
	return err
}

func (s *keySource) ask(ctx context.Context) (*keySet, error) {
	if s.known == nil {
		found, err := discover(ctx, s.fetch, s.issuer)
		if err != nil {
			return nil, err
		}
		s.known = found
	}
	old := s.set.Load()
	want := request{url: s.known.JWKSURI, accept: mediaKeys, timeout: s.fetch.timeout, limit: maxDocument}
	if old != nil {
		want.etag = old.etag
	}
	got, err := s.fetch.get(ctx, want)
	if err != nil {
		return nil, err
	}
	fresh := maxAge(got.header, keysFreshDefault, keysFreshLow, keysFreshHigh)
	if got.unchanged {
		return old.dated(s.now(), fresh, old.etag), nil
	}
	set, skipped, err := parseKeySet(got.body, old)
	if err != nil {
		return nil, err
	}
	for _, reason := range skipped {
		s.log.Debug("signet: key passed over", "issuer", s.issuer, "reason", reason)
	}
	return set.dated(s.now(), fresh, got.header.Get("ETag")), nil
}
