package ratelimit_test

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/ratelimit"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// step is one thing that happens to one key.
type step struct {
	after time.Duration // since the step before
	give  bool
	ok    bool
	retry time.Duration
}

func TestTake(t *testing.T) {
	t.Parallel()
	const refill = 10 * time.Second
	pass := step{ok: true}
	tests := []struct {
		name  string
		steps []step
	}{
		{"a full bucket has its burst and no more", []step{pass, pass, pass, {retry: refill}}},
		{"a refusal costs nothing", []step{pass, pass, pass, {retry: refill}, {retry: refill}, {after: refill, ok: true}}},
		{"a token comes back after its time", []step{pass, pass, pass,
			{after: refill - 1, retry: 1}, {after: 1, ok: true}, {retry: refill}}},
		{"half-refilled time is not lost", []step{pass, {after: 4 * time.Second, ok: true}, pass,
			{retry: 6 * time.Second}, {after: 6 * time.Second, ok: true}, {retry: refill}}},
		{"a bucket holds no more than its burst", []step{pass, {after: time.Hour, ok: true}, pass, pass, {retry: refill}}},
		{"a token given back is there again", []step{pass, pass, pass, {give: true}, pass, {retry: refill}}},
		{"giving to a full bucket adds nothing", []step{{give: true}, pass, {give: true}, {give: true},
			pass, pass, pass, {retry: refill}}},
		{"the clock set back refuses for one refill at most", []step{pass, pass, pass,
			{after: -time.Hour, retry: refill}, {after: refill, ok: true}}},
		{"the clock set back costs what it was set back by", []step{pass, {after: -time.Second, ok: true},
			{retry: time.Second}, {after: time.Second, ok: true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := start
			l := ratelimit.New(ratelimit.Config{Burst: 3, Refill: refill, Now: func() time.Time { return now }})
			for i, s := range tt.steps {
				now = now.Add(s.after)
				if s.give {
					l.Give("k")
					continue
				}
				if ok, retry := l.Take("k"); ok != s.ok || retry != s.retry {
					t.Fatalf("step %d: Take = %v, %s; want %v, %s", i, ok, retry, s.ok, s.retry)
				}
			}
		})
	}
}

func TestKeysDoNotShare(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(ratelimit.Config{Burst: 1, Refill: time.Minute})
	for _, key := range []string{"a", "b"} {
		if ok, _ := l.Take(key); !ok {
			t.Errorf("first Take(%q) was refused", key)
		}
		if ok, _ := l.Take(key); ok {
			t.Errorf("second Take(%q) passed", key)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(ratelimit.Config{Burst: 1, Refill: time.Hour, Max: 10, Now: func() time.Time { return start }})
	l.Take("watched")
	for i := range 1000 {
		l.Take(strconv.Itoa(i))
		if ok, _ := l.Take("watched"); ok {
			t.Fatal("a key that is tried all the time was forgotten")
		}
		if l.Len() > 10 {
			t.Fatalf("%d keys kept, want at most 10", l.Len())
		}
	}
	if ok, _ := l.Take("0"); !ok {
		t.Error("the key that was used longest ago was kept")
	}
}

func TestGivingAllBackForgetsTheKey(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(ratelimit.Config{Burst: 2, Now: func() time.Time { return start }})
	l.Take("k")
	l.Take("k")
	l.Give("k")
	l.Give("k")
	if l.Len() != 0 {
		t.Errorf("%d keys kept, want none: a full bucket says nothing", l.Len())
	}
}

func TestManyAtOnceGetTheBurstExactly(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(ratelimit.Config{Burst: 20, Refill: time.Hour})
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if ok, _ := l.Take("k"); ok {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 20 {
		t.Errorf("%d of 100 passed, want 20", passed.Load())
	}
}

func ExampleLimiter() {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	l := ratelimit.New(ratelimit.Config{Burst: 2, Refill: 30 * time.Second, Now: func() time.Time { return now }})
	for range 3 {
		fmt.Println(l.Take("192.0.2.0/24"))
	}
	// Output:
	// true 0s
	// true 0s
	// false 30s
}
