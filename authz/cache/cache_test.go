package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/cache"
)

// source is what a test's cache loads from.
type source struct {
	mu    sync.Mutex
	clock authztest.Clock
	value string
	err   error
	loads int
}

func (s *source) load(context.Context, string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	return s.value, s.err
}

func (s *source) set(advance time.Duration, value string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.Advance(advance)
	s.value, s.err = value, err
}

func TestGetBelievesWhatItLoadedForAWhile(t *testing.T) {
	t.Parallel()
	outage := errors.New("connection refused")
	missing := fmt.Errorf("get client: %w", authz.ErrNotFound)
	tests := []struct {
		name      string
		first     error
		advance   time.Duration
		wantLoads int
		wantValue string
		wantErr   error
	}{
		{"a value within its time", nil, 10*time.Second - 1, 1, "old", nil},
		{"a value after its time", nil, 10 * time.Second, 2, "new", nil},
		{"a value after the clock was set back", nil, -time.Second, 2, "new", nil},
		{"an absent key within its time", missing, 2*time.Second - 1, 1, "", authz.ErrNotFound},
		{"an absent key after its time", missing, 2 * time.Second, 2, "new", nil},
		{"an outage at once", outage, 0, 2, "new", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &source{}
			c := cache.New(cache.Config[string]{Load: s.load, Now: s.clock.Now})
			if tt.first == nil {
				s.set(0, "old", nil)
			} else {
				s.set(0, "", tt.first)
			}
			if _, err := c.Get(t.Context(), "k"); !errors.Is(err, tt.first) {
				t.Fatalf("first Get: error %v, want %v", err, tt.first)
			}
			s.set(tt.advance, "new", nil)
			value, err := c.Get(t.Context(), "k")
			if value != tt.wantValue || !errors.Is(err, tt.wantErr) {
				t.Errorf("second Get = %q, %v; want %q, %v", value, err, tt.wantValue, tt.wantErr)
			}
			if s.loads != tt.wantLoads {
				t.Errorf("%d loads, want %d", s.loads, tt.wantLoads)
			}
		})
	}
}

func TestTTLCountsFromTheStartOfTheLoad(t *testing.T) {
	t.Parallel()
	s := &source{}
	c := cache.New(cache.Config[string]{Now: s.clock.Now, Load: func(ctx context.Context, key string) (string, error) {
		s.set(6*time.Second, "v", nil) // a slow database
		return s.load(ctx, key)
	}})
	for range 2 {
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		s.set(5*time.Second, "v", nil)
	}
	if s.loads != 2 {
		t.Errorf("%d loads, want 2: the value was 11 s old", s.loads)
	}
}

// gate is a loader that answers when it is told to.
type gate struct {
	loads   atomic.Int64
	started chan string // one key for each load that has begun
	answer  chan result // taken by the load that began first
}

type result struct {
	value string
	err   error
}

func newGate() *gate { return &gate{started: make(chan string, 64), answer: make(chan result)} }

func (g *gate) load(ctx context.Context, key string) (string, error) {
	g.loads.Add(1)
	g.started <- key
	select {
	case r := <-g.answer:
		return r.value, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// get calls Get beside the test.
func get(ctx context.Context, c *cache.Cache[string], key string) <-chan result {
	out := make(chan result, 1)
	go func() {
		value, err := c.Get(ctx, key)
		out <- result{value, err}
	}()
	return out
}

func TestCallersOfOneMomentShareOneLoad(t *testing.T) {
	t.Parallel()
	for _, answer := range []result{{"v", nil}, {"", authz.ErrNotFound}, {"", errors.New("connection refused")}} {
		t.Run(fmt.Sprint(answer.err), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				c := cache.New(cache.Config[string]{Load: g.load})
				var callers []<-chan result
				for range 50 {
					callers = append(callers, get(t.Context(), c, "k"))
				}
				synctest.Wait() // all of them wait
				g.answer <- answer
				for _, r := range callers {
					if got := <-r; got != answer {
						t.Errorf("Get = %v, want %v", got, answer)
					}
				}
				if n := g.loads.Load(); n != 1 {
					t.Errorf("%d loads, want 1", n)
				}
			})
		})
	}
}

func TestALoadThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := cache.New(cache.Config[string]{Load: g.load, LoadTimeout: 3 * time.Second})
		began := time.Now()
		if _, err := c.Get(t.Context(), "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get = %v, want that the time is over", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("Get took %s, want 3s", took)
		}
	})
}

func TestACallerWhoLeavesTakesTheLoadFromNobody(t *testing.T) {
	t.Parallel()
	g := newGate()
	c := cache.New(cache.Config[string]{Load: g.load})
	ctx, leave := context.WithCancelCause(t.Context())
	first := get(ctx, c, "k")
	<-g.started
	gone := errors.New("browser closed")
	leave(gone)
	if got := <-first; !errors.Is(got.err, gone) {
		t.Errorf("Get of the one who left = %v, want his own cause", got)
	}
	second := get(t.Context(), c, "k")
	g.answer <- result{"v", nil}
	if got := <-second; got.value != "v" || got.err != nil {
		t.Errorf("Get of the one who stayed = %v", got)
	}
	if n := g.loads.Load(); n != 1 {
		t.Errorf("%d loads, want 1", n)
	}
}

func TestLoadCarriesNothingOfItsCaller(t *testing.T) {
	t.Parallel()
	ctx := authz.WithOrigin(t.Context(), authz.Origin{Address: "192.0.2.1"})
	c := cache.New(cache.Config[string]{Load: func(ctx context.Context, _ string) (string, error) {
		return authz.OriginFrom(ctx).Address, nil
	}})
	if got, err := c.Get(ctx, "k"); got != "" || err != nil {
		t.Errorf("load saw %q (%v) of its first caller", got, err)
	}
}

func TestWhatALoadReadBeforeForgetIsNotKept(t *testing.T) {
	t.Parallel()
	forget := func(c *cache.Cache[string]) { c.Forget("k") }
	clearAll := func(c *cache.Cache[string]) { c.Clear() }
	tests := []struct {
		name  string
		drop  func(*cache.Cache[string])
		order []string
	}{
		{"Forget, the old load ends first", forget, []string{"old", "new"}},
		{"Forget, the old load ends last", forget, []string{"new", "old"}},
		{"Clear, the old load ends first", clearAll, []string{"old", "new"}},
		{"Clear, the old load ends last", clearAll, []string{"new", "old"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answers := map[string]chan struct{}{"old": make(chan struct{}), "new": make(chan struct{})}
			began := make(chan struct{}, 2)
			var loads atomic.Int64
			c := cache.New(cache.Config[string]{Load: func(context.Context, string) (string, error) {
				value := "old"
				if loads.Add(1) > 1 {
					value = "new"
				}
				began <- struct{}{}
				<-answers[value]
				return value, nil
			}})
			callers := map[string]<-chan result{"old": get(t.Context(), c, "k")}
			<-began
			tt.drop(c)
			callers["new"] = get(t.Context(), c, "k")
			<-began // whoever asks after the change does not wait for the old answer
			for _, which := range tt.order {
				close(answers[which])
				if got := <-callers[which]; got.value != which {
					t.Errorf("Get of the %s caller = %v", which, got)
				}
			}
			if got, err := c.Get(t.Context(), "k"); got != "new" || err != nil || loads.Load() != 2 {
				t.Errorf("Get = %q, %v after %d loads; want what was loaded after the change", got, err, loads.Load())
			}
		})
	}
}

func TestForgetDropsOneKeyAndClearAll(t *testing.T) {
	t.Parallel()
	s := &source{value: "v"}
	c := cache.New(cache.Config[string]{Load: s.load, Now: s.clock.Now})
	ask := func(want int) {
		t.Helper()
		for _, key := range []string{"a", "b"} {
			if _, err := c.Get(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		if s.loads != want {
			t.Errorf("%d loads, want %d", s.loads, want)
		}
	}
	ask(2)
	c.Forget("a")
	c.Forget("never asked for")
	ask(3)
	c.Clear()
	ask(5)
}

func TestSizeIsBounded(t *testing.T) {
	t.Parallel()
	s := &source{value: "v"}
	c := cache.New(cache.Config[string]{Load: s.load, Now: s.clock.Now, Max: 10})
	for i := range 100 {
		if i%2 == 0 {
			s.set(0, "", authz.ErrNotFound)
		} else {
			s.set(0, "v", nil)
		}
		_, _ = c.Get(t.Context(), strconv.Itoa(i))
		_, _ = c.Get(t.Context(), "1") // asked for all the time
		if c.Len() > 10 {
			t.Fatalf("%d keys kept, want at most 10", c.Len())
		}
	}
	if s.loads != 100 {
		t.Errorf("%d loads of 100 keys: the key that is asked for most was dropped", s.loads)
	}
	_, _ = c.Get(t.Context(), "2")
	if s.loads != 101 {
		t.Error("the key that was asked for longest ago was kept")
	}
}

// TestNeverStale changes a value and forgets it while many read: whoever begins to read
// after a change was announced sees that change or a later one.
func TestNeverStale(t *testing.T) {
	t.Parallel()
	var written, announced atomic.Int64
	c := cache.New(cache.Config[int64]{Load: func(context.Context, string) (int64, error) { return written.Load(), nil }})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for announced.Load() < 2000 {
				floor := announced.Load()
				if got, err := c.Get(t.Context(), "k"); err != nil || got < floor {
					t.Errorf("Get = %d, %v; %d was announced before", got, err, floor)
					return
				}
			}
		})
	}
	for i := int64(1); i <= 2000; i++ {
		written.Store(i)
		c.Forget("k")
		announced.Store(i)
	}
	wg.Wait()
}

func BenchmarkGet(b *testing.B) {
	c := cache.New(cache.Config[string]{Load: func(context.Context, string) (string, error) { return "v", nil }, TTL: time.Hour})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Get(b.Context(), "k"); err != nil {
				b.Error(err)
			}
		}
	})
}
