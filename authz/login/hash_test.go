package login_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/login"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		password authz.Secret
		ok       bool
	}{
		{"eight characters", "12345678", true},
		{"eight characters of several bytes", "öäüöäüöä", true},
		{"a sentence with spaces", "correct horse battery staple", true},
		{"the longest", authz.Secret(strings.Repeat("a", login.MaxPassword)), true},
		{"seven characters", "1234567", false},
		{"seven characters of several bytes", "öäüöäüö", false},
		{"empty", "", false},
		{"too long", authz.Secret(strings.Repeat("a", login.MaxPassword+1)), false},
		{"the end of a line", "correct horse\n", false},
		{"zero byte", "correct\x00horse", false},
		{"no text", "correct\xffhorse", false},
	} {
		err := login.CheckPassword(c.password)
		var invalid *authz.InvalidError
		if c.ok != (err == nil) || err != nil && (!errors.As(err, &invalid) || invalid.Field != "password") {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestSetPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.person(t, "alice", right)
	if err := w.SetPassword(t.Context(), alice.ID, "short"); err == nil {
		t.Error("a short password was taken")
	}
	if err := w.SetPassword(t.Context(), alice.ID, "another horse"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Password(t.Context(), login.Attempt{Username: "alice", Password: right}); !errors.Is(err, login.ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := w.Password(t.Context(), login.Attempt{Username: "alice", Password: "another horse"}); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if n := len(w.events.Of(authz.EventPasswordChanged)); n != 2 {
		t.Errorf("recorded %d changes, want 2", n)
	}
}

func TestHashesOfOnePasswordDiffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, err := w.Hash(t.Context(), right)
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.Hash(t.Context(), right)
	if err != nil || one == other {
		t.Errorf("twice %s, %v", one, err)
	}
}

// The value is of the reference implementation's test suite, so that passwords of another
// program can be brought along, and ours taken elsewhere.
func TestArgon2idOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.person(t, "alice", "")
	if err := w.store.SetPassword(t.Context(), authz.PasswordCredential{
		UserID: alice.ID, ChangedAt: w.clock.Now(),
		Hash: "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Password(t.Context(), login.Attempt{Username: "alice", Password: "password"}); err != nil {
		t.Error(err)
	}
}

func FuzzDigest(f *testing.F) {
	const good = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	f.Add(good)
	for _, bad := range []string{
		"", "$", "$$$$$", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=65536", "m=4294967295", 1), strings.Replace(good, "t=2", "t=02", 1),
		strings.Replace(good, "p=1", "p=0", 1), strings.Replace(good, "p=1", "p=1,keyid=x", 1),
		good + "=", good + "$", strings.TrimSuffix(good, "c"), strings.Replace(good, "c29tZXNhbHQ", "", 1),
		"$2b$12$abcdefghijklmnopqrstuuKqZ1yQ0Y8Qd2m0VbQv6b3F5q2mZ7e1G",
	} {
		f.Add(bad)
		if _, err := login.ReadDigest(bad); err == nil {
			f.Errorf("read %q", bad)
		}
	}
	if _, err := login.ReadDigest(good); err != nil {
		f.Errorf("read %q: %v", good, err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if written, err := login.ReadDigest(s); err == nil && written != s {
			t.Errorf("read %q as %q: one digest has two spellings", s, written)
		}
	})
}
