package verifier

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"
)

const (
	longPoll     = 30 * time.Second       // how long, at most, the issuer is asked to hold an answer back
	followPause  = 500 * time.Millisecond // at least, between two requests for one list
	patience     = 6                      // quick answers without news before an issuer is taken not to hold back
	pollLow      = 5 * time.Second        // between requests to an issuer that does not hold back
	pollDefault  = 15 * time.Second
	pollHigh     = time.Minute
	retryFirst   = time.Second // after a failure, doubled with each
	retryHigh    = 15 * time.Second
	followUnused = 15 * time.Minute // longer than an access token lives
)

// follower keeps one status list fresh for as long as tokens with it are seen.
type follower struct {
	statusPolicy
	keys         *keySource
	uri, pollURL string
	list         atomic.Pointer[snapshot]
	loading      flight       // asks at once, for those who wait
	failing      atomic.Bool  // the last time it did, there was no answer
	used         atomic.Int64 // when a token last asked, in nanoseconds of the clock
}

func newFollower(policy statusPolicy, keys *keySource, b *background, uri, pollURL string) *follower {
	f := &follower{statusPolicy: policy, keys: keys, uri: uri, pollURL: pollURL}
	f.loading = flight{background: b, clock: policy.now, fn: f.load}
	return f
}

func (f *follower) touch() { f.used.Store(f.now().UnixNano()) }

func (f *follower) unused() bool {
	return f.now().Sub(time.Unix(0, f.used.Load())) > followUnused
}

// follow asks for news until the list is no longer used or ctx ends. After a failure it asks
// plainly: something between us and the issuer may cut what is held back for long.
func (f *follower) follow(ctx context.Context) {
	var failures, fruitless int
	for ctx.Err() == nil && !f.unused() {
		begun := f.now()
		var err error
		if f.list.Load() == nil || failures > 0 {
			err = f.loading.start().wait(ctx)
		} else {
			var news bool
			news, err = f.poll(ctx)
			fruitless++
			if news || f.now().Sub(begun) >= f.hold()/6 {
				fruitless = 0
			}
		}
		if err != nil {
			failures++
			sleep(ctx, backoff(failures, f.now()))
			continue
		}
		failures = 0
		sleep(ctx, f.pause(fruitless)-f.now().Sub(begun))
	}
}

// poll asks for news, holding the line where the issuer does, and says whether there was any.
func (f *follower) poll(ctx context.Context) (news bool, err error) {
	before := f.list.Load().bytes
	err = f.refresh(ctx, f.pollURL, f.hold()+f.fetch.timeout)
	if err != nil {
		f.log.Debug("signet: status list poll failed", "uri", f.uri, "error", err)
		return false, err
	}
	return !bytes.Equal(before, f.list.Load().bytes), nil
}

// load asks at once, and logs when that starts or stops to work.
func (f *follower) load(ctx context.Context) error {
	err := f.refresh(ctx, f.uri, f.fetch.timeout)
	if ctx.Err() != nil {
		return errClosed
	}
	before := f.failing.Swap(err != nil)
	switch {
	case err != nil && !before:
		f.log.Warn("signet: status list cannot be fetched, trying on", "uri", f.uri, "error", err)
	case err == nil && before:
		f.log.Info("signet: status list can be fetched again", "uri", f.uri)
	}
	return err
}

// pause is the time between the beginnings of two requests: short while the issuer holds
// answers back or has news, else as long as the list may be kept. A few quick answers in a row
// are normal where replicas of the issuer take turns and one lags behind.
func (f *follower) pause(fruitless int) time.Duration {
	if fruitless < patience {
		return followPause
	}
	return max(min(f.list.Load().fresh, f.maxStale/3), followPause)
}

// backoff doubles with each failure. What the clock shows below a second makes it up to a quarter
// shorter: verifiers that lost the issuer at the same moment shall not all come back at the same.
func backoff(failures int, now time.Time) time.Duration {
	d := min(retryFirst<<min(failures-1, 10), retryHigh)
	return d - d/4*time.Duration(now.Nanosecond())/time.Second
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
