package apitoken_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		v, _ := w.create(w.good())
		write := func() int64 {
			return w.counting(func() {
				if err := w.service.WriteUses(ctx); err != nil {
					t.Fatal(err)
				}
			})
		}
		if n := w.counting(func() { w.service.Used(v.ID, netip.MustParseAddr("::ffff:192.0.2.7"), "curl/8 \xff\x00") }); n != 0 {
			t.Errorf("%d statements on the way of the request", n)
		}
		if n := write(); n != 1 {
			t.Errorf("%d statements for the first use, want 1", n)
		}
		first := w.clock.Now()
		if got := w.stored(v.ID); !got.LastUsedAt.Equal(first) || got.LastAddress != "192.0.2.7" || !strings.HasPrefix(got.LastAgent, "curl/8") {
			t.Errorf("last used at %v from %q with %q", got.LastUsedAt, got.LastAddress, got.LastAgent)
		}
		for range 11 {
			w.clock.Advance(5 * time.Second)
			w.service.Used(v.ID, netip.MustParseAddr("2001:db8::1"), "")
			if n := write(); n != 0 {
				t.Errorf("%d statements within the minute", n)
			}
		}
		w.clock.Advance(5 * time.Second)
		if n := write(); n != 1 {
			t.Errorf("%d statements after the minute, want 1", n)
		}
		if got := w.stored(v.ID); !got.LastUsedAt.Equal(first.Add(55*time.Second)) || got.LastAddress != "2001:db8::1" {
			t.Errorf("last used at %v from %q", got.LastUsedAt, got.LastAddress)
		}
		w.clock.Advance(time.Hour)
		if n := write(); n != 0 {
			t.Errorf("%d statements for a token that nobody used", n)
		}
	})
}

func TestUsesAreWrittenAtStop(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		v, _ := w.create(w.good())
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { w.service.Run(ctx) })
		w.service.Used(v.ID, anywhere, "curl/8")
		stop()
		running.Wait()
		if w.stored(v.ID).LastUsedAt.IsZero() {
			t.Error("the use was lost at stop")
		}
	})
}

func TestUseWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	w := alone(t)
	v, _ := w.create(w.good())
	w.service.Used(v.ID, netip.Addr{}, strings.Repeat("x", 10_000))
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.service.WriteUses(gone); err == nil {
		t.Fatal("writing should have failed")
	}
	if err := w.service.WriteUses(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := w.stored(v.ID); got.LastUsedAt.IsZero() || len(got.LastAgent) > 512 || got.LastAddress != "" {
		t.Errorf("stored %+v", got)
	}
}

func TestUseNotedWhileWritingIsNotLost(t *testing.T) {
	t.Parallel()
	w := alone(t)
	v, _ := w.create(w.good())
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 200 {
				w.clock.Advance(time.Second)
				w.service.Used(v.ID, anywhere, "curl/8")
				if err := w.service.WriteUses(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	last := w.clock.Now()
	w.clock.Advance(time.Second)
	w.service.Used(v.ID, anywhere, "last")
	w.clock.Advance(time.Hour)
	if err := w.service.WriteUses(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := w.stored(v.ID); got.LastAgent != "last" || !got.LastUsedAt.After(last) {
		t.Errorf("last used at %v with %q", got.LastUsedAt, got.LastAgent)
	}
}
