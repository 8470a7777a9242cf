package gateway_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
)

// Where the APIs cannot be had, because the database hangs, those who ask wait together and
// not one after the other.
func TestManyWaitForAHangingDatabaseOnce(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	w := alone(t, func(c *gateway.Config) {
		c.APIs = func(ctx context.Context) ([]*authz.API, error) {
			reads.Add(1)
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	const many = 32
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			if v, err := w.service.Check(context.Background(), asking("whatever")); v.Outcome != gateway.Unavailable || err == nil {
				t.Errorf("%v, %v", v.Outcome, err)
			}
		})
	}
	all.Wait()
	if n := reads.Load(); n > many/2 {
		t.Errorf("the APIs were asked for %d times by %d checks at once", n, many)
	}
}

// A client that goes away while the APIs are read has no outage begin.
func TestAClientThatGoesAwayIsNoOutage(t *testing.T) {
	t.Parallel()
	reading, finish := make(chan struct{}), make(chan struct{})
	var reads atomic.Int64
	var w *world
	w = alone(t, func(c *gateway.Config) {
		registered := c.APIs
		c.APIs = func(ctx context.Context) ([]*authz.API, error) {
			if reads.Add(1) == 1 {
				close(reading)
				<-finish
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return registered(ctx)
		}
	})
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan gateway.Verdict)
	go func() {
		v, _ := w.service.Check(ctx, asking("whatever"))
		left <- v
	}()
	<-reading
	leave()
	if v := <-left; v.Outcome != gateway.Unavailable {
		t.Errorf("who has gone got %v", v.Outcome)
	}
	close(finish)
	_, token := w.apiToken()
	w.check(asking(token), gateway.Allow)
	if n := reads.Load(); n != 1 {
		t.Errorf("%d reads, want the one that was under way", n)
	}
}
