package storagetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testGrants(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	full := newGrant("full", "app", "ann")
	full.SessionID, full.Resources, full.ACR, full.AMR = "ses", []string{"https://orders.example"}, "1", []string{"pwd", "otp"}
	full.Nonce, full.Claims, full.StatusIndex = "n", json.RawMessage(`{"userinfo":{"email":null}}`), 5
	must(t, s.InsertGrant(ctx, full))
	refused(t, "insert twice", s.InsertGrant(ctx, full), authz.ErrConflict)
	bare := addGrant(ctx, t, s, "bare")

	for _, want := range []*authz.Grant{full, bare} {
		got, user, err := s.LiveGrant(ctx, want.ID, "no jti", noon())
		must(t, err)
		if got.Claims != nil {
			got.Claims = compact(t, got.Claims)
		}
		same(t, "grant "+want.ID, got, readable(want))
		same(t, "its person", user, newUser("ann"))
	}
	testLiveGrant(ctx, t, s)
	testGrantUse(ctx, t, s)
}

func testGrantUse(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	untouched := s.bystander(ctx, t, "grants", "bare")
	for _, c := range []struct {
		name string
		used time.Duration
		want time.Duration
	}{
		{"first", 0, 0}, {"by another replica", 20 * time.Second, 0}, {"half a minute later", 30 * time.Second, 0},
		{"after that", 31 * time.Second, 31 * time.Second}, {"late news", 5 * time.Second, 31 * time.Second},
		{"an hour later", time.Hour, time.Hour},
	} {
		must(t, s.NoteGrantUse(ctx, "full", noon().Add(c.used)))
		g, _, err := s.LiveGrant(ctx, "full", "", noon())
		must(t, err)
		same(t, "last use noted "+c.name, g.LastUsedAt, noon().Add(c.want))
	}
	must(t, s.NoteGrantUse(ctx, "none", noon()))
	untouched()
}

// readable is a grant as it is read: what the code is checked with stays in the database.
func readable(g *authz.Grant) *authz.Grant {
	seen := *g
	seen.CodeHash, seen.CodeChallenge = nil, ""
	return &seen
}

func testLiveGrant(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	g := addGrant(ctx, t, s, "g")
	gone := func(what, id, jti string, now time.Time) {
		t.Helper()
		_, _, err := s.LiveGrant(ctx, id, jti, now)
		refused(t, what, err, authz.ErrNotFound)
	}
	gone("missing", "none", "jti", noon())
	gone("at its end", g.ID, "jti", g.ExpiresAt)
	must(t, s.RevokeToken(ctx, "jti", noon(), noon().Add(time.Hour)))
	gone("token revoked by itself", g.ID, "jti", noon())
	if _, _, err := s.LiveGrant(ctx, g.ID, "other jti", noon()); err != nil {
		t.Errorf("another token of the same grant: %v", err)
	}
	ann, err := s.User(ctx, "ann")
	must(t, err)
	ann.DisabledAt = noon()
	must(t, s.UpdateUser(ctx, ann))
	gone("person disabled", g.ID, "other jti", noon())
	ann.DisabledAt = time.Time{}
	must(t, s.UpdateUser(ctx, ann))
	_, err = s.RevokeGrant(ctx, g.ID, "app", authz.RevokedByUser, noon())
	must(t, err)
	gone("revoked", g.ID, "other jti", noon())
}

func testRevokeGrants(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertUser(ctx, newUser("bob")))
	must(t, s.InsertClient(ctx, newClient("mail")))
	for _, g := range []*authz.Grant{
		newGrant("ann-app-1", "app", "ann"), newGrant("ann-app-2", "app", "ann"), newGrant("ann-app-3", "app", "ann"),
		newGrant("ann-mail", "mail", "ann"), newGrant("bob-app", "app", "bob"), newGrant("bob-mail", "mail", "bob"),
	} {
		must(t, s.InsertGrant(ctx, g))
		_, err := s.RedeemCode(ctx, claimOf(g))
		must(t, err)
	}
	unredeemed := newGrant("ann-app-4", "app", "ann")
	must(t, s.InsertGrant(ctx, unredeemed))

	at := noon().Add(time.Minute)
	revoke := func(what string, want int64, fn func() (int64, error)) {
		t.Helper()
		n, err := fn()
		must(t, err)
		same(t, what, n, want)
	}
	live := func(user string, want ...string) {
		t.Helper()
		grants, err := s.GrantsOfUser(ctx, user, at)
		must(t, err)
		var ids []string
		for _, g := range grants {
			ids = append(ids, g.ID)
		}
		same(t, "live grants of "+user, ids, want)
	}
	live("ann", "ann-app-1", "ann-app-2", "ann-app-3", "ann-mail")
	revoke("by a client that it is not of", 0, func() (int64, error) { return s.RevokeGrant(ctx, "ann-app-1", "mail", "r", at) })
	revoke("one", 1, func() (int64, error) { return s.RevokeGrant(ctx, "ann-app-1", "app", "r", at) })
	revoke("one again", 0, func() (int64, error) { return s.RevokeGrant(ctx, "ann-app-1", "app", "r", at) })
	live("ann", "ann-app-2", "ann-app-3", "ann-mail")
	revoke("one person's to one client", 3, func() (int64, error) { return s.RevokeGrants(ctx, "ann", "app", "r", at) })
	live("ann", "ann-mail")
	live("bob", "bob-app", "bob-mail")
	revoke("all of a person", 1, func() (int64, error) { return s.RevokeGrants(ctx, "ann", "", "r", at) })
	live("ann")
	live("bob", "bob-app", "bob-mail")
	if list, err := s.GrantsOfUser(ctx, "bob", claimOf(unredeemed).ExpiresAt); err != nil || list != nil {
		t.Errorf("grants at their end: %v, %v", list, err)
	}
}

// testGrantWithSession takes one thing after the other away from a grant whose browser
// session is live, and puts it back.
func testGrantWithSession(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertUser(ctx, newUser("bob")))
	v := newSession("ses", "ann")
	v.ExpiresAt = noon().Add(48 * time.Hour)
	must(t, s.InsertSession(ctx, v))
	must(t, s.InsertSession(ctx, newSession("bobs", "bob")))
	add := func(id, session string) *authz.Grant {
		g := newGrant(id, "app", "ann")
		g.SessionID = session
		must(t, s.InsertGrant(ctx, g))
		_, err := s.RedeemCode(ctx, claimOf(g))
		must(t, err)
		return g
	}
	g := add("g", "ses")
	add("loose", "")
	add("crossed", "bobs")
	fresh := newGrant("fresh", "app", "ann")
	fresh.SessionID = "ses"
	must(t, s.InsertGrant(ctx, fresh))

	grant, session, user, err := s.GrantWithSession(ctx, "g", noon())
	must(t, err)
	same(t, "ids", []string{grant.ID, session.ID, user.ID}, []string{"g", "ses", "ann"})
	same(t, "session", session, v)
	same(t, "person", user, newUser("ann"))
	gone := func(what, id string, now time.Time) {
		t.Helper()
		_, _, _, err := s.GrantWithSession(ctx, id, now)
		refused(t, what, err, authz.ErrNotFound)
	}
	gone("missing", "none", noon())
	gone("without a session", "loose", noon())
	gone("in the session of somebody else", "crossed", noon())
	gone("not redeemed", "fresh", noon())
	gone("session idle", "g", v.IdleExpiresAt)
	must(t, s.TouchSession(ctx, "ses", noon().Add(time.Minute), noon().Add(time.Minute), claimOf(g).ExpiresAt.Add(time.Hour)))
	gone("session too old", "g", v.ExpiresAt)

	c, err := s.Client(ctx, "app")
	must(t, err)
	c.DisabledAt = noon()
	must(t, s.UpdateClient(ctx, c))
	gone("client disabled", "g", noon())
	c.DisabledAt = time.Time{}
	must(t, s.UpdateClient(ctx, c))
	s.disable(ctx, t, "ann")
	gone("person disabled", "g", noon())
	u, err := s.User(ctx, "ann")
	must(t, err)
	u.DisabledAt = time.Time{}
	must(t, s.UpdateUser(ctx, u))
	_, _, _, err = s.GrantWithSession(ctx, "g", noon())
	must(t, err)
	_, err = s.RevokeGrant(ctx, "g", "app", authz.RevokedByUser, noon())
	must(t, err)
	gone("revoked", "g", noon())

	short := newGrant("short", "app", "ann")
	short.SessionID, short.RefreshSeq = "ses", 0 // ends with its access token
	must(t, s.InsertGrant(ctx, short))
	_, err = s.RedeemCode(ctx, claimOf(short))
	must(t, err)
	_, _, _, err = s.GrantWithSession(ctx, "short", short.ExpiresAt.Add(-time.Second))
	must(t, err)
	gone("at the grant's end", "short", short.ExpiresAt)
}
