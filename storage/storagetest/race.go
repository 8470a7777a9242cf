package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	parties = 16
	many    = 25 // rounds of a race that is over in a moment
	few     = 5  // rounds of one in which every party writes to every table
)

// race lets all parties do the same at once, and counts those who succeed. The others must
// be refused with loss, and nothing else.
func race(t *testing.T, loss error, do func(party int) error) (won int) {
	t.Helper()
	start := make(chan struct{})
	results := make([]error, parties)
	var wg sync.WaitGroup
	for party := range parties {
		wg.Go(func() {
			<-start
			results[party] = do(party)
		})
	}
	close(start)
	wg.Wait()
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case loss == nil || !errors.Is(err, loss):
			t.Errorf("a party got %v, want success or %v", err, loss)
		}
	}
	return won
}

func testRaces(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	for _, r := range []struct {
		name   string
		rounds int
		run    func(ctx context.Context, t *testing.T, s store, round string)
	}{
		{"redeem a code", many, raceCode},
		{"rotate within the grace", many, raceGrace},
		{"rotate without grace", many, raceStrict},
		{"consume a value", many, raceConsume},
		{"consume an interaction", many, raceInteraction},
		{"claim an instance value", many, raceInstance},
		{"claim a status index", many, raceStatusIndex},
		{"grant to a client that is disabled", many, raceDisable},
		{"update one version", many, raceVersion},
		{"update or delete one version", many, raceDelete},
		{"remove a client", few, raceRemoval},
		{"read and update from two processes", many, raceProcesses},
		{"insert one username", many, raceUsername},
		{"first consent", many, raceConsent},
		{"name an api token", many, raceTokenName},
		{"replace an api token", many, raceReplace},
		{"make api tokens while the app goes", many, raceMaker},
		{"first active key", many, raceActiveKey},
		{"rotate a key", many, raceRotateKey},
		{"sweep", few, raceSweep},
	} {
		t.Run(r.name, func(t *testing.T) {
			for n := range r.rounds {
				r.run(ctx, t, s, fmt.Sprintf("%s %d", r.name, n))
			}
		})
	}
}

func one(t *testing.T, what string, won int) {
	t.Helper()
	if won != 1 {
		t.Errorf("%s: %d of %d parties succeeded, want one", what, won, parties)
	}
}

func raceCode(ctx context.Context, t *testing.T, s store, round string) {
	g := addGrant(ctx, t, s, round)
	one(t, round, race(t, authz.ErrNotFound, func(party int) error {
		claim := claimOf(g)
		claim.Now = claim.Now.Add(time.Duration(party) * time.Microsecond) // each has its own clock
		_, err := s.RedeemCode(ctx, claim)
		return err
	}))
	must(t, s.RevokeReusedCode(ctx, g.ID, g.ClientID, g.CodeHash, noon()))
	_, _, err := s.LiveGrant(ctx, g.ID, "", noon())
	refused(t, "live after reuse", err, authz.ErrNotFound)
}

func raceGrace(ctx context.Context, t *testing.T, s store, round string) {
	g := addRedeemed(ctx, t, s, round)
	won := race(t, nil, func(int) error {
		got, err := s.UseRefresh(ctx, rotationOf(g, 1))
		if err == nil && got.RefreshSeq != 2 {
			return fmt.Errorf("successor %d", got.RefreshSeq)
		}
		return err
	})
	same(t, "parties with the successor", won, parties)
}

// raceStrict allows no retry. The parties' clocks differ, so that some find a rotation that
// lies in their future.
func raceStrict(ctx context.Context, t *testing.T, s store, round string) {
	g := addRedeemed(ctx, t, s, round)
	one(t, round, race(t, authz.ErrNotFound, func(party int) error {
		claim := rotationOf(g, 1)
		claim.Now = claim.Now.Add(time.Duration(party) * time.Microsecond)
		claim.GraceSince = claim.Now
		_, err := s.UseRefresh(ctx, claim)
		return err
	}))
	must(t, s.RevokeReusedRefresh(ctx, g.ID, "app", 1, noon()))
	_, err := s.UseRefresh(ctx, rotationOf(g, 2))
	refused(t, "the successor after reuse", err, authz.ErrNotFound)
}

func raceConsume(ctx context.Context, t *testing.T, s store, round string) {
	for _, now := range []time.Time{noon(), noon().Add(time.Hour)} { // once new, once expired
		one(t, round, race(t, authz.ErrReplay, func(int) error {
			return s.Consume(ctx, "kind", "app", hash(round), now, now.Add(time.Minute))
		}))
	}
}

func raceInteraction(ctx context.Context, t *testing.T, s store, round string) {
	must(t, s.InsertInteraction(ctx, newInteraction(round, "app")))
	one(t, round, race(t, authz.ErrNotFound, func(int) error { return s.ConsumeInteraction(ctx, round, noon()) }))
}

func raceInstance(ctx context.Context, t *testing.T, s store, round string) {
	one(t, round, race(t, authz.ErrConflict, func(party int) error {
		return s.ClaimInstance(ctx, round, []byte{byte(party)}, noon())
	}))
}

func raceStatusIndex(ctx context.Context, t *testing.T, s store, round string) {
	taken := errors.New("taken")
	one(t, round, race(t, taken, func(int) error {
		free, err := s.ClaimStatusIndex(ctx, int64(len(round))*1000+int64(round[len(round)-1]), noon())
		if err == nil && !free {
			return taken
		}
		return err
	}))
	_, err := s.Sweep(ctx, noon().Add(48*time.Hour)) // frees it for the next round
	must(t, err)
}

// raceDisable makes grants to a client, and redeems them, while somebody disables it and then
// reads the list, as on the notice of that: the place of every grant of which there may be a
// token is set, and in the end every place.
func raceDisable(ctx context.Context, t *testing.T, s store, round string) {
	c := newClient(round)
	must(t, s.InsertClient(ctx, c))
	var at [parties]int64
	for party := range at {
		at[party] = int64(s.count(ctx, t, "status_entries")) + 1
		s.take(ctx, t, at[party], noon().Add(time.Hour))
	}
	var heard []int64
	var redeemed [parties]bool
	race(t, nil, func(party int) (err error) {
		if party == parties/2 {
			disabled := *c
			disabled.DisabledAt = noon()
			if err = s.UpdateClient(ctx, &disabled); err == nil {
				heard, err = s.RevokedStatusIndexes(ctx, at[0], at[parties-1]+1, noon())
			}
			return err
		}
		g := newGrant(fmt.Sprint(round, "-", party), round, "ann")
		g.StatusIndex = at[party]
		if err = s.InsertGrant(ctx, g); err != nil {
			return err
		}
		_, err = s.RedeemCode(ctx, claimOf(g))
		if redeemed[party] = err == nil; errors.Is(err, authz.ErrNotFound) {
			err = nil
		}
		return err
	})
	for party, yes := range redeemed {
		if yes && !slices.Contains(heard, at[party]) {
			t.Errorf("%s: grant %d was redeemed, and its bit was not set when the client was disabled", round, party)
		}
	}
	s.bits(ctx, t, round, at[0], at[parties-1]+1, append(slices.Clone(at[:parties/2]), at[parties/2+1:]...)...)
}

func raceVersion(ctx context.Context, t *testing.T, s store, round string) {
	read, err := s.Client(ctx, "app")
	must(t, err)
	one(t, round, race(t, authz.ErrStale, func(party int) error {
		mine := *read
		mine.Metadata.Name = fmt.Sprint(party)
		return s.UpdateClient(ctx, &mine)
	}))
}

// raceDelete has half of the parties delete what the others change: it is gone, and nobody
// has changed it, or it is another, and nobody has deleted that.
func raceDelete(ctx context.Context, t *testing.T, s store, round string) {
	read := newClient(round)
	must(t, s.InsertClient(ctx, read))
	one(t, round, race(t, authz.ErrStale, func(party int) error {
		mine := *read
		var err error
		if party%2 == 0 {
			_, err = s.DeleteClient(ctx, mine.ID, mine.Version, noon())
		} else {
			err = s.UpdateClient(ctx, &mine)
		}
		if errors.Is(err, authz.ErrNotFound) { // which it is after the deletion
			return authz.ErrStale
		}
		return err
	}))
}

// raceProcesses reads and then writes in one transaction, as a server and a command line
// beside it do: neither may find the database busy.
func raceProcesses(ctx context.Context, t *testing.T, s store, round string) {
	stores := []store{s, {Store: Open(t, s.url), url: s.url}}
	name := fmt.Sprint("by ", round)
	one(t, round, race(t, authz.ErrStale, func(party int) error {
		s := stores[party%len(stores)]
		return s.InTx(ctx, func(ctx context.Context) error {
			c, err := s.Client(ctx, "app")
			if err != nil {
				return err
			}
			if c.Metadata.Name == name {
				return authz.ErrStale
			}
			c.Metadata.Name = name
			return s.UpdateClient(ctx, c)
		})
	}))
}

func raceUsername(ctx context.Context, t *testing.T, s store, round string) {
	one(t, round, race(t, authz.ErrConflict, func(party int) error {
		u := newUser(fmt.Sprint(round, "-", party))
		u.Username = round
		return s.InsertUser(ctx, u)
	}))
}

func raceConsent(ctx context.Context, t *testing.T, s store, round string) {
	c := &authz.Consent{UserID: "ann", ClientID: "app", CreatedAt: noon(), UpdatedAt: noon()}
	one(t, round, race(t, authz.ErrConflict, func(int) error { return s.InsertConsent(ctx, c) }))
	must(t, s.DeleteConsent(ctx, "ann", "app"))
}

func raceActiveKey(ctx context.Context, t *testing.T, s store, round string) {
	one(t, round, race(t, authz.ErrConflict, func(party int) error {
		k := newKey(fmt.Sprint(round, "-", party), authz.KeyActive)
		k.Alg = round
		return s.InsertSigningKey(ctx, k)
	}))
}

func raceRotateKey(ctx context.Context, t *testing.T, s store, round string) {
	for _, state := range []authz.KeyState{authz.KeyActive, authz.KeyNext} {
		k := newKey(round+string(state), state)
		k.Alg = round
		must(t, s.InsertSigningKey(ctx, k))
	}
	one(t, round, race(t, authz.ErrNotFound, func(party int) error {
		fresh := newKey(fmt.Sprint(round, "-", party), authz.KeyNext)
		fresh.Alg = round
		return s.RotateSigningKey(ctx, round+string(authz.KeyActive), round+string(authz.KeyNext), fresh, noon(), noon())
	}))
}

// raceSweep sweeps from all replicas at once: every row goes once, and nobody fails.
func raceSweep(ctx context.Context, t *testing.T, s store, round string) {
	const rows = 60
	must(t, s.InTx(ctx, func(ctx context.Context) error {
		for n := range rows {
			g := newGrant(fmt.Sprint(round, "-", n), "app", "ann")
			if err := errors.Join(s.InsertGrant(ctx, g), s.RevokeToken(ctx, g.ID, noon(), noon())); err != nil {
				return err
			}
		}
		return nil
	}))
	var swept atomic.Int64
	race(t, nil, func(int) error {
		n, err := s.Sweep(ctx, noon().Add(60*24*time.Hour))
		swept.Add(n)
		return err
	})
	if n := swept.Load(); n < 2*rows {
		t.Errorf("%s: %d rows swept of %d", round, n, 2*rows)
	}
}
