package directory_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

func needsSetup(t *testing.T, w *world) bool {
	t.Helper()
	needs, err := w.NeedsSetup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return needs
}

func TestSetupMakesOneAdministrator(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w, other := newWorldOn(open()), newWorldOn(open())
		if !needsSetup(t, w) {
			t.Fatal("a new server is set up")
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for i, one := range []*world{w, other, w, other} {
			all.Go(func() {
				_, err := one.Setup(t.Context(), directory.New{Username: string(rune('a' + i)), Password: password})
				if err != nil && !errors.Is(err, directory.ErrSetUp) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made++
				}
			})
		}
		all.Wait()
		users, err := w.List(t.Context(), "", 10)
		if made != 1 || err != nil || len(users) != 1 || len(users[0].Roles) != 1 || users[0].Roles[0] != authz.RoleAdministrator {
			t.Errorf("%d made; %v, %v", made, users, err)
		}
		if needsSetup(t, other) {
			t.Error("it needs to be set up again")
		}
		if _, err := w.Role(t.Context(), authz.RoleAdministrator); err != nil {
			t.Errorf("the administrator has a role that does not exist: %v", err)
		}
	})
}

func TestARefusedSetupCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, directory.New{Username: "alice", Email: "alice@example.com"})
	for _, n := range []directory.New{
		{Username: "root"}, {Username: "root", Password: "short"}, {Username: "r o", Password: password},
	} {
		if _, err := w.Setup(t.Context(), n); field(err) == "" {
			t.Errorf("%+v: got %v", n, err)
		}
	}
	if _, err := w.Setup(t.Context(), directory.New{Username: "alice", Password: password}); !errors.Is(err, authz.ErrConflict) || errors.Is(err, directory.ErrSetUp) {
		t.Errorf("a taken name: %v", err)
	}
	if !needsSetup(t, w) {
		t.Fatal("what was refused has set the server up")
	}
	if _, err := w.Setup(t.Context(), directory.New{Username: "root", Password: password}); err != nil {
		t.Error(err)
	}
}

func TestAnAdministratorFromTheCommandLineEndsTheSetup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, directory.New{Username: "alice"})
	if !needsSetup(t, w) {
		t.Error("a person who is no administrator has set the server up")
	}
	w.create(t, directory.New{Username: "root", Admin: true})
	w.create(t, directory.New{Username: "root2", Admin: true})
	if needsSetup(t, w) {
		t.Error("the setup link is still good")
	}
	if _, err := w.Setup(t.Context(), directory.New{Username: "mallory", Password: password}); !errors.Is(err, directory.ErrSetUp) {
		t.Errorf("got %v", err)
	}
}

func TestSetupToken(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), newWorld(t)
	token := w.SetupToken().Reveal()
	if len(token) < 43 || token != other.SetupToken().Reveal() {
		t.Errorf("replicas give %q and %q", token, other.SetupToken().Reveal())
	}
	for _, c := range []struct {
		token string
		want  bool
	}{{token, true}, {"", false}, {token[1:], false}, {token + "A", false}, {"[redacted]", false}} {
		if w.CheckSetupToken(c.token) != c.want {
			t.Errorf("%q: not %v", c.token, c.want)
		}
	}
	keyless := directory.NewService(directory.Config{})
	if keyless.CheckSetupToken("") || keyless.CheckSetupToken(keyless.SetupToken().Reveal()) {
		t.Error("without a key an empty token is good")
	}
}

// Who fills in a form is told all that is wrong with it at once, and what Setup would refuse.
func TestProblemsOfAPersonToBeMade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		new  directory.New
		want string
	}{
		"nothing":                          {directory.New{Username: "root", Email: "r@example.com", Name: "Ruth", Password: password}, ""},
		"no email and no name":             {directory.New{Username: "root", Password: password}, ""},
		"everything":                       {directory.New{Username: "a b", Email: "a@", Name: " A"}, "username email name"},
		"a username that is another's":     {directory.New{Username: "a@example.com", Email: "b@example.com"}, "username"},
		"the password is the username":     {directory.New{Username: "Correct-Horse", Password: "correct-horse"}, "password"},
		"the password is the only address": {directory.New{Username: "ruth@example.com", Password: "Ruth@example.com"}, "password"},
	} {
		var fields []string
		for _, one := range c.new.Problems() {
			fields = append(fields, one.Field)
		}
		if got := strings.Join(fields, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
