package lastuse_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/lastuse"
)

// book is where uses are written, and a clock.
type book struct {
	t     *testing.T
	clock *authztest.Clock
	notes *lastuse.Notes[string]

	mu     sync.Mutex
	down   bool
	writes []string
}

func newBook(t *testing.T) *book {
	t.Helper()
	b := &book{t: t, clock: new(authztest.Clock)}
	b.notes = lastuse.New(lastuse.Config[string]{
		Write: b.write, What: "things", Now: b.clock.Now, Log: slog.New(slog.DiscardHandler),
	})
	return b
}

func (b *book) write(ctx context.Context, id, use string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down || ctx.Err() != nil {
		return errors.New("out of reach")
	}
	b.writes = append(b.writes, id+" "+use)
	return nil
}

// flushed demands that the next look writes this and nothing else.
func (b *book) flushed(want ...string) {
	b.t.Helper()
	b.writes = nil
	if err := b.notes.Flush(b.t.Context()); err != nil {
		b.t.Error(err)
	}
	if fmt.Sprint(b.writes) != fmt.Sprint(want) {
		b.t.Errorf("written %q, want %q", b.writes, want)
	}
}

func TestAUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.notes.Note("a", "first")
	if len(b.writes) != 0 {
		t.Error("a use is written on the way of the request")
	}
	b.flushed("a first")
	for n := range 11 {
		b.clock.Advance(5 * time.Second)
		b.notes.Note("a", fmt.Sprint(n))
		b.flushed()
	}
	b.clock.Advance(5 * time.Second)
	b.flushed("a 10")
	b.clock.Advance(time.Hour)
	b.flushed() // nobody used it
	b.notes.Note("a", "later")
	b.notes.Note("a", "later still")
	b.flushed("a later still")
}

func TestWhatCannotBeWrittenIsWrittenLater(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.notes.Note("a", "used")
	b.down = true
	if err := b.notes.Flush(t.Context()); err == nil {
		t.Error("nothing could be written, and nobody was told")
	}
	b.down = false
	b.flushed("a used")
}

func TestWhatIsLeftIsWrittenAtStop(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.notes.Note("a", "first")
	b.flushed("a first")
	b.notes.Note("a", "last")
	b.writes = nil
	ctx, stop := context.WithCancel(t.Context())
	stop()
	b.notes.Run(ctx)
	if fmt.Sprint(b.writes) != "[a last]" {
		t.Errorf("written %q", b.writes)
	}
}

func TestAUseNotedWhileOthersAreWrittenIsNotLost(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	var all sync.WaitGroup
	for party := range 4 {
		all.Go(func() {
			for n := range 200 {
				b.clock.Advance(time.Second)
				b.notes.Note("a", fmt.Sprint(party, n))
				if err := b.notes.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.notes.Note("a", "last")
	b.clock.Advance(time.Hour)
	b.flushed("a last")
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	const most = 100_000
	for n := range most + 10 {
		b.notes.Note(fmt.Sprint(n), "used")
	}
	if err := b.notes.Flush(t.Context()); err != nil || len(b.writes) != most {
		t.Errorf("%d uses are written, %v", len(b.writes), err)
	}
	b.clock.Advance(time.Hour)
	b.flushed()
	b.notes.Note("another", "used")
	b.flushed("another used")
}
