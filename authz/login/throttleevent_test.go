package login_test

import (
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/login"
)

func TestAFloodOfRefusalsIsNotAFloodOfEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.person(t, "alice", right)
	for range 5000 {
		_, _ = w.Password(from(t, "192.0.2.1"), login.Attempt{Username: "alice", Password: wrong})
	}
	if n := len(w.events.Of(authz.EventLoginThrottled)); n == 0 || n > login.AttackBurst {
		t.Errorf("%d events of refusals", n)
	}
	if n := w.hashes.Load(); n != login.NameBurst+login.ReserveBurst {
		t.Errorf("refused attempts were hashed: %d", n)
	}
}
