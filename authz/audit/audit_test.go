package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/audit"
	"github.com/signet-auth/signet/migrations"
	"github.com/signet-auth/signet/storage"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// sink is a database that a test puts out of reach.
type sink struct {
	mu      sync.Mutex
	down    error
	ids     []string
	batches int
	failed  int
}

func (s *sink) InsertEvents(ctx context.Context, events []authz.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		s.failed++
		return s.down
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.batches++
	for _, e := range events {
		s.ids = append(s.ids, e.ID)
	}
	return nil
}

func (s *sink) set(down error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *sink) rows() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

func (s *sink) failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func newLog(store audit.Store, buffer int) *audit.Log {
	return audit.New(audit.Config{Store: store, Log: slog.New(slog.DiscardHandler), Buffer: buffer})
}

func newStore(t *testing.T) *storage.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signet.db")
	m, err := migrations.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Up(), m.Close()); err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestRecordFillsInWhatTheContextKnows(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	l := audit.New(audit.Config{Store: store, Log: slog.New(slog.DiscardHandler), Actor: "cli",
		Now: func() time.Time { return start }})
	request := authz.WithOrigin(t.Context(), authz.Origin{CorrelationID: "c1", Address: "192.0.2.1", UserAgent: "Firefox"})
	signedIn := authz.WithSession(request, &authz.Session{}, &authz.User{ID: "usr_ann"})
	tests := []struct {
		name string
		ctx  context.Context
		give authz.Event
		want authz.Event
	}{
		{"a command", t.Context(), authz.Event{}, authz.Event{At: start, Actor: "cli"}},
		{"a request", request, authz.Event{},
			authz.Event{At: start, Actor: "cli", Address: "192.0.2.1", UserAgent: "Firefox", CorrelationID: "c1"}},
		{"a request of somebody signed in", signedIn, authz.Event{},
			authz.Event{At: start, Actor: "usr_ann", Address: "192.0.2.1", UserAgent: "Firefox", CorrelationID: "c1"}},
		{"what the decider says counts", signedIn,
			authz.Event{ID: "evt_1", At: start.Add(-time.Hour), Actor: "cli_x", Address: "a", UserAgent: "b", CorrelationID: "c"},
			authz.Event{ID: "evt_1", At: start.Add(-time.Hour), Actor: "cli_x", Address: "a", UserAgent: "b", CorrelationID: "c"}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			user := fmt.Sprintf("usr_%d", i)
			tt.give.Kind, tt.give.UserID = authz.EventUserChanged, user
			l.Record(tt.ctx, tt.give)
			if err := l.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			rows, err := store.Events(t.Context(), user, 10)
			if err != nil || len(rows) != 1 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			got, want := rows[0], tt.want
			if want.ID == "" && strings.HasPrefix(got.ID, authz.PrefixEvent) {
				want.ID = got.ID
			}
			want.Kind, want.UserID = authz.EventUserChanged, user
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("row %+v, want %+v", got, want)
			}
		})
	}
}

func TestEveryEventGetsOneRowInOrder(t *testing.T) {
	t.Parallel()
	s := &sink{}
	l := newLog(s, 10_000)
	var want []string
	for i := range 1000 {
		id := fmt.Sprintf("evt_%d", i)
		want = append(want, id)
		l.Record(t.Context(), authz.Event{ID: id, Kind: authz.EventLoginSucceeded})
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.rows(), want) {
		t.Errorf("%d rows, want 1000 in order", len(s.rows()))
	}
	if s.batches > 10 {
		t.Errorf("%d batches for 1000 events", s.batches)
	}
	if l.Queued() != 0 || l.Dropped() != 0 {
		t.Errorf("%d queued, %d dropped", l.Queued(), l.Dropped())
	}
}

func TestWhatWaitsDuringAnOutage(t *testing.T) {
	t.Parallel()
	const buffer = 10
	tests := []struct {
		kind string
		kept int // of 1000
	}{
		{authz.EventLoginSucceeded, buffer},
		{authz.EventLoginFailed, buffer},
		{authz.EventLogout, buffer},
		{authz.EventConsentGranted, buffer},
		{authz.EventConsentDenied, buffer},
		{authz.EventClientAuthFail, buffer},
		{authz.EventRefreshReuse, 16 * buffer},
		{authz.EventCodeReuse, 16 * buffer},
		{authz.EventGrantRevoked, 16 * buffer},
		{authz.EventTokenRevoked, 16 * buffer},
		{authz.EventLoginThrottled, 16 * buffer},
		{authz.EventClientCreated, 16 * buffer},
		{authz.EventUserDeleted, 16 * buffer},
		{authz.EventKeyRotated, 16 * buffer},
		{"a kind that comes later", 16 * buffer},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			s := &sink{}
			l := newLog(s, buffer)
			outage := errors.New("connection refused")
			s.set(outage)
			for i := range 1000 {
				l.Record(t.Context(), authz.Event{ID: fmt.Sprint(i), Kind: tt.kind})
			}
			for range 3 {
				if err := l.Flush(t.Context()); !errors.Is(err, outage) {
					t.Fatalf("Flush = %v, want the outage", err)
				}
			}
			if l.Queued() != tt.kept || l.Dropped() != uint64(1000-tt.kept) {
				t.Errorf("%d queued and %d dropped, want %d and the rest", l.Queued(), l.Dropped(), tt.kept)
			}
			s.set(nil)
			if err := l.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.rows(); len(got) != tt.kept || got[0] != "0" || got[tt.kept-1] != fmt.Sprint(tt.kept-1) {
				t.Errorf("%d rows, want the first %d events", len(got), tt.kept)
			}
		})
	}
}

func TestOrdinaryEventsDoNotPushOutOthers(t *testing.T) {
	t.Parallel()
	s := &sink{down: errors.New("connection refused")}
	l := newLog(s, 10)
	for range 1000 {
		l.Record(t.Context(), authz.Event{Kind: authz.EventLoginFailed})
	}
	l.Record(t.Context(), authz.Event{ID: "reuse", Kind: authz.EventRefreshReuse})
	s.set(nil)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.rows(), "reuse") {
		t.Error("a flood of failed logins pushed out a refresh token's reuse")
	}
}

func TestARetriedBatchIsNotWrittenTwice(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	lost := &lostAnswer{Store: store}
	l := newLog(lost, 0)
	l.Record(t.Context(), authz.Event{Kind: authz.EventLogout, UserID: "usr_ann"})
	if err := l.Flush(t.Context()); err == nil {
		t.Fatal("the first answer should be lost")
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows, err := store.Events(t.Context(), "usr_ann", 10); err != nil || len(rows) != 1 {
		t.Errorf("%d rows, %v; want one", len(rows), err)
	}
}

// lostAnswer commits, but the first answer does not arrive.
type lostAnswer struct {
	*storage.Store
	answered bool
}

func (s *lostAnswer) InsertEvents(ctx context.Context, events []authz.Event) error {
	if err := s.Store.InsertEvents(ctx, events); err != nil || s.answered {
		return err
	}
	s.answered = true
	return io.ErrUnexpectedEOF
}

func TestRunWritesSoonAndAtStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		l := newLog(s, 0)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { l.Run(ctx); close(done) }()
		synctest.Wait()

		l.Record(ctx, authz.Event{ID: "one", Kind: authz.EventLogout})
		time.Sleep(time.Second + time.Millisecond)
		if !slices.Equal(s.rows(), []string{"one"}) {
			t.Errorf("rows %v after a second, want one", s.rows())
		}
		for range 300 {
			l.Record(ctx, authz.Event{Kind: authz.EventLogout})
		}
		synctest.Wait()
		if n := len(s.rows()); n < 1+256 {
			t.Errorf("%d rows, want a large batch written at once", n)
		}
		l.Record(ctx, authz.Event{ID: "last", Kind: authz.EventLogout})
		stop()
		<-done
		if got := s.rows(); got[len(got)-1] != "last" {
			t.Error("the last event was lost at stop")
		}
	})
}

func TestRunOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		s := &sink{down: errors.New("connection refused")}
		l := audit.New(audit.Config{Store: s, Log: slog.New(slog.NewTextHandler(&text, nil))})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { l.Run(ctx); close(done) }()
		for i := range 500 {
			l.Record(ctx, authz.Event{ID: fmt.Sprint(i), Kind: authz.EventRefreshReuse})
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.failures(); n > 52 {
			t.Errorf("a database that does not answer was tried %d times in 50 s", n)
		}
		s.set(nil)
		time.Sleep(2 * time.Second)
		if n := len(s.rows()); n != 500 || l.Queued() != 0 {
			t.Errorf("%d rows and %d queued after the outage, want 500 and none", n, l.Queued())
		}
		stop()
		<-done
		for _, line := range []string{"events wait in memory", "events are written again"} {
			if n := strings.Count(text.String(), line); n != 1 {
				t.Errorf("%q is logged %d times, want once", line, n)
			}
		}
	})
}

func TestStopDuringAnOutageSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	l := audit.New(audit.Config{Store: &sink{down: errors.New("connection refused")},
		Log: slog.New(slog.NewTextHandler(&text, nil))})
	l.Record(t.Context(), authz.Event{Kind: authz.EventLogout})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	l.Run(ctx)
	if !strings.Contains(text.String(), `msg="events lost at stop" queued=1`) {
		t.Errorf("log:\n%s", &text)
	}
}

func TestFlushGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		l := newLog(hanging(hang), 0)
		l.Record(t.Context(), authz.Event{Kind: authz.EventLogout})
		go func() { _ = l.Flush(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush = %v, want that its time is over", err)
		}
		l.Record(t.Context(), authz.Event{Kind: authz.EventLogout}) // does not wait
		close(hang)
	})
}

// hanging is a database that answers when the channel is closed.
type hanging chan struct{}

func (h hanging) InsertEvents(context.Context, []authz.Event) error { <-h; return nil }

func TestManyRecordWhileManyFlush(t *testing.T) {
	t.Parallel()
	s := &sink{}
	l := newLog(s, 100_000)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				l.Record(t.Context(), authz.Event{ID: fmt.Sprintf("%d/%d", i, j), Kind: authz.EventLogout})
				if j%100 == 0 {
					_ = l.Flush(t.Context())
				}
			}
		})
	}
	wg.Wait()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows := s.rows()
	slices.Sort(rows)
	if n := len(slices.Compact(rows)); n != 4000 || len(rows) != 4000 {
		t.Errorf("%d rows, %d different; want 4000", len(rows), n)
	}
}
