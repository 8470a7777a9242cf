package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storage.WithMaxConns(1))
	u := w.create(t, directory.New{Username: "Alice", Email: "Alice@example.com", Name: "Alice Ä. Example", Password: password})
	if !strings.HasPrefix(u.ID, authz.PrefixUser) || u.Version != 1 || len(u.Roles) != 0 || u.EmailVerified || !u.CreatedAt.Equal(w.clock.Now()) {
		t.Errorf("created %+v", u)
	}
	if got := w.last(); got != authz.EventUserCreated+" "+u.ID {
		t.Errorf("recorded %s", got)
	}
	for _, name := range []string{u.ID, "alice", "ALICE", "alice@EXAMPLE.com"} {
		if found, err := w.Get(t.Context(), name); err != nil || found.ID != u.ID || found.Profile.Name != "Alice Ä. Example" {
			t.Errorf("Get(%q) gave %+v, %v", name, found, err)
		}
	}
	if got := w.hash(t, "alice"); got != "hash of correct horse battery" {
		t.Errorf("stored %q", got)
	}
	w.create(t, directory.New{Username: "bob"})
	if got := w.hash(t, "bob"); got != "" {
		t.Errorf("stored %q for nobody's password", got)
	}
}

func TestWhatIsNoNameIsNobodysAndNoOutage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorldOn(open())
		for _, name := range []string{"", "nobody", "usr_nobody", "a\x00", "\xff", "usr_\x00", strings.Repeat("a", 1000)} {
			if _, err := w.Get(t.Context(), name); !errors.Is(err, authz.ErrNotFound) {
				t.Errorf("Get(%q) gave %v", name, err)
			}
			if err := w.SetDisabled(t.Context(), name, true); !errors.Is(err, authz.ErrNotFound) {
				t.Errorf("SetDisabled(%q) gave %v", name, err)
			}
		}
	})
}

func TestWhoCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name  string
		new   directory.New
		field string // "": can be
	}{
		{"every character there is", directory.New{Username: "a.B_c-9+d"}, ""},
		{"the longest", directory.New{Username: strings.Repeat("a", 64)}, ""},
		{"no username", directory.New{}, "username"},
		{"a longer one", directory.New{Username: strings.Repeat("a", 65)}, "username"},
		{"a space", directory.New{Username: "al ice"}, "username"},
		{"space around", directory.New{Username: " alice"}, "username"},
		{"a letter that looks like another", directory.New{Username: "аlice"}, "username"},
		{"markup", directory.New{Username: "<b>"}, "username"},
		{"like an id", directory.New{Username: "Usr_alice"}, "username"},
		{"an address as username", directory.New{Username: "carol@example.com"}, ""},
		{"another's address as username", directory.New{Username: "dan@example.com", Email: "eve@example.com"}, "username"},
		{"an @ and no address", directory.New{Username: "@dan"}, "email"},

		{"no address", directory.New{Username: "u1", Email: "example.com"}, "email"},
		{"an address in quotes", directory.New{Username: "u1", Email: `"a b"@example.com`}, "email"},
		{"an address with a name", directory.New{Username: "u1", Email: "A <a@example.com>"}, "email"},
		{"two addresses", directory.New{Username: "u1", Email: "a@example.com,b@example.com"}, "email"},
		{"two lines", directory.New{Username: "u1", Email: "a@example.com\nBcc: b@example.com"}, "email"},
		{"a foreign letter", directory.New{Username: "u1", Email: "аdmin@example.com"}, "email"},
		{"a dot too many", directory.New{Username: "u1", Email: "a..b@example.com"}, "email"},
		{"a domain with a dot too many", directory.New{Username: "u1", Email: "a@example..com"}, "email"},
		{"a long address", directory.New{Username: "u1", Email: strings.Repeat("a", 65) + "@example.com"}, "email"},
		{"a tagged address", directory.New{Username: "u2", Email: "a+tag@sub.example.com"}, ""},

		{"a name that turns the text around", directory.New{Username: "u3", Name: "\u202eecilA"}, "name"},
		{"a long name", directory.New{Username: "u3", Name: strings.Repeat("a", 201)}, "name"},

		{"a short password", directory.New{Username: "u4", Password: "short"}, "password"},
		{"the username as password", directory.New{Username: "longusername", Password: "LongUsername"}, "password"},
		{"the address as password", directory.New{Username: "u4", Email: "u4@example.com", Password: "u4@example.com"}, "password"},
	} {
		_, err := w.Create(t.Context(), c.new)
		if field(err) != c.field || (c.field == "") != (err == nil) {
			t.Errorf("%s: got %v, want an error about %q", c.name, err, c.field)
		}
	}
}

func TestNamesBelongToOnePerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, directory.New{Username: "alice", Email: "alice@example.com"})
	w.create(t, directory.New{Username: "bob@example.com"})
	for _, c := range []struct {
		name string
		new  directory.New
	}{
		{"the username in another case", directory.New{Username: "ALICE"}},
		{"the address in another case", directory.New{Username: "other", Email: "ALICE@example.COM"}},
		{"an address as username", directory.New{Username: "Alice@example.com"}},
		{"a username as address", directory.New{Username: "other", Email: "BOB@example.com"}},
	} {
		if u, err := w.Create(t.Context(), c.new); !errors.Is(err, authz.ErrConflict) {
			t.Errorf("%s: got %v, %v", c.name, u, err)
		}
	}
	carol := w.create(t, directory.New{Username: "carol"})
	for name, change := range map[string]directory.Change{
		"username": {Username: new("Alice")},
		"address":  {Email: new("bob@example.com")},
		"both":     {Username: new("alice@example.com"), Email: new("alice@example.com")},
	} {
		if _, err := w.Update(t.Context(), carol.ID, 0, change); !errors.Is(err, authz.ErrConflict) {
			t.Errorf("changed to a taken %s: %v", name, err)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for _, name := range []string{"a", "b", "c"} {
		ids = append(ids, w.create(t, directory.New{Username: name}).ID)
	}
	slices.Sort(ids)
	first, err := w.List(t.Context(), "", 2)
	if err != nil || len(first) != 2 || first[0].ID != ids[0] {
		t.Fatalf("got %v, %v", first, err)
	}
	rest, err := w.List(t.Context(), first[1].ID, 1<<40)
	if err != nil || len(rest) != 1 || rest[0].ID != ids[2] {
		t.Errorf("got %v, %v", rest, err)
	}
	if _, err := w.List(t.Context(), "\x00", 2); field(err) != "after" {
		t.Errorf("got %v", err)
	}
}
