package storagetest

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testInstance(ctx context.Context, t *testing.T, s store) {
	_, err := s.Instance(ctx, "key")
	refused(t, "read missing", err, authz.ErrNotFound)
	must(t, s.ClaimInstance(ctx, "key", []byte{0, 1, 0xff}, noon()))
	refused(t, "claim twice", s.ClaimInstance(ctx, "key", []byte("other"), noon()), authz.ErrConflict)
	got, err := s.Instance(ctx, "key")
	must(t, err)
	if !bytes.Equal(got, []byte{0, 1, 0xff}) {
		t.Errorf("value: %x", got)
	}
	must(t, s.ClaimInstance(ctx, "setup", []byte{}, noon()))
	got, err = s.Instance(ctx, "setup")
	must(t, err)
	same(t, "length of an empty value", len(got), 0)
}

func testRevokedTokens(ctx context.Context, t *testing.T, s store) {
	revoked := func(jti string, want bool) {
		t.Helper()
		got, err := s.TokenRevoked(ctx, jti)
		must(t, err)
		same(t, "revoked: "+jti, got, want)
	}
	revoked("a", false)
	must(t, s.RevokeToken(ctx, "a", noon(), noon().Add(time.Hour)))
	must(t, s.RevokeToken(ctx, "a", noon(), noon().Add(time.Minute)))
	revoked("a", true)
	revoked("A", false)
	n, err := s.Sweep(ctx, noon().Add(30*time.Minute)) // the first expiry stands
	must(t, err)
	same(t, "swept", n, int64(0))
}

func testReplays(ctx context.Context, t *testing.T, s store) {
	end := noon().Add(time.Minute)
	consume := func(kind, issuer, value string, now time.Time) error {
		return s.Consume(ctx, kind, issuer, hash(value), now, now.Add(time.Minute))
	}
	must(t, consume("assertion", "app", "a", noon()))
	refused(t, "again", consume("assertion", "app", "a", noon()), authz.ErrReplay)
	refused(t, "at its end", consume("assertion", "app", "a", end), authz.ErrReplay)
	must(t, consume("proof", "app", "a", noon()))
	must(t, consume("assertion", "mail", "a", noon()))
	must(t, consume("assertion", "app", "b", noon()))
	must(t, consume("assertion", "app", "a", end.Add(time.Microsecond)))
	refused(t, "again, after a new start", consume("assertion", "app", "a", end.Add(time.Minute)), authz.ErrReplay)
}

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
	bits := func(what string, from, to int64, want ...int64) {
		t.Helper()
		got, err := s.RevokedStatusIndexes(ctx, from, to)
		must(t, err)
		slices.Sort(got)
		same(t, what, got, want)
	}
	g, token := newGrant("g", "app", "ann"), newAPIToken("tok", "ann")
	g.StatusIndex, token.StatusIndex = 5, 7
	must(t, s.InsertGrant(ctx, g))
	must(t, s.InsertAPIToken(ctx, token))
	bits("nothing revoked", 0, 100)
	_, err := s.RevokeGrant(ctx, "g", "app", authz.RevokedByUser, noon())
	must(t, err)
	bits("a revoked grant", 0, 100, 5)
	c, err := s.Client(ctx, "app")
	must(t, err)
	c.DisabledAt = noon()
	must(t, s.UpdateClient(ctx, c))
	bits("and a disabled client", 0, 100, 5, 6)
	c.DisabledAt = time.Time{}
	must(t, s.UpdateClient(ctx, c))
	bits("enabled again", 0, 100, 5)
	must(t, s.DeleteUser(ctx, "ann"))
	must(t, s.DeleteClient(ctx, "app"))
	bits("all deleted", 0, 100, 5, 6, 7)
	bits("upper bound", 5, 7, 5, 6)
	bits("lower bound", 6, 100, 6, 7)
}
