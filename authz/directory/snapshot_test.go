package directory_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// gate lets a test hold up each reading of roles, before or after it looks.
type gate struct {
	*storage.Store
	before  bool
	reads   atomic.Int64
	reading chan chan struct{} // gives what each reading waits for
}

func newGate(t *testing.T, before bool) *gate {
	return &gate{Store: storagetest.New(t), before: before, reading: make(chan chan struct{}, 9)}
}

func (g *gate) hold() {
	release := make(chan struct{})
	g.reading <- release
	<-release
}

func (g *gate) Roles(ctx context.Context) ([]authz.Role, error) {
	g.reads.Add(1)
	if g.before {
		g.hold()
		return g.Store.Roles(ctx)
	}
	defer g.hold()
	return g.Store.Roles(ctx)
}

func TestWhatWasReadBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	g := newGate(t, false)
	w := newWorldOver(g)
	read := func(to chan string) { to <- rolesOf(t, w, "baker") }
	first, second := make(chan string), make(chan string)
	go read(first)
	releaseFirst := <-g.reading
	if _, err := w.CreateRole(t.Context(), authz.Role{Name: "baker"}); err != nil {
		t.Fatal(err)
	}
	go read(second) // began after the change, and must not join the reading before it
	close(<-g.reading)
	if got := <-second; got != "baker" {
		t.Errorf("the second reading gave %q", got)
	}
	close(releaseFirst)
	if got := <-first; got != "" {
		t.Errorf("the first reading gave %q", got)
	}
	if got := rolesOf(t, w, "baker"); got != "baker" || g.reads.Load() != 2 {
		t.Errorf("kept %q after %d readings", got, g.reads.Load())
	}
}

func TestWhoGoesAwayDoesNotStopTheReading(t *testing.T) {
	t.Parallel()
	g := newGate(t, true)
	w := newWorldOver(g)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := w.RolesOf(ctx, nil)
		gone <- err
	}()
	release := <-g.reading
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away got %v", err)
	}
	close(release)
	if _, err := w.RolesOf(t.Context(), nil); err != nil || g.reads.Load() != 1 {
		t.Errorf("who stayed got %v after %d readings", err, g.reads.Load())
	}
}
