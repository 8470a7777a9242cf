package revocation

import (
	"context"
	"errors"
	"time"
)

// await counts a caller among those whom Run reads a list for, unless there is something to
// read already.
func (l *Lists) await(list int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.lists[list]
	if p.dirty {
		return false
	}
	p.waiting++
	return true
}

func (l *Lists) leave(list int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists[list].waiting--
}

// Changed says that places may have been revoked. Run then reads the lists that somebody
// waits for; the others are read when they are asked for.
func (l *Lists) Changed() {
	l.mu.Lock()
	for _, p := range l.lists {
		p.dirty = true
	}
	l.mu.Unlock()
	l.notice()
}

func (l *Lists) notice() {
	select {
	case l.noticed <- struct{}{}:
	default:
	}
}

const (
	maxPause   = 500 * time.Millisecond // the longest that a notice waits after a reading
	retryPause = time.Second            // after one that failed
)

// Run reads the lists that somebody waits for when there is a notice, and now and then without
// one, until ctx ends. However many notices there are, and however long the lists, it reads a
// third of the time at most: those who wait hear of many revocations at once.
func (l *Lists) Run(ctx context.Context) {
	tick := time.NewTicker(l.cfg.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.noticed:
		}
		began := l.cfg.Now()
		err := l.readAwaited(ctx)
		pause := min(2*l.cfg.Now().Sub(began), maxPause)
		if err != nil {
			pause = retryPause
			l.notice()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// readAwaited gives the last error.
func (l *Lists) readAwaited(ctx context.Context) (failed error) {
	for _, list := range l.awaited() {
		err := l.refresh(ctx, list)
		if err == nil || errors.Is(err, context.Canceled) {
			continue
		}
		if failed = err; l.cfg.Failed != nil {
			l.cfg.Failed(err)
		}
	}
	return failed
}

func (l *Lists) awaited() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []int64
	for list, p := range l.lists {
		if p.waiting > 0 {
			out = append(out, list)
		}
	}
	return out
}
