package login_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/login"
)

// step is some attempts in a row and what becomes of the last of them.
type step struct {
	later    time.Duration // that pass before
	times    int
	address  string // %d counts up through networks
	username string // %d counts up
	password authz.Secret
	device   bool // a browser in which alice has signed in before
	refused  bool
	slowed   bool
	wait     time.Duration // RetryAfter of a refusal
}

// perNetwork is how often each network of an attack from everywhere tries: too seldom to
// be refused by itself.
const perNetwork = login.NameBurst - 2

const wrong = authz.Secret("wrong password")

func TestThrottle(t *testing.T) {
	t.Parallel()
	home := step{address: "198.51.100.7", username: "alice", password: right, times: 1}
	atHome := func(change func(*step)) step { s := home; change(&s); return s }
	guess := func(times int, address string) step {
		return step{times: times, address: address, username: "alice", password: wrong}
	}
	refused := func(s step, wait time.Duration) step { s.refused, s.wait = true, wait; return s }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"mistyping is no crime", []step{guess(login.NameBurst-1, home.address), home}},
		{"who guesses at one name is refused", []step{
			guess(login.NameBurst, home.address), refused(home, login.NameRefill)}},
		{"and may try again after the time that was said", []step{
			guess(login.NameBurst, home.address), refused(guess(1, home.address), login.NameRefill),
			atHome(func(s *step) { s.later = login.NameRefill })}},
		{"a neighbour in the same /24 counts as the same", []step{
			guess(login.NameBurst, "198.51.100.200"), refused(home, login.NameRefill)}},
		{"so does one in the same /64", []step{
			guess(login.NameBurst, "2001:db8:1:2::1"),
			refused(guess(1, "2001:db8:1:2:ffff::9"), login.NameRefill),
			guess(1, "2001:db8:1:3::1")}},
		{"and an IPv4 address written as IPv6", []step{
			guess(login.NameBurst, "::ffff:198.51.100.9"), refused(home, login.NameRefill)}},
		{"the right password costs nothing", []step{
			atHome(func(s *step) { s.times = 5 * login.AddressBurst })}},
		{"who guesses at many names is refused", []step{
			{times: login.AddressBurst, address: home.address, username: "somebody%d", password: wrong},
			refused(home, login.AddressRefill)}},
		{"hammering one name does not spend the attempts of the whole address", []step{
			refused(guess(10*login.AddressBurst, home.address), login.NameRefill),
			{times: 1, address: home.address, username: "bob", password: right}}},
		{"unknown names are throttled alike", []step{
			{times: login.NameBurst, address: home.address, username: "mallory", password: wrong},
			{times: 1, address: home.address, username: "mallory", password: wrong, refused: true, wait: login.NameRefill}}},
		{"a username and its email address do not share, which would tell that they are one", []step{
			guess(login.NameBurst, home.address),
			atHome(func(s *step) { s.username = "alice@example.com" })}},
		{"an attack from everywhere slows, and refuses nobody", []step{
			func() step { s := guess(500, "10.%d.0.1"); s.slowed = true; return s }(),
			atHome(func(s *step) { s.slowed = true })}},
		{"it does not even slow a known device", []step{
			func() step { s := guess(500, "10.%d.0.1"); s.slowed = true; return s }(),
			atHome(func(s *step) { s.device = true })}},
		{"nor other names", []step{
			func() step { s := guess(500, "10.%d.0.1"); s.slowed = true; return s }(),
			{times: 1, address: home.address, username: "bob", password: right}}},
		{"a stranger at the same address cannot keep a known device out", []step{
			refused(guess(1000, home.address), login.NameRefill),
			refused(step{times: 1000, address: home.address, username: "x%d", password: wrong}, login.AddressRefill),
			atHome(func(s *step) { s.device = true })}},
		{"a known device guesses for itself", []step{
			func() step { s := guess(login.NameBurst, home.address); s.device = true; return s }(),
			refused(func() step { s := guess(1, "203.0.113.1"); s.device = true; return s }(), login.NameRefill),
			home}},
		{"a device of alice is a stranger's to bob", []step{
			{times: login.NameBurst, address: home.address, username: "bob", password: wrong, device: true},
			{times: 1, address: home.address, username: "bob", password: right, device: true, refused: true, wait: login.NameRefill}}},
		{"which does not help it to guess more", []step{
			{times: login.NameBurst, address: home.address, username: "bob", password: wrong},
			{times: 1, address: home.address, username: "bob", password: right, device: true, refused: true, wait: login.NameRefill},
			atHome(func(s *step) { s.device = true })}},
		{"what the address refuses does not count against the name", []step{
			{times: login.AddressBurst, address: home.address, username: "x%d", password: wrong},
			refused(guess(login.NameBurst, home.address), login.AddressRefill),
			func() step {
				s := guess(login.NameBurst-2, home.address)
				s.later = login.NameBurst * login.AddressRefill
				return s
			}(),
			home}},
		{"an attack ends", []step{
			func() step { s := guess(500, "10.%d.0.1"); s.slowed = true; return s }(),
			atHome(func(s *step) { s.later = login.AttackRefill })}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			alice := w.person(t, "alice", right)
			w.person(t, "bob", right)
			device := w.DeviceToken(alice.ID)
			for i, s := range c.steps {
				w.clock.Advance(s.later)
				err := w.run(t, s, device)
				checkStep(t, w, i, s, err)
			}
		})
	}
}

// run makes the attempts of a step and gives the outcome of the last.
func (w *world) run(t *testing.T, s step, device authz.Secret) (err error) {
	t.Helper()
	for n := range s.times {
		a := login.Attempt{Username: counted(s.username, n), Password: s.password}
		if s.device {
			a.Device = device
		}
		w.slowness()
		_, err = w.Password(from(t, counted(s.address, n/perNetwork)), a)
	}
	return err
}

func counted(pattern string, n int) string {
	return strings.ReplaceAll(pattern, "%d", strconv.Itoa(n))
}

func checkStep(t *testing.T, w *world, i int, s step, err error) {
	t.Helper()
	var throttled *login.ThrottledError
	switch {
	case s.refused:
		if !errors.As(err, &throttled) || throttled.RetryAfter != s.wait {
			t.Errorf("step %d: got %v, want a refusal for %s", i, err, s.wait)
		}
	case s.password == right:
		if err != nil {
			t.Errorf("step %d: the right password got %v", i, err)
		}
	case !errors.Is(err, login.ErrWrong):
		t.Errorf("step %d: got %v, want ErrWrong", i, err)
	}
	want := time.Duration(0)
	if s.slowed {
		want = login.Slowness
	}
	if got := w.slowness(); got != want {
		t.Errorf("step %d: slowed by %s, want %s", i, got, want)
	}
}
