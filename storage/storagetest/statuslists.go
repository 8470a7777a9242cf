package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testStatusLists(ctx context.Context, t *testing.T, s store) {
	lists := func(want int64) {
		t.Helper()
		n, err := s.StatusLists(ctx)
		must(t, err)
		same(t, "status lists", n, want)
	}
	lists(0)
	claim := func(index int64, want bool) {
		t.Helper()
		free, err := s.ClaimStatusIndex(ctx, index, noon().Add(time.Hour))
		must(t, err)
		same(t, "place was free", free, want)
	}
	for _, index := range []int64{5, 6, 7, authz.StatusListSize - 1} {
		claim(index, true)
	}
	claim(5, false)
	lists(1)
	claim(authz.StatusListSize, true)
	lists(2)
	addUserAndClient(ctx, t, s)
	for _, want := range []int64{6, 6} { // the second call finds that it has one
		n, err := s.SetClientStatusIndex(ctx, "app", want)
		must(t, err)
		same(t, "place of the client", n, int64(6))
	}
	n, err := s.SetClientStatusIndex(ctx, "app", 99)
	must(t, err)
	same(t, "place of a client that has one", n, int64(6))
	_, err = s.SetClientStatusIndex(ctx, "none", 7)
	refused(t, "place of a missing client", err, authz.ErrNotFound)
	testStatusBits(ctx, t, s)
}

// testStatusBits revokes, disables and deletes what has the places 5, 6 and 7.
func testStatusBits(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	g, token := newGrant("g", "app", "ann"), newAPIToken("tok", "ann")
	g.StatusIndex, token.StatusIndex = 5, 7
	must(t, s.InsertGrant(ctx, g))
	must(t, s.InsertAPIToken(ctx, token))
	s.bits(ctx, t, "nothing revoked", 0, 100)
	_, err := s.RevokeGrant(ctx, "g", "app", authz.RevokedByUser, noon())
	must(t, err)
	s.bits(ctx, t, "a revoked grant", 0, 100, 5)
	c, err := s.Client(ctx, "app")
	must(t, err)
	c.DisabledAt = noon()
	must(t, s.UpdateClient(ctx, c))
	s.bits(ctx, t, "and a disabled client", 0, 100, 5, 6)
	c.DisabledAt = time.Time{}
	must(t, s.UpdateClient(ctx, c))
	s.bits(ctx, t, "enabled again", 0, 100, 5)
	must(t, s.DeleteUser(ctx, "ann", 0))
	s.delete(ctx, t, "app")
	s.bits(ctx, t, "all deleted", 0, 100, 5, 6, 7)
	s.bits(ctx, t, "upper bound", 5, 7, 5, 6)
	s.bits(ctx, t, "lower bound", 6, 100, 6, 7)
}

// bits demands that these places between two are set, and no other.
func (s store) bits(ctx context.Context, t *testing.T, what string, from, to int64, want ...int64) {
	t.Helper()
	s.bitsAt(ctx, t, what, noon(), from, to, want...)
}

// bitsAt does so at another time.
func (s store) bitsAt(ctx context.Context, t *testing.T, what string, now time.Time, from, to int64, want ...int64) {
	t.Helper()
	got, err := s.RevokedStatusIndexes(ctx, from, to, now)
	must(t, err)
	slices.Sort(got)
	same(t, what, slices.Compact(got), want)
}

// take claims a place that must be free.
func (s store) take(ctx context.Context, t *testing.T, index int64, expires time.Time) {
	t.Helper()
	free, err := s.ClaimStatusIndex(ctx, index, expires)
	must(t, err)
	same(t, "place was free", free, true)
}

// grantAt lays out a grant by ann that has a place.
func (s store) grantAt(ctx context.Context, t *testing.T, clientID string, index int64) {
	t.Helper()
	s.take(ctx, t, index, noon().Add(time.Hour))
	g := newGrant(fmt.Sprint("g", index), clientID, "ann")
	g.StatusIndex = index
	must(t, s.InsertGrant(ctx, g))
}

// testDisabledPlaces disables and enables a client: the bits of its own tokens and of those of
// the grants to it follow, but for what was revoked meanwhile or before.
func testDisabledPlaces(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertClient(ctx, newClient("mail")))
	must(t, s.InsertClient(ctx, newClient("late")))
	revoke := func(id string) {
		t.Helper()
		n, err := s.RevokeGrant(ctx, id, "app", authz.RevokedByUser, noon())
		must(t, err)
		same(t, "grants revoked", n, int64(1))
	}
	change := func(what, id string, disabled time.Time, want ...int64) {
		t.Helper()
		c, err := s.Client(ctx, id)
		must(t, err)
		c.DisabledAt = disabled
		must(t, s.UpdateClient(ctx, c))
		s.bits(ctx, t, what, 0, 100, want...)
	}
	place := func(id string, index int64) {
		t.Helper()
		s.take(ctx, t, index, noon().Add(time.Hour))
		_, err := s.SetClientStatusIndex(ctx, id, index)
		must(t, err)
	}
	place("app", 1)
	for _, index := range []int64{2, 3, 4} {
		s.grantAt(ctx, t, "app", index)
	}
	s.grantAt(ctx, t, "mail", 5)
	revoke("g2")
	change("disabled", "app", noon(), 1, 2, 3, 4)
	change("changed while disabled", "app", noon(), 1, 2, 3, 4)
	change("disabled at another time", "app", noon().Add(1), 1, 2, 3, 4)
	revoke("g3")
	s.grantAt(ctx, t, "app", 6)
	s.bits(ctx, t, "with a grant that was under way", 0, 100, 1, 2, 3, 4, 6)
	change("enabled", "app", time.Time{}, 2, 3)
	change("disabled again", "app", noon(), 1, 2, 3, 4, 6)
	s.delete(ctx, t, "app")
	s.bits(ctx, t, "deleted while disabled", 0, 100, 1, 2, 3, 4, 6)

	must(t, s.InsertClient(ctx, newClient("app")))
	place("app", 7)
	change("another of the same name, disabled", "app", noon(), 1, 2, 3, 4, 6, 7)
	change("and enabled", "app", time.Time{}, 1, 2, 3, 4, 6)
	s.delete(ctx, t, "mail")
	change("one without a place, disabled", "late", noon(), 1, 2, 3, 4, 5, 6)
	place("late", 8)
	change("that got its place then", "late", noon(), 1, 2, 3, 4, 5, 6, 8)
	change("enabled at last", "late", time.Time{}, 1, 2, 3, 4, 5, 6)

	for range 2 {
		_, err := s.Sweep(ctx, noon().Add(1000*24*time.Hour))
		must(t, err)
	}
	_, err := s.Sweep(ctx, noon().Add(1002*24*time.Hour))
	must(t, err)
	change("clients keep their places for good", "late", noon(), 8)
	change("all of them", "app", noon(), 7, 8)
}

// testPlacesTakenAgain lets grants and API tokens of ann end, gives their places to others,
// and then revokes and deletes what ended: the rows of it still name the places.
func testPlacesTakenAgain(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertUser(ctx, newUser("bob")))
	hold := func(id, owner string, index int64, expires time.Time) {
		t.Helper()
		s.take(ctx, t, index, expires)
		v := newAPIToken(id, owner)
		v.StatusIndex, v.ExpiresAt = index, expires
		must(t, s.InsertAPIToken(ctx, v))
	}
	ended := noon().Add(24 * time.Hour)
	for index, id := range []string{"old1", "old2", "old3"} {
		hold(id, "ann", int64(5+index), ended)
	}
	s.take(ctx, t, 8, ended)
	g := newGrant("old", "app", "ann")
	g.StatusIndex, g.ExpiresAt = 8, ended.Add(24*time.Hour) // as if its place had been taken for too short
	must(t, s.InsertGrant(ctx, g))

	_, err := s.Sweep(ctx, ended.Add(26*time.Hour))
	must(t, err)
	for index, id := range []string{"new1", "new2", "new3", "new4"} {
		hold(id, "bob", int64(5+index), ended.Add(365*24*time.Hour))
	}
	_, err = s.RevokeAPIToken(ctx, "old1", "", authz.RevokedByUser, ended)
	must(t, err)
	s.bits(ctx, t, "an ended token revoked", 0, 100)
	_, err = s.RevokeAPITokensOfUser(ctx, "ann", authz.RevokedUserChanged, ended)
	must(t, err)
	_, err = s.RevokeGrants(ctx, "ann", "", authz.RevokedUserChanged, ended)
	must(t, err)
	s.bits(ctx, t, "all that ended revoked", 0, 100)
	_, err = s.Sweep(ctx, ended.Add(31*24*time.Hour))
	must(t, err)
	same(t, "tokens left", s.count(ctx, t, "api_tokens"), 4)
	same(t, "grants left", s.count(ctx, t, "grants"), 0)
	s.bits(ctx, t, "all that ended swept", 0, 100)
	_, err = s.RevokeAPIToken(ctx, "new2", "", authz.RevokedByUser, ended)
	must(t, err)
	s.bits(ctx, t, "a live one revoked", 0, 100, 6)
	must(t, s.DeleteUser(ctx, "bob", 0))
	s.bits(ctx, t, "and the others deleted", 0, 100, 5, 6, 7, 8)
}

// testPlacesOfAnotherClient gives the place of a grant to one of another client while the row
// of the first is still there and names it: the first client has no say in it any more.
func testPlacesOfAnotherClient(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertClient(ctx, newClient("mail")))
	s.take(ctx, t, 5, noon().Add(-2*time.Hour))
	g := newGrant("old", "app", "ann")
	g.StatusIndex = 5
	must(t, s.InsertGrant(ctx, g))
	_, err := s.Sweep(ctx, noon())
	must(t, err)
	same(t, "grants that name the place", s.count(ctx, t, "grants"), 1)
	s.bits(ctx, t, "a place that is nobody's", 0, 100)
	s.grantAt(ctx, t, "mail", 5)
	disable := func(id string, at time.Time) {
		t.Helper()
		c, err := s.Client(ctx, id)
		must(t, err)
		c.DisabledAt = at
		must(t, s.UpdateClient(ctx, c))
	}
	disable("app", noon())
	s.bits(ctx, t, "the client disabled that had it before", 0, 100)
	disable("mail", noon())
	s.bits(ctx, t, "the client disabled that has it", 0, 100, 5)
	disable("mail", time.Time{})
	s.delete(ctx, t, "app")
	s.bits(ctx, t, "the client deleted that had it before", 0, 100)
}

// testBitsEnd revokes and deletes what would live for long: its bits are cleared when no
// access token can be left that carries them, and the places are free then. So are those of a
// client that is disabled, which keeps its places.
func testBitsEnd(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertClient(ctx, newClient("mail")))
	lasting := noon().Add(180 * 24 * time.Hour)
	for index, clientID := range map[int64]string{1: "app", 2: "app", 3: "mail", 4: "app"} {
		s.take(ctx, t, index, lasting)
		g := newGrant(fmt.Sprint("g", index), clientID, "ann")
		g.StatusIndex, g.ExpiresAt = index, lasting
		must(t, s.InsertGrant(ctx, g))
	}
	s.take(ctx, t, 5, lasting)
	token := newAPIToken("tok", "ann")
	token.StatusIndex, token.ExpiresAt = 5, lasting
	must(t, s.InsertAPIToken(ctx, token))
	sweep := func(after time.Duration, want ...int64) {
		t.Helper()
		_, err := s.Sweep(ctx, noon().Add(after))
		must(t, err)
		s.bitsAt(ctx, t, fmt.Sprint("swept after ", after), noon().Add(after), 0, 100, want...)
	}
	_, err := s.RevokeGrant(ctx, "g1", "app", authz.RevokedByUser, noon())
	must(t, err)
	s.delete(ctx, t, "mail")
	c, err := s.Client(ctx, "app")
	must(t, err)
	c.DisabledAt = noon().Add(time.Minute)
	must(t, s.UpdateClient(ctx, c))
	sweep(0, 1, 2, 3, 4)
	_, err = s.RevokeGrant(ctx, "g2", "app", authz.RevokedByUser, noon())
	must(t, err)
	sweep(10*time.Hour, 1, 2, 3, 4)
	sweep(25*time.Hour, 1, 2, 3, 4)
	sweep(25*time.Hour+time.Second, 2, 4) // the first were seen to be set at noon
	sweep(25*time.Hour+time.Minute, 2)    // and no token is left from before the client was disabled
	for _, index := range []int64{1, 3} {
		s.take(ctx, t, index, lasting)
	}
	must(t, s.DeleteUser(ctx, "ann", 0)) // after whose grants others have the places
	s.bitsAt(ctx, t, "the person deleted", noon().Add(26*time.Hour), 0, 100, 2, 4, 5)
	sweep(36*time.Hour, 4, 5)
	sweep(62 * time.Hour)
	same(t, "places that are taken", s.count(ctx, t, "status_entries"), 2)
}
