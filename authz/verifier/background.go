package verifier

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// background runs what outlives the call that started it: fetches that several callers wait
// for, and the followers of status lists.
type background struct {
	life context.Context //nolint:containedctx // it is the life of the Verifier, which stop ends
	end  context.CancelFunc

	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

func newBackground() *background {
	b := &background{}
	b.life, b.end = context.WithCancel(context.Background())
	return b
}

// run starts fn and says whether it did; after stop it does not.
func (b *background) run(fn func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return false
	}
	b.running.Go(func() { fn(b.life) })
	return true
}

// stop ends everything that runs and waits until it has.
func (b *background) stop() {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	b.end()
	b.running.Wait()
}

// flight lets one run of its function be under way at a time: whoever asks meanwhile waits for
// that one. It runs in the background, so that the first to ask can give up without taking the
// answer away from the others.
type flight struct {
	background *background
	clock      func() time.Time
	fn         func(context.Context) error

	mu  sync.Mutex
	now *call
}

// call is one run of a flight's function; err may be read once done is closed.
type call struct {
	begun time.Time
	done  chan struct{}
	err   error
}

// start joins the run that is under way, or begins one.
func (f *flight) start() *call {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now != nil {
		return f.now
	}
	c := &call{begun: f.clock(), done: make(chan struct{})}
	started := f.background.run(func(ctx context.Context) {
		c.err = f.fn(ctx)
		f.mu.Lock()
		f.now = nil
		f.mu.Unlock()
		close(c.done)
	})
	if !started {
		c.err = errClosed
		close(c.done)
		return c
	}
	f.now = c
	return c
}

// wait gives the outcome of the run, or ErrUnavailable when ctx ends first.
func (c *call) wait(ctx context.Context) error {
	select {
	case <-c.done:
		return c.err
	default:
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return fmt.Errorf("%w: wait for the issuer: %w", ErrUnavailable, context.Cause(ctx))
	}
}
