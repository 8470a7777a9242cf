package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testSessions(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertUser(ctx, newUser("ann")))
	must(t, s.InsertUser(ctx, newUser("bob")))
	one, two, bobs := newSession("one", "ann"), newSession("two", "ann"), newSession("bobs", "bob")
	one.UserAgent = "caf\xe9\x00"
	two.LastSeenAt = noon().Add(time.Second)
	for _, v := range []*authz.Session{one, two, bobs} {
		must(t, s.InsertSession(ctx, v))
	}
	one.UserAgent = "caf\uFFFD\uFFFD"
	refused(t, "insert twice", s.InsertSession(ctx, one), authz.ErrConflict)

	got, user, err := s.SessionWithUser(ctx, "one", noon())
	must(t, err)
	same(t, "session", got, one)
	same(t, "its person", user, newUser("ann"))
	all, err := s.Sessions(ctx, "ann", noon())
	must(t, err)
	same(t, "sessions, the one seen last first", all, []*authz.Session{two, one})

	dead := func(what, id string, now time.Time) {
		t.Helper()
		_, _, err := s.SessionWithUser(ctx, id, now)
		refused(t, what, err, authz.ErrNotFound)
	}
	dead("missing", "none", noon())
	dead("idle for too long", "one", one.IdleExpiresAt)
	testTouch(ctx, t, s, one)
	dead("too old", "one", one.ExpiresAt)
	all, err = s.Sessions(ctx, "ann", one.ExpiresAt.Add(-time.Second))
	must(t, err)
	same(t, "sessions that are not idle", len(all), 1)

	all, err = s.Sessions(ctx, "ann", one.ExpiresAt)
	must(t, err)
	same(t, "sessions at their end", len(all), 0)

	must(t, s.InsertUser(ctx, newUser("zoe")))
	must(t, s.InsertSession(ctx, newSession("zoes", "zoe")))
	defer s.bystander(ctx, t, "sessions", "zoes")()
	refused(t, "end somebody else's", s.DeleteSession(ctx, "bobs", "ann"), authz.ErrNotFound)
	must(t, s.DeleteSession(ctx, "bobs", "bob"))
	refused(t, "end twice", s.DeleteSession(ctx, "bobs", "bob"), authz.ErrNotFound)
	must(t, s.InsertSession(ctx, newSession("three", "ann")))
	for _, c := range []struct {
		keep string
		want int64
	}{{"two", 2}, {"two", 0}, {"", 1}} {
		n, err := s.DeleteSessions(ctx, "ann", c.keep)
		must(t, err)
		same(t, "sessions ended but "+c.keep, n, c.want)
	}
	s.disable(ctx, t, "bob")
	must(t, s.InsertSession(ctx, newSession("late", "bob")))
	dead("person disabled", "late", noon())
}

// testTouch leaves a session that does not idle before its end.
func testTouch(ctx context.Context, t *testing.T, s store, v *authz.Session) {
	t.Helper()
	now, idle := noon().Add(time.Minute), v.ExpiresAt.Add(time.Hour)
	must(t, s.TouchSession(ctx, v.ID, now, noon(), idle)) // seen since: changes nothing
	got, _, err := s.SessionWithUser(ctx, v.ID, noon())
	must(t, err)
	same(t, "session seen a moment ago", got, v)
	must(t, s.TouchSession(ctx, v.ID, now, now, idle))
	got, _, err = s.SessionWithUser(ctx, v.ID, noon())
	must(t, err)
	if !got.LastSeenAt.Equal(now) || !got.IdleExpiresAt.Equal(idle) {
		t.Errorf("touched session: %+v", got)
	}
}

func testBeginSession(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertUser(ctx, newUser("ann")))
	odd := newSession("one", "ann")
	odd.UserAgent = "caf\xe9"
	must(t, s.BeginSession(ctx, odd, 1))
	if _, u, err := s.SessionWithUser(ctx, "one", noon()); err != nil || u.Version != 1 {
		t.Errorf("a login left %+v, %v", u, err)
	}
	refused(t, "of nobody", s.BeginSession(ctx, newSession("two", "none"), 1), authz.ErrStale)
	refused(t, "of another version", s.BeginSession(ctx, newSession("two", "ann"), 2), authz.ErrStale)
	refused(t, "twice", s.BeginSession(ctx, newSession("one", "ann"), 1), authz.ErrConflict)
	s.disable(ctx, t, "ann")
	refused(t, "of a disabled person", s.BeginSession(ctx, newSession("two", "ann"), 2), authz.ErrStale)
	testOutrun(ctx, t, s)
}

// testOutrun begins a session while a transaction that ends all sessions of the person is
// under way: it must wait, and then refuse.
func testOutrun(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	must(t, s.InsertUser(ctx, newUser("bob")))
	begun := make(chan error, 1)
	must(t, s.InTx(ctx, func(txCtx context.Context) error {
		bob, err := s.User(txCtx, "bob")
		if err != nil {
			return err
		}
		bob.Email = "bob@example.org"
		if err := s.UpdateUser(txCtx, bob); err != nil {
			return err
		}
		go func() { begun <- s.BeginSession(ctx, newSession("late", "bob"), 1) }()
		time.Sleep(20 * time.Millisecond) // lets it come as far as it can: the result must not depend on it
		_, err = s.DeleteSessions(txCtx, "bob", "")
		return err
	}))
	refused(t, "a login that a change overtook", <-begun, authz.ErrStale)
	_, _, err := s.SessionWithUser(ctx, "late", noon())
	refused(t, "its session", err, authz.ErrNotFound)
}
