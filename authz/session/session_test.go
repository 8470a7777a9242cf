package session_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/session"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// world is a session service on a real store, with a clock that stands still.
type world struct {
	*session.Service
	store  *storage.Store
	clock  authztest.Clock
	events authztest.Events
}

func newWorld(t *testing.T, options ...storage.Option) *world {
	t.Helper()
	return newWorldOn(storagetest.New(t, options...))
}

func newWorldOn(store *storage.Store) *world {
	w := &world{store: store}
	w.Service = session.New(session.Config{
		Store: store, Audit: &w.events, Idle: time.Hour, Absolute: 24 * time.Hour, Now: w.clock.Now, Random: rand.Reader,
	})
	return w
}

func (w *world) kinds() (out []string) {
	for _, e := range w.events.All() {
		out = append(out, e.Kind)
	}
	return out
}

func (w *world) person(t *testing.T, username string) *authz.User {
	t.Helper()
	u := &authz.User{
		ID: authz.PrefixUser + username, Username: username, Roles: []string{},
		CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(), Version: 1,
	}
	if err := w.store.InsertUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return u
}

func (w *world) begin(t *testing.T, u *authz.User) (*authz.Session, string) {
	t.Helper()
	ctx := authz.WithOrigin(t.Context(), authz.Origin{Address: "192.0.2.1", UserAgent: "Firefox"})
	v, cookie, err := w.Begin(ctx, u, []string{"pwd"})
	if err != nil {
		t.Fatal(err)
	}
	return v, cookie.Reveal()
}

func (w *world) live(t *testing.T, cookie string) bool {
	t.Helper()
	_, _, err := w.Find(t.Context(), cookie)
	if err != nil && !errors.Is(err, authz.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestBeginAndFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.person(t, "alice")
	began, cookie := w.begin(t, alice)
	found, user, err := w.Find(t.Context(), cookie)
	if err != nil {
		t.Fatal(err)
	}
	if user.ID != alice.ID || found.ID != began.ID || found.UserID != alice.ID {
		t.Errorf("found %+v of %+v", found, user)
	}
	if !found.AuthTime.Equal(w.clock.Now()) || strings.Join(found.AMR, " ") != "pwd" || found.ACR != authz.ACROneFactor ||
		found.UserAgent != "Firefox" || found.Address != "192.0.2.1" {
		t.Errorf("found %+v", found)
	}
	if strings.Contains(cookie, string(found.SecretHash)) {
		t.Error("what is stored is what is sent")
	}
}

func TestFindRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.person(t, "alice")
	_, cookie := w.begin(t, alice)
	_, other := w.begin(t, alice)
	id, secret, _ := strings.Cut(cookie, ".")
	otherID, otherSecret, _ := strings.Cut(other, ".")
	for name, cookie := range map[string]string{
		"nothing":                       "",
		"an id alone":                   id,
		"an id and no secret":           id + ".",
		"a secret alone":                "." + secret,
		"the secret of another session": id + "." + otherSecret,
		"the id of another session":     otherID + "." + secret,
		"a secret with a wrong sum":     id + "." + secret[:len(secret)-1] + "!",
		"more than a secret":            cookie + "x",
		"an unknown id":                 "ses_aaaaaaaaaaaaaaaaaaaaaaaaaa." + secret,
		"an endless id":                 "ses_" + strings.Repeat("a", 1<<16) + "." + secret,
		"an id that no database takes":  "ses_\x00." + secret,
		"an id that is no text":         "ses_\xff." + secret,
	} {
		if _, _, err := w.Find(t.Context(), cookie); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, idle := w.begin(t, w.person(t, "alice"))
	_, used := w.begin(t, w.person(t, "bob"))
	for range 23 { // hours, used every half of one
		for range 2 {
			w.clock.Advance(30 * time.Minute)
			if !w.live(t, used) {
				t.Fatal("a session in use has ended")
			}
		}
	}
	if w.live(t, idle) {
		t.Error("an idle session lives")
	}
	w.clock.Advance(time.Hour)
	if w.live(t, used) {
		t.Error("a session in use lives for ever")
	}
}

func TestFindWritesOnceAMinute(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	writes := 0
	w := newWorld(t, storage.WithStatementCounter(func(statement string) {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(statement, "UPDATE sessions") {
			writes++
		}
	}))
	_, cookie := w.begin(t, w.person(t, "alice"))
	for range 122 { // a little more than two minutes
		w.clock.Advance(time.Second)
		if !w.live(t, cookie) {
			t.Fatal("ended")
		}
	}
	if writes != 2 {
		t.Errorf("wrote %d times in two minutes", writes)
	}
	found, _, err := w.Find(t.Context(), cookie)
	if err != nil || !found.LastSeenAt.Equal(w.clock.Now()) {
		t.Errorf("last seen %s, %v; want %s", found.LastSeenAt, err, w.clock.Now())
	}
}

func TestReplaceEndsTheOldSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storage.WithMaxConns(1))
	alice, bob := w.person(t, "alice"), w.person(t, "bob")
	old, oldCookie := w.begin(t, alice)
	v, cookie, err := w.Replace(t.Context(), old, bob, []string{"pwd"})
	if err != nil {
		t.Fatal(err)
	}
	if v.ID == old.ID || w.live(t, oldCookie) || !w.live(t, cookie.Reveal()) {
		t.Error("the old session lives, or the new one does not")
	}
	if _, _, err := w.Replace(t.Context(), old, bob, nil); err != nil {
		t.Errorf("in place of a session that is gone: %v", err)
	}
}

func TestALoginDoesNotOutrunAChangeOfTheAccount(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorldOn(open())
		for name, change := range map[string]func(*authz.User){
			"changed":  func(*authz.User) {},
			"disabled": func(u *authz.User) { u.DisabledAt = w.clock.Now() },
		} {
			u := w.person(t, name)
			asRead := *u
			old, cookie := w.begin(t, u)
			change(u)
			if err := w.store.UpdateUser(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			if _, _, err := w.Begin(t.Context(), &asRead, nil); !errors.Is(err, authz.ErrStale) {
				t.Errorf("%s: Begin gave %v", name, err)
			}
			if _, _, err := w.Replace(t.Context(), old, &asRead, nil); !errors.Is(err, authz.ErrStale) {
				t.Errorf("%s: Replace gave %v", name, err)
			}
			if name == "changed" && !w.live(t, cookie) {
				t.Errorf("%s: the session that was to be replaced ended", name)
			}
			if name == "disabled" && w.live(t, cookie) {
				t.Errorf("%s: the session lives", name)
			}
		}
	})
}

func TestListAndEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, bob := w.person(t, "alice"), w.person(t, "bob")
	one, oneCookie := w.begin(t, alice)
	_, twoCookie := w.begin(t, alice)
	_, threeCookie := w.begin(t, alice)
	others, bobCookie := w.begin(t, bob)
	if list, err := w.List(t.Context(), alice.ID); err != nil || len(list) != 3 {
		t.Fatalf("listed %d, %v", len(list), err)
	}
	if err := w.End(t.Context(), alice.ID, others.ID); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("ended somebody else's session: %v", err)
	}
	for _, id := range []string{"", "ses_\x00", "ses_\xff", strings.Repeat("a", 1000)} {
		if err := w.End(t.Context(), alice.ID, id); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("End(%q) gave %v", id, err)
		}
	}
	if n, err := w.EndOthers(t.Context(), alice.ID, one.ID); err != nil || n != 2 {
		t.Errorf("ended %d others, %v", n, err)
	}
	if !w.live(t, oneCookie) || w.live(t, twoCookie) || w.live(t, threeCookie) || !w.live(t, bobCookie) {
		t.Error("the wrong sessions ended")
	}
	signedIn := authz.WithSession(t.Context(), one, alice)
	if err := w.End(signedIn, alice.ID, one.ID); err != nil || w.live(t, oneCookie) {
		t.Errorf("not ended: %v", err)
	}
	want := authz.EventSessionEnded + " " + authz.EventLogout
	if got := strings.Join(w.kinds(), " "); got != want {
		t.Errorf("recorded %s, want %s", got, want)
	}
}

func TestStrangersWordsAreStorable(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorldOn(open())
		ctx := authz.WithOrigin(t.Context(), authz.Origin{UserAgent: "a\x00b\xff" + strings.Repeat("ö", 5000)})
		_, cookie, err := w.Begin(ctx, w.person(t, "alice"), []string{"pwd"})
		if err != nil {
			t.Fatal(err)
		}
		found, _, err := w.Find(t.Context(), cookie.Reveal())
		if err != nil || !strings.HasPrefix(found.UserAgent, "a\uFFFDb\uFFFD") || len(found.UserAgent) > 600 {
			t.Errorf("found %d bytes, %v", len(found.UserAgent), err)
		}
	})
}

func TestNoiseCostsNoStatement(t *testing.T) {
	t.Parallel()
	statements := 0
	w := newWorld(t, storage.WithStatementCounter(func(string) { statements++ }))
	_, cookie := w.begin(t, w.person(t, "alice"))
	statements = 0
	for _, noise := range []string{"", "x", cookie[:len(cookie)-1], cookie[:len(cookie)-1] + "!", "x" + cookie} {
		if w.live(t, noise) {
			t.Errorf("%q is a session", noise)
		}
	}
	if statements != 0 {
		t.Errorf("noise ran %d statements", statements)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("ses_a.b")
	f.Add("ses_aaaaaaaaaaaaaaaaaaaaaaaaaa.0000000000000000000000000000000000000000000000000")
	f.Add(".")
	w := newWorldOn(storagetest.New(f))
	f.Fuzz(func(t *testing.T, cookie string) {
		if _, _, err := w.Find(t.Context(), cookie); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("%q: got %v", cookie, err)
		}
	})
}
