package login_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/authz/ratelimit"
	"github.com/signet-auth/signet/storage/storagetest"
)

// room is where attempts wait for the reserve, until a test lets them go on. An address has
// one attempt at a name of its own there.
type room struct {
	*world
	came chan struct{} // for each who begins to wait
	open chan struct{}
}

func newRoom(t *testing.T, change ...func(*login.Config)) *room {
	t.Helper()
	r := &room{came: make(chan struct{}, 100), open: make(chan struct{})}
	wait := func(c *login.Config) {
		c.PerName = ratelimit.New(ratelimit.Config{Burst: 1, Refill: login.NameRefill, Now: c.Now})
		c.Wait = func(ctx context.Context, d time.Duration) error {
			if d != login.Draw {
				return nil
			}
			open := r.open
			r.came <- struct{}{}
			select {
			case <-open:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	r.world = newWorldOn(t, storagetest.New(t), cheap, append(change, wait)...)
	r.person(t, "alice", right)
	return r
}

// exhaust spends what an address has for alice.
func (r *room) exhaust(t *testing.T, address string) {
	t.Helper()
	if _, err := r.Password(from(t, address), login.Attempt{Username: "alice", Password: wrong}); !errors.Is(err, login.ErrWrong) {
		t.Fatal(err)
	}
}

// try makes an attempt beside the test, and returns when it waits or has its answer.
func (r *room) try(ctx context.Context, a login.Attempt) <-chan error {
	answered, out := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := r.Password(ctx, a)
		out <- err
		close(answered)
	}()
	select {
	case <-r.came:
	case <-answered:
	}
	return out
}

func throttledFor(err error) time.Duration {
	throttled := new(login.ThrottledError)
	if !errors.As(err, &throttled) {
		return 0
	}
	return throttled.RetryAfter
}

// A program that is always there first has no more luck than a person who comes after it.
func TestThoseWhoComeInTimeDrawLots(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	const rounds = 100
	won := 0
	for n := range rounds {
		address := fmt.Sprintf("198.51.100.%d", n)
		r.exhaust(t, address)
		r.open = make(chan struct{})
		guesser := r.try(from(t, address), login.Attempt{Username: "alice", Password: wrong})
		person := r.try(from(t, address), login.Attempt{Username: "alice", Password: right})
		close(r.open)
		theirs, mine := <-guesser, <-person
		switch {
		case mine == nil && throttledFor(theirs) > 0: // until the next draw, which a right password lets begin at once
			won++
		case errors.Is(theirs, login.ErrWrong) && throttledFor(mine) == login.ReserveRefill:
		default:
			t.Fatalf("the guesser got %v, the person %v: want one refused", theirs, mine)
		}
	}
	if won < rounds/5 || won > rounds*4/5 { // six standard deviations from half of them
		t.Errorf("the person won %d of %d draws", won, rounds)
	}
}

// However many come, one is looked at.
func TestOneOfManyGoesThrough(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.exhaust(t, "198.51.100.7")
	r.hashes.Store(0)
	all := make([]<-chan error, 0, 50)
	for range cap(all) {
		all = append(all, r.try(from(t, "198.51.100.7"), login.Attempt{Username: "alice", Password: wrong}))
	}
	close(r.open)
	for _, one := range all {
		if err := <-one; !errors.Is(err, login.ErrWrong) && throttledFor(err) != login.ReserveRefill {
			t.Errorf("got %v", err)
		}
	}
	if n := r.hashes.Load(); n != 1 {
		t.Errorf("%d were looked at", n)
	}
}

// Who goes away while they wait has not used the reserve up.
func TestWhoGoesAwayLeavesTheReserveToOthers(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.exhaust(t, "198.51.100.7")
	ctx, leave := context.WithCancel(from(t, "198.51.100.7"))
	gone := r.try(ctx, login.Attempt{Username: "alice", Password: wrong})
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) || throttledFor(err) != 0 {
		t.Errorf("who went away got %v", err)
	}
	person := r.try(from(t, "198.51.100.7"), login.Attempt{Username: "alice", Password: right})
	close(r.open)
	if err := <-person; err != nil {
		t.Errorf("the next got %v", err)
	}
}

// No more wait than there is room for, wherever they come from.
func TestTheRoomIsBounded(t *testing.T) {
	t.Parallel()
	const waiting = 3
	r := newRoom(t, func(c *login.Config) { c.Waiting = waiting })
	var all []<-chan error
	for n := range waiting + 1 {
		address := fmt.Sprintf("198.51.100.%d", n)
		r.exhaust(t, address)
		all = append(all, r.try(from(t, address), login.Attempt{Username: "alice", Password: wrong}))
	}
	if err := <-all[waiting]; throttledFor(err) != login.Draw {
		t.Errorf("one too many got %v", err)
	}
	close(r.open)
	for _, one := range all[:waiting] {
		if err := <-one; !errors.Is(err, login.ErrWrong) {
			t.Errorf("who waited got %v", err)
		}
	}
}
