package storagetest

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
)

// crowd is a little more than a call that deletes a client takes along of one table.
const crowd = 2010

// addCrowd lays out the client "app" with very many grants by ann that are redeemed and have a
// place each, then a few that are not, which an index has last, and API tokens of it.
func addCrowd(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	addUserAndClient(ctx, t, s)
	addGrant(ctx, t, s, "fresh")
	addRedeemed(ctx, t, s, "used")
	Copies(ctx, t, s.url, "grants", "id = 'used'", crowd, map[string]string{"id": "'used-' || i", "status_index": Place})
	Copies(ctx, t, s.url, "grants", "id = 'fresh'", 5, map[string]string{"id": "'fresh-' || i"})
	must(t, s.PutConsent(ctx, &authz.Consent{UserID: "ann", ClientID: "app", CreatedAt: noon(), UpdatedAt: noon()}))
	must(t, s.InsertInteraction(ctx, newInteraction("i", "app")))
	addMade(ctx, t, s, "tok_app", "ann", "app")
	addMade(ctx, t, s, "tok_of_it", "ann", "tok_app")
}

// left gives a grant of the crowd that is still stored.
func (s store) left(ctx context.Context, t *testing.T, kind string) string {
	t.Helper()
	for line := range strings.Lines(s.dump(ctx, t, "grants")) {
		if id, ok := strings.CutPrefix(strings.Fields(line)[0], "id="); ok && strings.HasPrefix(id, kind+"-") {
			return id
		}
	}
	t.Fatalf("no grant %s is left", kind)
	return ""
}

// testRemoval deletes a client of which there is more than one call takes along: to everybody
// it is gone at once, and so is what is left of it.
func testRemoval(ctx context.Context, t *testing.T, s store) {
	addCrowd(ctx, t, s)
	read, err := s.Client(ctx, "app")
	must(t, err)
	removed, err := s.DeleteClient(ctx, "app", read.Version, noon())
	must(t, err)
	same(t, "removed by the call", removed, authz.Removal{Grants: 2000, APITokens: 2, Rows: 2002})
	s.isGone(ctx, t, read)
	n, err := s.Sweep(ctx, noon())
	must(t, err)
	same(t, "rows swept", n, int64(crowd+5+2-2000+1)) // and the client
	for _, table := range []string{"clients", "grants", "consents", "interactions"} {
		same(t, table+" left", s.count(ctx, t, table), 0)
	}
	bits, err := s.RevokedStatusIndexes(ctx, 0, authz.StatusListSize, noon().Add(100*time.Hour))
	must(t, err)
	same(t, "bits that stay set", len(bits), crowd)

	must(t, s.InsertClient(ctx, newClient("app")))
	for _, id := range []string{"used", "used-1", "used-2010"} {
		_, err := s.UseRefresh(ctx, rotationOf(newGrant(id, "app", "ann"), 1))
		refused(t, "refresh with what a former client of the same id was granted", err, authz.ErrNotFound)
	}
	_, _, err = s.LiveAPIToken(ctx, "tok_of_it", noon())
	refused(t, "what a former client of the same id has made", err, authz.ErrNotFound)
}

// isGone demands that nobody sees a client of which grants are left, and that none of these is
// good for anything.
func (s store) isGone(ctx context.Context, t *testing.T, c *authz.Client) {
	t.Helper()
	_, err := s.Client(ctx, c.ID)
	refused(t, "read it", err, authz.ErrNotFound)
	all, err := s.Clients(ctx, "", 10)
	must(t, err)
	same(t, "clients listed", len(all), 0)
	refused(t, "update it", s.UpdateClient(ctx, c), authz.ErrNotFound)
	_, err = s.DeleteClient(ctx, c.ID, 0, noon())
	refused(t, "delete it again", err, authz.ErrNotFound)
	_, err = s.DeleteClient(ctx, c.ID, c.Version, noon())
	refused(t, "delete its version again", err, authz.ErrNotFound)
	refused(t, "give it a secret", s.InsertClientSecret(ctx, c.ID, authz.ClientSecret{ID: "late", Hash: hash("l"), CreatedAt: noon()}), authz.ErrNotFound)
	_, err = s.SetClientStatusIndex(ctx, c.ID, 7)
	refused(t, "give it a place", err, authz.ErrNotFound)
	refused(t, "register its id", s.InsertClient(ctx, newClient(c.ID)), authz.ErrConflict)

	fresh, used := newGrant(s.left(ctx, t, "fresh"), c.ID, "ann"), newGrant(s.left(ctx, t, "used"), c.ID, "ann")
	fresh.CodeHash = hash("code of fresh")
	_, err = s.RedeemCode(ctx, claimOf(fresh))
	refused(t, "redeem a code", err, authz.ErrNotFound)
	claim := rotationOf(used, 1)
	_, err = s.UseRefresh(ctx, claim)
	refused(t, "rotate a refresh token", err, authz.ErrNotFound)
	claim.Rotate = false
	_, err = s.UseRefresh(ctx, claim)
	refused(t, "keep a refresh token", err, authz.ErrNotFound)
	_, _, err = s.LiveGrant(ctx, used.ID, "", noon())
	refused(t, "introspect", err, authz.ErrNotFound)
	for _, id := range []string{"tok_app", "tok_of_it"} {
		_, _, err = s.LiveAPIToken(ctx, id, noon())
		refused(t, "use an API token", err, authz.ErrNotFound)
	}
	made := newAPIToken("tok_late", "ann")
	made.MadeBy = c.ID
	_, err = s.AddAPIToken(ctx, made, 100)
	refused(t, "make an API token", err, authz.ErrNotFound)
	set := map[int64]bool{}
	bits, err := s.RevokedStatusIndexes(ctx, 0, authz.StatusListSize, noon())
	must(t, err)
	for _, index := range bits {
		set[index] = true
	}
	same(t, "bits set", len(set), crowd)
}

// testRemovalInterrupted stops a process in the middle of removing a client. Another goes on.
func testRemovalInterrupted(ctx context.Context, t *testing.T, s store) {
	addCrowd(ctx, t, s)
	read, err := s.Client(ctx, "app")
	must(t, err)
	doomed, die := context.WithCancel(ctx)
	defer die()
	var batches atomic.Int32
	victim := Open(t, s.url, storage.WithStatementCounter(func(statement string) {
		if strings.Contains(statement, "DELETE FROM grants") && strings.Contains(statement, "BETWEEN") && batches.Add(1) == 2 {
			die()
		}
	}))
	removed, err := victim.DeleteClient(doomed, "app", 0, noon())
	must(t, err) // it is gone, whatever became of the rest
	same(t, "removed", removed, authz.Removal{Grants: 1000, APITokens: 2, Rows: 1000})
	s.isGone(ctx, t, read)
	batches.Store(0)
	doomed, die = context.WithCancel(ctx)
	defer die()
	if n, err := victim.Sweep(doomed, noon()); err == nil || n != 1000 {
		t.Errorf("a sweep that was stopped: %d rows, %v", n, err)
	}
	s.isGone(ctx, t, read)
	n, err := s.Sweep(ctx, noon())
	must(t, err)
	same(t, "rows swept by another", n, int64(crowd+5+2-2000+2+1))
	must(t, s.InsertClient(ctx, newClient("app")))
}

// testRemovalOvertaken lets a replica that is about to remove grants wait for so long that
// another has removed the client, and somebody registered its id again: the new one is spared.
func testRemovalOvertaken(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	addGrant(ctx, t, s, "old")
	overtake := func() {
		_, err := s.Sweep(ctx, noon())
		must(t, err)
		must(t, s.InsertClient(ctx, newClient("app")))
		addGrant(ctx, t, s, "new")
		addMade(ctx, t, s, "tok_new", "ann", "app")
		must(t, s.PutConsent(ctx, &authz.Consent{UserID: "ann", ClientID: "app", CreatedAt: noon(), UpdatedAt: noon()}))
		must(t, s.InsertInteraction(ctx, newInteraction("new", "app")))
	}
	var batches atomic.Int32
	slow := Open(t, s.url, storage.WithStatementCounter(func(statement string) {
		if strings.Contains(statement, "UPDATE api_tokens") && strings.Contains(statement, "BETWEEN") && batches.Add(1) == 1 {
			overtake()
		}
	}))
	_, err := slow.DeleteClient(ctx, "app", 0, noon())
	must(t, err)
	same(t, "batches", batches.Load(), int32(1))
	_, err = s.RedeemCode(ctx, claimOf(newGrant("new", "app", "ann")))
	must(t, err)
	_, _, err = s.LiveAPIToken(ctx, "tok_new", noon())
	must(t, err)
	for _, table := range []string{"clients", "grants", "consents", "interactions"} {
		same(t, table+" of the new one", s.count(ctx, t, table), 1)
	}
}

// testDisabledMaker disables a client that made very many API tokens: none of them is good any
// more, and they are revoked for good before it can be enabled.
func testDisabledMaker(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertClient(ctx, newClient("mail")))
	addMade(ctx, t, s, "tok_app", "ann", "app")
	s.take(ctx, t, 7, noon())
	addMade(ctx, t, s, "tok_of_it", "ann", "tok_app", func(v *authz.APIToken) { v.StatusIndex = 7 })
	addMade(ctx, t, s, "tok_mail", "ann", "mail")
	addMade(ctx, t, s, "tok_own", "ann", "")
	Copies(ctx, t, s.url, "api_tokens", "id = 'tok_app'", crowd, map[string]string{"id": "'tok_app-' || i"})
	c, err := s.Client(ctx, "app")
	must(t, err)
	if n, all, err := s.EndAPITokensOf(ctx, "app", noon()); err != nil || n != 0 || all {
		t.Errorf("of an enabled client: %d, all %v, %v", n, all, err)
	}
	c.DisabledAt = noon()
	must(t, s.UpdateClient(ctx, c))
	for id, want := range map[string]bool{"tok_app": false, "tok_of_it": false, "tok_app-1": false, "tok_app-2010": false, "tok_mail": true, "tok_own": true} {
		if _, _, err := s.LiveAPIToken(ctx, id, noon()); (err == nil) != want {
			t.Errorf("%s: %v, want good: %v", id, err, want)
		}
	}
	by := newAPIToken("tok_late", "ann")
	by.MadeBy = "tok_app"
	_, err = s.AddAPIToken(ctx, by, 10000)
	refused(t, "made with a token of it", err, authz.ErrNotFound)
	s.bits(ctx, t, "bits before they are revoked", 0, 100, 7)
	end := func(want int64, wantAll bool) {
		t.Helper()
		n, all, err := s.EndAPITokensOf(ctx, "app", noon())
		must(t, err)
		same(t, "revoked, and all", fmt.Sprint(n, all), fmt.Sprint(want, wantAll))
	}
	end(2000, false)
	_, err = s.Sweep(ctx, noon())
	must(t, err)
	end(0, true)
	same(t, "revoked by the sweep and before", s.reasons(ctx, t, "tok_app", "tok_of_it", "tok_app-1", "tok_app-2010", "tok_mail", "tok_own"), map[string]string{
		"tok_app": authz.RevokedByAdmin, "tok_of_it": authz.RevokedByAdmin, "tok_app-1": authz.RevokedByAdmin, "tok_app-2010": authz.RevokedByAdmin,
	})
	c.DisabledAt = time.Time{}
	must(t, s.UpdateClient(ctx, c))
	_, _, err = s.LiveAPIToken(ctx, "tok_of_it", noon())
	refused(t, "good when the client is enabled again", err, authz.ErrNotFound)
	s.bits(ctx, t, "bits when the client is enabled again", 0, 100, 7)
}

// raceRemoval has all replicas remove one client at once, some by a call and the others by
// their sweep, while it is granted more: nobody fails, and nothing is left.
func raceRemoval(ctx context.Context, t *testing.T, s store, round string) {
	must(t, s.InsertClient(ctx, newClient(round)))
	for n := range parties {
		must(t, s.InsertGrant(ctx, newGrant(fmt.Sprint(round, "-", n), round, "ann")))
	}
	race(t, authz.ErrNotFound, func(party int) error {
		switch party % 4 {
		case 0:
			_, err := s.DeleteClient(ctx, round, 0, noon())
			return err
		case 1:
			_, err := s.Sweep(ctx, noon())
			return err
		}
		return s.InsertGrant(ctx, newGrant(fmt.Sprint(round, "+", party), round, "ann"))
	})
	_, err := s.Sweep(ctx, noon())
	must(t, err)
	must(t, s.InsertClient(ctx, newClient(round)))
	same(t, "grants to "+round, strings.Contains(s.dump(ctx, t, "grants"), "="+round+" "), false)
}
