package keys_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/storage"
)

// state counts the keys of an algorithm by state.
func state(ring *keys.Ring, alg string) map[authz.KeyState]int {
	out := map[authz.KeyState]int{}
	for _, k := range ring.List() {
		if k.Alg == alg {
			out[k.State]++
		}
	}
	return out
}

// inState gives the kid of the first key of an algorithm in a state.
func inState(t *testing.T, ring *keys.Ring, alg string, state authz.KeyState) string {
	t.Helper()
	for _, k := range ring.List() {
		if k.Alg == alg && k.State == state {
			return k.KID
		}
	}
	t.Fatalf("no %s key that is %s in %v", alg, state, ring.List())
	return ""
}

func rowCount(t *testing.T, store *storage.Store) int {
	t.Helper()
	rows, err := store.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

func TestReplicasThatStartAtOnceShareTheirKeys(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	rings := make([]*keys.Ring, 4)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() {
			ring, err := keys.Open(t.Context(), func() keys.Config {
				c := config(t, store)
				c.Algorithms = everyAlgorithm
				return c
			}())
			if err != nil {
				t.Error(err)
				return
			}
			rings[i] = ring
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	if n := rowCount(t, store); n != 2*len(everyAlgorithm) {
		t.Errorf("%d keys, want an active and a next one for each of %d algorithms", n, len(everyAlgorithm))
	}
	for _, ring := range rings {
		if err := ring.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := jwks(ring), jwks(rings[0]); got != want {
			t.Errorf("one replica publishes %s, another %s", want, got)
		}
		for _, alg := range everyAlgorithm {
			if _, _, err := rings[0].Verify(sign(t, ring, alg)); err != nil {
				t.Errorf("%s token of another replica: %v", alg, err)
			}
		}
	}
}

func jwks(ring *keys.Ring) string {
	body, etag, _ := ring.JWKS()
	return etag + string(body)
}

func TestRotation(t *testing.T) {
	t.Parallel()
	store, clk, audit := newStore(t), &authztest.Clock{}, &authztest.Events{}
	with := func(c *keys.Config) { c.Now, c.Audit = clk.Now, audit }
	ring, replica := openRing(t, store, with), openRing(t, store, with)
	const alg = authz.AlgES256
	old, next := inState(t, ring, alg, authz.KeyActive), inState(t, ring, alg, authz.KeyNext)
	token := sign(t, ring, alg)
	before := jwks(replica)

	clk.Advance(time.Hour)
	if err := ring.Rotate(t.Context(), alg, false); err != nil {
		t.Fatal(err)
	}
	if got := inState(t, ring, alg, authz.KeyActive); got != next {
		t.Errorf("key %s signs, want the one that was published as next, %s", got, next)
	}
	if got := inState(t, ring, alg, authz.KeyRetired); got != old {
		t.Errorf("key %s is retired, want %s", got, old)
	}
	if got := kid(sign(t, ring, "")); got != next {
		t.Errorf("a new token names key %s, want %s", got, next)
	}
	if _, _, err := ring.Verify(token); err != nil {
		t.Errorf("a token of the retired key: %v", err)
	}

	// The replica has heard nothing yet.
	if _, _, err := replica.Verify(sign(t, ring, alg)); err != nil {
		t.Errorf("a replica that has not reloaded, on a token of the key it knows as next: %v", err)
	}
	if _, _, err := ring.Verify(sign(t, replica, alg)); err != nil {
		t.Errorf("a token of a replica that has not reloaded: %v", err)
	}
	if err := replica.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if jwks(replica) != jwks(ring) || jwks(ring) == before {
		t.Errorf("after the reload the replica publishes %s, want %s", jwks(replica), jwks(ring))
	}
	if got := state(ring, authz.AlgEdDSA); got[authz.KeyRetired] != 0 {
		t.Error("a rotation of one algorithm rotated another")
	}

	recorded := audit.All()
	if len(recorded) != 1 {
		t.Fatalf("%d events, want one rotation", len(recorded))
	}
	e := recorded[0]
	if e.Kind != authz.EventKeyRotated || e.Detail["retired"] != old || e.Detail["active"] != next || e.Detail["forced"] != "false" {
		t.Errorf("event %+v", e)
	}
}

func TestRotateRefusesAKeyThatNobodyKnowsYet(t *testing.T) {
	t.Parallel()
	clk := &authztest.Clock{}
	ring := openRing(t, newStore(t), func(c *keys.Config) { c.Now, c.PublishAhead = clk.Now, time.Hour })
	clk.Advance(time.Hour - time.Second)
	before := ring.List()
	for _, alg := range []string{"", authz.AlgES256} {
		err := ring.Rotate(t.Context(), alg, false)
		if !errors.Is(err, keys.ErrTooYoung) || !strings.Contains(err.Error(), "59m59s") {
			t.Errorf("Rotate(%q) = %v, want ErrTooYoung and how young", alg, err)
		}
	}
	if !slices.Equal(ring.List(), before) {
		t.Error("a refused rotation changed the keys")
	}
	if err := ring.Rotate(t.Context(), "", true); err != nil {
		t.Fatalf("forced: %v", err)
	}
	for _, alg := range ring.Algorithms() {
		if got := state(ring, alg); got[authz.KeyActive] != 1 || got[authz.KeyNext] != 1 || got[authz.KeyRetired] != 1 {
			t.Errorf("after a forced rotation of all, %s has %v", alg, got)
		}
	}
	if err := ring.Rotate(t.Context(), authz.AlgPS256, false); err == nil || errors.Is(err, keys.ErrTooYoung) {
		t.Errorf("Rotate of an algorithm without keys = %v, want an error about that", err)
	}
}

func TestRotateRefusesAllWhenOneIsTooYoung(t *testing.T) {
	t.Parallel()
	clk := &authztest.Clock{}
	ring := openRing(t, newStore(t), func(c *keys.Config) { c.Now = clk.Now })
	clk.Advance(time.Hour)
	if err := ring.Rotate(t.Context(), authz.AlgEdDSA, false); err != nil {
		t.Fatal(err)
	}
	if err := ring.Rotate(t.Context(), "", false); !errors.Is(err, keys.ErrTooYoung) {
		t.Errorf("Rotate = %v, want ErrTooYoung", err)
	}
	if got := state(ring, authz.AlgES256); got[authz.KeyRetired] != 0 {
		t.Error("half of the algorithms were rotated")
	}
}

func TestReplicasThatRotateAtOnceRotateOnce(t *testing.T) {
	t.Parallel()
	store, clk, audit := newStore(t), &authztest.Clock{}, &authztest.Events{}
	rings := make([]*keys.Ring, 4)
	for i := range rings {
		rings[i] = openRing(t, store, func(c *keys.Config) { c.Now, c.Audit = clk.Now, audit })
	}
	ways := map[string]func(context.Context, *keys.Ring) error{
		"by command": func(ctx context.Context, r *keys.Ring) error { return r.Rotate(ctx, authz.AlgES256, true) },
		"by time":    func(ctx context.Context, r *keys.Ring) error { return r.Tend(ctx) },
	}
	for name, rotate := range ways {
		clk.Advance(31 * 24 * time.Hour)
		earlier := len(audit.All())
		before := state(rings[0], authz.AlgES256)[authz.KeyRetired]
		barrier := make(chan struct{})
		var wg sync.WaitGroup
		for _, ring := range rings {
			wg.Go(func() {
				<-barrier
				if err := rotate(t.Context(), ring); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		close(barrier)
		wg.Wait()
		rotations := 0
		for _, e := range audit.All()[earlier:] {
			if e.Detail["alg"] == authz.AlgES256 {
				rotations++
			}
		}
		if rotations != 1 {
			t.Errorf("%s: %d rotations, want one", name, rotations)
		}
		for _, ring := range rings {
			if err := ring.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := state(ring, authz.AlgES256)
			if got[authz.KeyActive] != 1 || got[authz.KeyNext] != 1 || got[authz.KeyRetired] > before+1 || jwks(ring) != jwks(rings[0]) {
				t.Errorf("%s: a replica has %v", name, got)
			}
		}
	}
}

func TestKeysMoveOnByThemselves(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	tests := []struct {
		name    string
		advance time.Duration
		rotates bool
	}{
		{"a day", day, false},
		{"just before its time", 30*day - time.Second, false},
		{"its time", 30 * day, true},
		{"a long sleep", 300 * day, true},
		{"the clock was set back", -day, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clk, audit := &authztest.Clock{}, &authztest.Events{}
			ring := openRing(t, newStore(t), func(c *keys.Config) { c.Now, c.Audit = clk.Now, audit })
			next := inState(t, ring, authz.AlgES256, authz.KeyNext)
			clk.Advance(tt.advance)
			for range 3 { // later ticks find nothing to do
				if err := ring.Tend(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := inState(t, ring, authz.AlgES256, authz.KeyActive) == next; got != tt.rotates {
				t.Errorf("rotated: %v, want %v", got, tt.rotates)
			}
			if got := audit.All(); tt.rotates && (len(got) != 2 || got[0].Actor != "system") {
				t.Errorf("events %+v, want one rotation of each of two algorithms by the system", got)
			}
		})
	}
}

// TestAKeyDueWaitsForItsNextToBePublished: the next key may be younger than the active one's
// time is long, when it could not be made before.
func TestAKeyDueWaitsForItsNextToBePublished(t *testing.T) {
	t.Parallel()
	clk, store := &authztest.Clock{}, &faulty{Store: newStore(t)}
	outage := errors.New("connection refused")
	store.refuse = func(k authz.SigningKey) error {
		if k.State == authz.KeyNext {
			return outage
		}
		return nil
	}
	cfg := config(t, store)
	cfg.Now = clk.Now
	if _, err := keys.Open(t.Context(), cfg); !errors.Is(err, outage) {
		t.Fatalf("Open = %v, want the outage", err)
	}
	store.refuse = nil
	clk.Advance(60 * 24 * time.Hour)
	ring := openRing(t, store, func(c *keys.Config) { c.Now = clk.Now })
	next := inState(t, ring, authz.AlgES256, authz.KeyNext)
	clk.Advance(time.Hour - time.Second)
	if err := ring.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if inState(t, ring, authz.AlgES256, authz.KeyNext) != next {
		t.Error("a key signs that was published for less than an hour")
	}
	clk.Advance(time.Second)
	if err := ring.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if inState(t, ring, authz.AlgES256, authz.KeyActive) != next {
		t.Error("the key did not follow when it could")
	}
}

func TestRetiredKeysGoWithTheirLastToken(t *testing.T) {
	t.Parallel()
	store, clk := newStore(t), &authztest.Clock{}
	ring := openRing(t, store, func(c *keys.Config) { c.Now, c.KeepRetired = clk.Now, 24*time.Hour })
	replica := openRing(t, store, func(c *keys.Config) { c.Now = clk.Now })
	token := sign(t, ring, authz.AlgES256)
	if err := ring.Rotate(t.Context(), authz.AlgES256, true); err != nil {
		t.Fatal(err)
	}
	tend := func() {
		t.Helper()
		if err := ring.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	clk.Advance(24*time.Hour + time.Minute) // a replica may have signed for a few seconds more
	tend()
	if _, _, err := ring.Verify(token); err != nil {
		t.Errorf("while tokens may be alive: %v", err)
	}
	clk.Advance(time.Hour)
	tend()
	if _, _, err := ring.Verify(token); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("after all have expired: %v, want ErrInvalid", err)
	}
	if n := rowCount(t, store); n != 4 {
		t.Errorf("%d rows, want 4: the sealed key stays in the database", n)
	}
	if err := replica.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if jwks(replica) != jwks(ring) {
		t.Error("a replica still publishes the deleted key")
	}
}

func TestTheClockMaySetBack(t *testing.T) {
	t.Parallel()
	store, clk := newStore(t), &authztest.Clock{}
	clk.Advance(365 * 24 * time.Hour) // a year ahead, by mistake
	with := func(c *keys.Config) { c.Now = clk.Now }
	ring := openRing(t, store, with)
	if err := ring.Rotate(t.Context(), "", true); err != nil {
		t.Fatal(err)
	}
	tokens := []string{sign(t, ring, authz.AlgES256)}
	clk.Advance(-365 * 24 * time.Hour)
	ring = openRing(t, store, with) // as after a restart
	tokens = append(tokens, sign(t, ring, authz.AlgES256))
	for range 3 {
		if err := ring.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, token := range tokens {
		if _, _, err := ring.Verify(token); err != nil {
			t.Error(err)
		}
	}
	next := inState(t, ring, authz.AlgES256, authz.KeyNext)
	if err := ring.Rotate(t.Context(), "", false); !errors.Is(err, keys.ErrTooYoung) {
		t.Errorf("Rotate at once = %v, want ErrTooYoung", err)
	}
	clk.Advance(30 * 24 * time.Hour)
	if err := ring.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if inState(t, ring, authz.AlgES256, authz.KeyActive) != next {
		t.Error("keys with times in the future never rotate")
	}
}
