package login_test

import (
	"errors"
	"fmt"
	"slices"
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
	drawn    bool          // it goes on by the reserve
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
	drawn := func(s step) step { s.drawn = true; return s }
	onDevice := func(s step) step { s.device = true; return s }
	attack := guess(500, "10.%d.0.1")
	attack.slowed = true
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"mistyping is no crime", []step{guess(login.NameBurst-1, home.address), home}},
		{"who guesses at one name goes on by the reserve", []step{
			guess(login.NameBurst, home.address), drawn(guess(1, home.address)), refused(home, login.ReserveRefill)}},
		{"in which the right password gets through", []step{guess(login.NameBurst, home.address), drawn(home)}},
		{"and which is there again after the time that was said", []step{
			guess(login.NameBurst, home.address), drawn(guess(1, home.address)), refused(home, login.ReserveRefill),
			atHome(func(s *step) { s.later, s.drawn = login.ReserveRefill, true })}},
		{"a neighbour in the same /24 is a stranger", []step{refused(guess(1000, "198.51.100.200"), login.ReserveRefill), home}},
		{"one in the same /64 is not", []step{
			drawn(guess(login.NameBurst+1, "2001:db8:1:2::1")),
			refused(guess(1, "2001:db8:1:2:ffff::9"), login.ReserveRefill),
			guess(1, "2001:db8:1:3::1")}},
		{"nor is an IPv4 address written as IPv6", []step{
			drawn(guess(login.NameBurst+1, "::ffff:198.51.100.7")), refused(home, login.ReserveRefill)}},
		{"the right password costs nothing", []step{
			atHome(func(s *step) { s.times = 5 * login.AddressBurst })}},
		{"not even of the reserve", []step{
			guess(login.NameBurst, home.address), atHome(func(s *step) { s.times, s.drawn = 5, true })}},
		{"who guesses at many names is refused", []step{
			drawn(step{times: login.AddressBurst + 1, address: home.address, username: "somebody%d", password: wrong}),
			refused(home, login.AddressRefill)}},
		{"hammering one name does not spend the attempts of the whole address", []step{
			refused(guess(10*login.AddressBurst, home.address), login.ReserveRefill),
			{times: 1, address: home.address, username: "bob", password: right}}},
		{"an attack from everywhere slows, and refuses nobody", []step{attack, atHome(func(s *step) { s.slowed = true })}},
		{"it does not even slow a known device", []step{attack, onDevice(home)}},
		{"nor other names", []step{attack, {times: 1, address: home.address, username: "bob", password: right}}},
		{"a stranger at the same address cannot keep a known device out", []step{
			refused(guess(1000, home.address), login.ReserveRefill),
			refused(step{times: 1000, address: home.address, username: "x%d", password: wrong}, login.AddressRefill),
			onDevice(home)}},
		{"a known device guesses for itself", []step{
			onDevice(guess(login.NameBurst, home.address)),
			onDevice(drawn(guess(1, home.address))),
			onDevice(refused(guess(1, "203.0.113.1"), login.ReserveRefill)),
			home}},
		{"a device of alice is a stranger's to bob", []step{
			drawn(step{times: login.NameBurst + 1, address: home.address, username: "bob", password: wrong, device: true}),
			{times: 1, address: home.address, username: "bob", password: right, device: true, refused: true, wait: login.ReserveRefill}}},
		{"which does not help it to guess more", []step{
			drawn(step{times: login.NameBurst + 1, address: home.address, username: "bob", password: wrong}),
			{times: 1, address: home.address, username: "bob", password: right, device: true, refused: true, wait: login.ReserveRefill},
			onDevice(home)}},
		{"what the address refuses does not count against the name", []step{
			drawn(step{times: login.AddressBurst + 1, address: home.address, username: "x%d", password: wrong}),
			refused(guess(login.NameBurst, home.address), login.AddressRefill),
			func() step {
				s := guess(login.NameBurst-2, home.address)
				s.later = login.NameBurst * login.AddressRefill
				return s
			}(),
			home}},
		{"an attack ends", []step{attack, atHome(func(s *step) { s.later = login.AttackRefill })}},
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
		want += login.Slowness
	}
	if s.drawn {
		want += login.Draw
	}
	if got := w.slowness(); got != want {
		t.Errorf("step %d: waited for %s, want %s", i, got, want)
	}
}

// A username and the email address of the same person have what any two names have: their
// own attempts, and together with all others of the address the reserve. What one sees of
// it tells nothing.
func TestWhatNamesShareDoesNotTellWhoseTheyAre(t *testing.T) {
	t.Parallel()
	var first []string
	for _, other := range []string{"alice@example.com", "bob", "bob@example.com", "nobody", "nobody@example.com"} {
		w := newWorld(t)
		w.person(t, "alice", right)
		w.person(t, "bob", right)
		var seen []string
		for n := range 6 * login.NameBurst {
			w.slowness()
			username := "alice"
			if n/login.NameBurst%2 == 1 {
				username = other
			}
			_, err := w.Password(from(t, "198.51.100.7"), login.Attempt{Username: username, Password: wrong})
			seen = append(seen, fmt.Sprintf("%v after %s", err, w.slowness()))
			w.clock.Advance(time.Second)
		}
		if first == nil {
			first = seen
		}
		if !slices.Equal(seen, first) {
			t.Errorf("%s is answered otherwise:\n%s\n%s", other, strings.Join(seen, "\n"), strings.Join(first, "\n"))
		}
	}
}

// Who tries for hours at one person from one address, by all their names, has one attempt in
// 30 seconds looked at, and per name one in five minutes: some 3000 in a day.
func TestGuessingForHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.person(t, "alice", right)
	const hours, every = 2 * time.Hour, 10 * time.Second
	for range int(hours / every) {
		for _, username := range []string{"alice", "alice@example.com"} {
			_, err := w.Password(from(t, "198.51.100.7"), login.Attempt{Username: username, Password: wrong})
			if throttled := new(login.ThrottledError); !errors.Is(err, login.ErrWrong) && !errors.As(err, &throttled) {
				t.Fatal(err)
			}
		}
		w.clock.Advance(every)
	}
	reserve, own := int64(hours/login.ReserveRefill), int64(login.NameBurst+hours/login.NameRefill)
	if n := w.hashes.Load(); n < reserve || n > reserve+2*own {
		t.Errorf("%d attempts were looked at, want between %d and %d", n, reserve, reserve+2*own)
	}
}
