// Package authztest has what the tests of every decider need: a clock that they move, and
// a recorder that remembers. It is for tests only.
package authztest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Start is when the clock of a test stands until the test moves it.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Clock is a time that a test moves. The zero Clock stands at Start. It is safe for use by
// many goroutines.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now gives the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Start.Add(c.ahead)
}

// Advance moves the time, back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// Events is a recorder that remembers. The zero Events has nothing to remember yet. It is
// safe for use by many goroutines.
type Events struct {
	mu  sync.Mutex
	all []authz.Event
}

// Record remembers an event.
func (e *Events) Record(_ context.Context, one authz.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, one)
}

// All gives what was recorded, in order.
func (e *Events) All() []authz.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

// Of gives what was recorded of a kind, in order.
func (e *Events) Of(kind string) []authz.Event {
	return slices.DeleteFunc(e.All(), func(one authz.Event) bool { return one.Kind != kind })
}

// Last gives what was recorded last, an empty event if nothing was.
func (e *Events) Last() authz.Event {
	all := e.All()
	if len(all) == 0 {
		return authz.Event{}
	}
	return all[len(all)-1]
}
