package registration_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

func TestRotateSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, first := w.create(t, registration.New{Metadata: webApp()})
	second, err := w.RotateSecret(t.Context(), c.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if !w.accepts(t, c.ID, first) || !w.accepts(t, c.ID, second) {
		t.Error("within the overlap both are good")
	}
	w.clock.Advance(time.Hour)
	if w.accepts(t, c.ID, first) || !w.accepts(t, c.ID, second) {
		t.Error("after the overlap the new one alone is good")
	}
	third, err := w.RotateSecret(t.Context(), c.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if w.accepts(t, c.ID, second) || !w.accepts(t, c.ID, third) {
		t.Error("without an overlap the new one alone is good")
	}
	if e := w.events.Last(); e.Kind != authz.EventSecretRotated || e.ClientID != c.ID {
		t.Errorf("recorded %+v", e)
	}
	if got := w.client(t, c.ID).Version; got != 3 {
		t.Errorf("the version is %d: who read the client before does not learn of it", got)
	}
	for _, overlap := range []time.Duration{-1, 91 * 24 * time.Hour} {
		if _, err := w.RotateSecret(t.Context(), c.ID, overlap); field(err) != "overlap" {
			t.Errorf("overlap %s: %v", overlap, err)
		}
	}
	if _, err := w.RotateSecret(t.Context(), "unknown", 0); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("of an unknown client: %v", err)
	}
}

func TestARotationDoesNotProlongASecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.create(t, registration.New{Metadata: webApp()})
	short, err := w.AddSecret(t.Context(), c.ID, w.clock.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.RotateSecret(t.Context(), c.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	if w.accepts(t, c.ID, short) {
		t.Error("it lives for longer than it was made for")
	}
}

func TestAddSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, first := w.create(t, registration.New{Metadata: webApp()})
	second, err := w.AddSecret(t.Context(), c.ID, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if !w.accepts(t, c.ID, first) || !w.accepts(t, c.ID, second) {
		t.Error("both are good")
	}
	for _, expires := range []time.Time{w.clock.Now(), w.clock.Now().Add(-time.Hour)} {
		if _, err := w.AddSecret(t.Context(), c.ID, expires); field(err) != "expires" {
			t.Errorf("that has ended: %v", err)
		}
	}
	for range 8 {
		if _, err := w.AddSecret(t.Context(), c.ID, w.clock.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.AddSecret(t.Context(), c.ID, time.Time{}); field(err) != "client_secret" {
		t.Errorf("an eleventh: %v", err)
	}
	if _, err := w.RotateSecret(t.Context(), c.ID, time.Hour); field(err) != "client_secret" {
		t.Errorf("an eleventh beside the others: %v", err)
	}
	if _, err := w.RotateSecret(t.Context(), c.ID, 0); err != nil {
		t.Errorf("one in place of all: %v", err)
	}
}

// After rotations at once without an overlap, one secret is good and not one of each.
func TestRotationsAtOnceLeaveOneSecret(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorldOn(t, open())
		c, _ := w.create(t, registration.New{Metadata: webApp()})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := w.RotateSecret(t.Context(), c.ID, 0); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := w.live(t, c.ID); n != 1 {
			t.Errorf("%d secrets live", n)
		}
	})
}
