package directory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/storage"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(t, directory.New{Username: "alice", Email: "alice@example.com", Name: "Alice"})
	w.clock.Advance(time.Hour)
	u, err := w.Update(t.Context(), u.ID, u.Version, directory.Change{EmailVerified: new(true)})
	if err != nil || !u.EmailVerified || u.Version != 2 || u.Profile.Name != "Alice" || !u.UpdatedAt.Equal(w.clock.Now()) {
		t.Fatalf("got %+v, %v", u, err)
	}
	if got := w.last(); got != authz.EventUserChanged+" "+u.ID {
		t.Errorf("recorded %s", got)
	}
	if _, err := w.Update(t.Context(), u.ID, 1, directory.Change{}); !errors.Is(err, authz.ErrStale) {
		t.Errorf("of the version before: %v", err)
	}
	if _, err := w.Update(t.Context(), "usr_nobody", 0, directory.Change{}); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	u, err = w.Update(t.Context(), u.ID, 0, directory.Change{Email: new("Alice@new.example"), Profile: &authz.Profile{
		Name: "Alice B.", Website: "https://alice.example", Locale: "en-GB", Zoneinfo: "Europe/Berlin"}})
	if err != nil || u.EmailVerified || u.Profile.Website == "" {
		t.Errorf("another address is not verified: %+v, %v", u, err)
	}
}

func TestUpdateValidatesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(t, directory.New{Username: "alice@example.com"})
	for _, c := range []struct {
		name, field string
		change      directory.Change
	}{
		{"username", "username", directory.Change{Username: new("al ice")}},
		{"address", "email", directory.Change{Username: new("alice"), Email: new("no address")}},
		{"another address than the username", "username", directory.Change{Email: new("other@example.com")}},
		{"verified nothing", "email_verified", directory.Change{Username: new("alice"), Email: new(""), EmailVerified: new(true)}},
		{"name", "name", directory.Change{Profile: &authz.Profile{Name: "a\u202e"}}},
		{"given name", "given_name", directory.Change{Profile: &authz.Profile{GivenName: "a\n"}}},
		{"picture", "picture", directory.Change{Profile: &authz.Profile{Picture: "http://a.example/"}}},
		{"website", "website", directory.Change{Profile: &authz.Profile{Website: "javascript:alert(1)"}}},
		{"locale", "locale", directory.Change{Profile: &authz.Profile{Locale: "en GB"}}},
		{"time zone", "zoneinfo", directory.Change{Profile: &authz.Profile{Zoneinfo: "../etc\x00"}}},
	} {
		if _, err := w.Update(t.Context(), u.ID, 0, c.change); field(err) != c.field {
			t.Errorf("%s: got %v, want an error about %s", c.name, err, c.field)
		}
	}
	if kept, err := w.Get(t.Context(), u.ID); err != nil || kept.Version != 1 {
		t.Errorf("a refused change was written: %+v, %v", kept, err)
	}
}

func TestSetPasswordEndsWhatTheOldOneBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storage.WithMaxConns(1))
	u := w.create(t, directory.New{Username: "alice", Password: password})
	bob := w.create(t, directory.New{Username: "bob"})
	here := w.signIn(t, u, "here")
	w.signIn(t, u, "elsewhere")
	w.signIn(t, bob, "bob")
	if err := w.SetPassword(authz.WithSession(t.Context(), here, u), u.ID, "another horse"); err != nil {
		t.Fatal(err)
	}
	if got := w.hash(t, "alice"); got != "hash of another horse" {
		t.Errorf("stored %q", got)
	}
	for name, want := range map[string]string{
		"here":      "session true, grant false",
		"elsewhere": "session false, grant false",
		"bob":       "session true, grant true",
	} {
		if got := w.holds(t, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if after, err := w.Get(t.Context(), u.ID); err != nil || after.Version != u.Version+1 {
		t.Errorf("a login under way is not stopped: %+v, %v", after, err)
	}
	if got := w.last(); got != authz.EventPasswordChanged+" "+u.ID {
		t.Errorf("recorded %s", got)
	}
}

func TestSetPasswordByAnAdministratorEndsEverySession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, admin := w.create(t, directory.New{Username: "alice"}), w.create(t, directory.New{Username: "root"})
	w.signIn(t, u, "alice")
	session := w.signIn(t, admin, "root")
	if err := w.SetPassword(authz.WithSession(t.Context(), session, admin), u.ID, password); err != nil {
		t.Fatal(err)
	}
	if got := w.holds(t, "alice"); got != "session false, grant false" {
		t.Errorf("alice: %s", got)
	}
	if got := w.holds(t, "root"); got != "session true, grant true" {
		t.Errorf("root: %s", got)
	}
}

func TestSetPasswordRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(t, directory.New{Username: "alice-example", Password: password})
	w.signIn(t, u, "here")
	for _, p := range []authz.Secret{"", "short", "Alice-Example"} {
		if err := w.SetPassword(t.Context(), u.ID, p); field(err) != "password" {
			t.Errorf("%q: got %v", p.Reveal(), err)
		}
	}
	if err := w.SetPassword(t.Context(), "usr_nobody", password); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if got := w.holds(t, "here"); got != "session true, grant true" {
		t.Errorf("a refused password has ended things: %s", got)
	}
}

func TestSetDisabledTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storage.WithMaxConns(1))
	u := w.create(t, directory.New{Username: "alice"})
	w.signIn(t, u, "here")
	now := time.Now()
	token := &authz.APIToken{
		ID: authz.PrefixToken + "hers", Hash: []byte("hers"), UserID: u.ID, API: "https://api.example",
		CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	if err := w.store.InsertAPIToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if err := w.SetDisabled(t.Context(), u.ID, true); err != nil {
		t.Fatal(err)
	}
	if got := w.holds(t, "here"); got != "session false, grant false" {
		t.Errorf("disabled: %s", got)
	}
	if ended, err := w.store.APIToken(t.Context(), token.ID); err != nil || ended.RevokedAt.IsZero() {
		t.Errorf("their API token is not revoked: %v", err)
	}
	if err := w.SetDisabled(t.Context(), u.ID, false); err != nil {
		t.Fatal(err)
	}
	if got := w.holds(t, "here"); got != "session false, grant false" {
		t.Errorf("enabled again: %s", got)
	}
	before := len(w.events.All())
	if err := w.SetDisabled(t.Context(), u.ID, false); err != nil || len(w.events.All()) != before {
		t.Errorf("a change that is none was recorded, or %v", err)
	}
	if err := w.SetDisabled(t.Context(), "usr_nobody", true); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(t, directory.New{Username: "alice", Password: password})
	w.signIn(t, u, "here")
	if err := w.Delete(t.Context(), u.ID, 0); err != nil {
		t.Fatal(err)
	}
	if got := w.holds(t, "here"); got != "session false, grant false" {
		t.Errorf("deleted: %s", got)
	}
	if got := w.last(); got != authz.EventUserDeleted+" "+u.ID {
		t.Errorf("recorded %s", got)
	}
	if err := w.Delete(t.Context(), u.ID, 0); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	if again := w.create(t, directory.New{Username: "alice"}); again.ID == u.ID {
		t.Error("a later person has the id of a former one")
	}
}
