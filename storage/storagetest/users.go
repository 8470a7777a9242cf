package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testUsers(ctx context.Context, t *testing.T, s store) {
	ann := newUser("a")
	ann.Username, ann.Email, ann.EmailVerified = "Ann", "Ann@Example.org", true
	ann.Profile, ann.Roles = authz.Profile{Name: "Ann \u00c5", Locale: "sv"}, []string{"user", "administrator"}
	ann.Claims = authz.UserClaims{"department": "sales", "teams": []string{"a", "b"}}
	bob := newUser("b")
	bob.Claims, bob.Roles = nil, nil
	must(t, s.InsertUser(ctx, ann))
	must(t, s.InsertUser(ctx, bob))
	refused(t, "insert taken id", s.InsertUser(ctx, &authz.User{ID: "a", Username: "x", CreatedAt: noon(), UpdatedAt: noon()}), authz.ErrConflict)

	got, err := s.User(ctx, "a")
	must(t, err)
	same(t, "user", got, ann)
	_, err = s.User(ctx, "none")
	refused(t, "read missing", err, authz.ErrNotFound)
	defer s.bystander(ctx, t, "users", "b")()
	page, err := s.Users(ctx, "", 1)
	must(t, err)
	same(t, "first page", page, []*authz.User{ann})
	page, err = s.Users(ctx, "a", 9)
	must(t, err)
	same(t, "next page", page, []*authz.User{bob})

	stale := *got
	got.Username, got.Email, got.EmailVerified, got.Profile = "anna", "", false, authz.Profile{}
	got.Claims, got.Roles = authz.UserClaims{"department": "law"}, []string{}
	got.DisabledAt, got.UpdatedAt = noon(), noon().Add(time.Second)
	must(t, s.UpdateUser(ctx, got))
	again, err := s.User(ctx, "a")
	must(t, err)
	same(t, "updated user", again, got)
	same(t, "version", again.Version, int64(2))
	refused(t, "update a stale one", s.UpdateUser(ctx, &stale), authz.ErrStale)
	stale.ID = "none"
	refused(t, "update missing", s.UpdateUser(ctx, &stale), authz.ErrNotFound)
	refused(t, "delete a stale one", s.DeleteUser(ctx, "a", 1), authz.ErrStale)
	must(t, s.DeleteUser(ctx, "a", 2))
	refused(t, "delete twice", s.DeleteUser(ctx, "a", 2), authz.ErrNotFound)
	refused(t, "delete any version twice", s.DeleteUser(ctx, "a", 0), authz.ErrNotFound)
}

func testNames(ctx context.Context, t *testing.T, s store) {
	ann := newUser("ann")
	ann.Username, ann.Email = "\u00c5sa", "Asa@Example.org"
	must(t, s.InsertUser(ctx, ann))
	for _, name := range []string{"\u00c5sa", "\u00e5SA", " \u00e5sa\t", "ASA@EXAMPLE.ORG"} {
		got, err := s.UserByName(ctx, name)
		must(t, err)
		same(t, "found as "+name, got.ID, "ann")
		got, _, err = s.UserWithPassword(ctx, name)
		must(t, err)
		same(t, "found with password as "+name, got.ID, "ann")
	}
	for _, name := range []string{"", "asa", "%", "_sa", "none"} {
		_, err := s.UserByName(ctx, name)
		refused(t, "find "+name, err, authz.ErrNotFound)
		_, _, err = s.UserWithPassword(ctx, name)
		refused(t, "find with password "+name, err, authz.ErrNotFound)
	}
	for _, c := range []struct{ name, username, email string }{
		{"username in other case", "\u00e5sA", ""}, {"email in other case", "other", " asa@example.ORG"},
	} {
		u := newUser("b")
		u.Username, u.Email = c.username, c.email
		refused(t, "insert taken "+c.name, s.InsertUser(ctx, u), authz.ErrConflict)
	}
	for _, id := range []string{"c", "d"} { // nobody needs an address
		must(t, s.InsertUser(ctx, newUser(id)))
	}
	c, err := s.User(ctx, "c")
	must(t, err)
	c.Username = "D"
	refused(t, "update to a taken name", s.UpdateUser(ctx, c), authz.ErrConflict)
	// A username that is somebody else's address belongs to its owner.
	c.Username = "asa@example.org"
	must(t, s.UpdateUser(ctx, c))
	got, err := s.UserByName(ctx, "asa@example.org")
	must(t, err)
	same(t, "a username before an address", got.ID, "c")
}

func testPasswords(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertUser(ctx, newUser("ann")))
	stored := func(want string) {
		t.Helper()
		u, got, err := s.UserWithPassword(ctx, "ann")
		must(t, err)
		same(t, "person", u, newUser("ann"))
		same(t, "hash", got, want)
	}
	stored("")
	must(t, s.InsertUser(ctx, newUser("zoe")))
	must(t, s.SetPassword(ctx, authz.PasswordCredential{UserID: "zoe", Hash: "h1", ChangedAt: noon()}))
	defer s.bystander(ctx, t, "passwords", "zoe")()
	must(t, s.SetPassword(ctx, authz.PasswordCredential{UserID: "ann", Hash: "h1", ChangedAt: noon()}))
	stored("h1")
	must(t, s.UpgradePassword(ctx, "ann", "h1", "h1+"))
	stored("h1+")
	must(t, s.SetPassword(ctx, authz.PasswordCredential{UserID: "ann", Hash: "h2", ChangedAt: noon().Add(time.Second)}))
	must(t, s.UpgradePassword(ctx, "ann", "h1+", "h1++")) // a login that was slower than the change
	stored("h2")
}

func testCascades(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertClientSecret(ctx, "app", authz.ClientSecret{ID: "sec", Hash: hash("s"), CreatedAt: noon()}))
	must(t, s.SetPassword(ctx, authz.PasswordCredential{UserID: "ann", Hash: "h", ChangedAt: noon()}))
	fill := func() {
		must(t, s.InsertInteraction(ctx, newInteraction("i", "app")))
		must(t, s.PutConsent(ctx, &authz.Consent{UserID: "ann", ClientID: "app", CreatedAt: noon(), UpdatedAt: noon()}))
		addGrant(ctx, t, s, "g")
	}
	fill()
	s.delete(ctx, t, "app")
	for _, table := range []string{"client_secrets", "interactions", "consents", "grants"} {
		same(t, table+" of a deleted client", s.dump(ctx, t, table), "")
	}
	must(t, s.InsertClient(ctx, newClient("app")))
	must(t, s.InsertSession(ctx, newSession("ses", "ann")))
	must(t, s.InsertAPIToken(ctx, newAPIToken("tok", "ann")))
	fill()
	must(t, s.DeleteUser(ctx, "ann", 0))
	for _, table := range []string{"passwords", "sessions", "consents", "grants", "api_tokens"} {
		same(t, table+" of a deleted person", s.dump(ctx, t, table), "")
	}
	if s.dump(ctx, t, "interactions") == "" {
		t.Error("an interaction went with the person, though it is nobody's yet")
	}
}
