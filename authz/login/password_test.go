package login_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/storage/storagetest"
)

func TestPasswordTellsWhoSomebodyIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.person(t, "alice", right)
	w.person(t, "nopass", "")
	disabled := w.person(t, "gone", right)
	disabled.DisabledAt = w.clock.Now()
	if err := w.store.UpdateUser(t.Context(), disabled); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, username string
		password       authz.Secret
		ok             bool
		hashes         int64
		reason         string // in the audit log
	}{
		{"username", "alice", right, true, 1, ""},
		{"username in another case", " ALICE ", right, true, 1, ""},
		{"email address", "alice@example.com", right, true, 1, ""},
		{"wrong password", "alice", "correct horse batterx", false, 1, "wrong password"},
		{"password in another case", "alice", "Correct horse battery", false, 1, "wrong password"},
		{"password and more", "alice", right + " ", false, 1, "wrong password"},
		{"unknown user", "mallory", right, false, 1, "unknown user"},
		{"user without a password", "nopass", right, false, 1, "no password"},
		{"disabled user", "gone", right, false, 1, "account disabled"},
		{"disabled user, wrong password", "gone", "wrong password", false, 1, "wrong password"},
		{"no username", " ", right, false, 0, ""},
		{"no password", "alice", "", false, 0, ""},
		{"endless password", "alice", authz.Secret(strings.Repeat("a", login.MaxPassword+1)), false, 0, ""},
		{"endless username", strings.Repeat("a", 400), right, false, 0, ""},
		{"username that no database takes", "ali\x00ce", right, false, 0, ""},
		{"username that is no text", "ali\xffce", right, false, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.hashes.Store(0)
			before := len(w.events.Of(authz.EventLoginFailed))
			u, err := w.Password(from(t, "192.0.2.1"), login.Attempt{Username: c.username, Password: c.password})
			switch {
			case c.ok && (err != nil || u.ID != alice.ID):
				t.Errorf("got %v, %v", u, err)
			case !c.ok && (!errors.Is(err, login.ErrWrong) || u != nil):
				t.Errorf("got %v, %v; want ErrWrong", u, err)
			}
			if got := w.hashes.Load(); got != c.hashes {
				t.Errorf("computed %d hashes, want %d: the time would tell who exists", got, c.hashes)
			}
			failed := w.events.Of(authz.EventLoginFailed)[before:]
			if c.reason != "" && (len(failed) != 1 || failed[0].Detail["reason"] != c.reason) {
				t.Errorf("recorded %v, want the reason %q", failed, c.reason)
			}
		})
	}
}

func TestEveryRefusalHashesWithTheSameParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.person(t, "alice", right)
	var seen []login.Argon2Params
	w.WatchHashes(func(p login.Argon2Params, compute func() []byte) []byte {
		seen = append(seen, p)
		return compute()
	})
	for _, name := range []string{"alice", "mallory"} {
		if _, err := w.Password(t.Context(), login.Attempt{Username: name, Password: "wrong password"}); !errors.Is(err, login.ErrWrong) {
			t.Fatal(err)
		}
	}
	if len(seen) != 2 || seen[0] != cheap || seen[1] != cheap {
		t.Errorf("hashed with %v, want twice %v", seen, cheap)
	}
}

func TestNothingTypedIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.person(t, "alice", right)
	for _, a := range []login.Attempt{
		{Username: string(right), Password: "alice"}, // both in the wrong field
		{Username: "alice", Password: "mistyped secret"},
		{Username: "alice", Password: right},
	} {
		_, _ = w.Password(t.Context(), a)
	}
	text := fmt.Sprintf("%+v", w.events.All())
	for _, secret := range []string{string(right), "mistyped secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("the events hold %q: %s", secret, text)
		}
	}
}

func TestAnOutageIsNotARefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.person(t, "alice", right)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Password(ctx, login.Attempt{Username: "alice", Password: right})
	if err == nil || errors.Is(err, login.ErrWrong) {
		t.Errorf("got %v", err)
	}
	if err := w.store.SetPassword(t.Context(), authz.PasswordCredential{
		UserID: "usr_alice", Hash: "$argon2id$damaged", ChangedAt: w.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Password(t.Context(), login.Attempt{Username: "alice", Password: right})
	if err == nil || errors.Is(err, login.ErrWrong) {
		t.Errorf("of a damaged row: got %v", err)
	}
}

func TestLoginUpgradesTheHashWhenParametersChange(t *testing.T) {
	t.Parallel()
	store := storagetest.New(t)
	old := newWorldOn(t, store, cheap)
	old.person(t, "alice", right)
	dearer := login.Argon2Params{MemoryKiB: 128, Passes: 2, Parallelism: 1}
	w := newWorldOn(t, store, dearer)
	hash := func() string {
		_, h, err := store.UserWithPassword(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if _, err := w.Password(t.Context(), login.Attempt{Username: "alice", Password: "wrong password"}); !errors.Is(err, login.ErrWrong) {
		t.Fatal(err)
	}
	if !strings.Contains(hash(), "m=64,t=1,") {
		t.Fatalf("a wrong password changed what is stored: %s", hash())
	}
	for range 2 {
		if _, err := w.Password(t.Context(), login.Attempt{Username: "alice", Password: right}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(hash(), "m=128,t=2,") {
			t.Fatalf("not upgraded: %s", hash())
		}
	}
	if got := w.hashes.Load(); got != 4 { // wrong, right and upgrade, right
		t.Errorf("computed %d hashes, want 4", got)
	}
}

// asked is a context that tells when somebody is about to wait for its end.
type asked struct {
	context.Context
	once sync.Once
	tell func()
}

func (a *asked) Done() <-chan struct{} {
	a.once.Do(a.tell)
	return a.Context.Done()
}

func TestHashingIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const limit, parties = 2, 40 // limit is Config.Hashing
	var running, most atomic.Int64
	release := make(chan struct{})
	w.WatchHashes(func(_ login.Argon2Params, compute func() []byte) []byte {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer running.Add(-1)
		<-release
		return compute()
	})
	var waiting, all sync.WaitGroup
	waiting.Add(parties)
	var refused atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	for range parties {
		all.Go(func() {
			if _, err := w.Hash(&asked{Context: ctx, tell: waiting.Done}, right); errors.Is(err, context.Canceled) {
				refused.Add(1)
			}
		})
	}
	waiting.Wait()
	cancel()
	for refused.Load() < parties-limit { // who waits goes away; with no limit nobody waits
		if running.Load() > limit {
			break
		}
		runtime.Gosched()
	}
	close(release)
	all.Wait()
	if got := most.Load(); got > limit {
		t.Errorf("%d hashes ran at once, want %d at most", got, limit)
	}
	if got := refused.Load(); got < parties-limit {
		t.Errorf("%d went away while waiting, want %d", got, parties-limit)
	}
}

func TestNewRefusesWhatWouldNotHold(t *testing.T) {
	t.Parallel()
	good := login.Config{DeviceKey: bytes.Repeat([]byte{1}, 32), PerAddress: never{}, PerName: never{}, PerAccount: never{}, Random: rand.Reader}
	for name, change := range map[string]func(*login.Config){
		"too little memory": func(c *login.Config) { c.Params = login.Argon2Params{MemoryKiB: 1, Passes: 1, Parallelism: 1} },
		"too much memory":   func(c *login.Config) { c.Params = login.Argon2Params{MemoryKiB: 2 << 20, Passes: 1, Parallelism: 1} },
		"no passes":         func(c *login.Config) { c.Params = login.Argon2Params{MemoryKiB: 64, Parallelism: 1} },
		"short device key":  func(c *login.Config) { c.DeviceKey = c.DeviceKey[:31] },
		"no limiter":        func(c *login.Config) { c.PerAccount = nil },
		"negative hashing":  func(c *login.Config) { c.Hashing = -1 },
		"no randomness":     func(c *login.Config) { c.Random = strings.NewReader("") },
	} {
		c := good
		change(&c)
		if _, err := login.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := login.New(good); err != nil {
		t.Error(err)
	}
}

// never is a limiter that lets nobody through.
type never struct{}

func (never) Take(string) (bool, time.Duration) { return false, time.Second }
func (never) Give(string)                       {}

func BenchmarkHash(b *testing.B) {
	s, err := login.New(login.Config{
		DeviceKey: bytes.Repeat([]byte{1}, 32), PerAddress: never{}, PerName: never{}, PerAccount: never{}, Random: rand.Reader,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Hash(b.Context(), right); err != nil {
			b.Fatal(err)
		}
	}
}
