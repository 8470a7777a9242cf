package keys_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/keys"
)

// A key that is stolen, and those retired before it, vouch for nothing any more.
func TestWithdrawal(t *testing.T) {
	t.Parallel()
	store, clk, audit := newStore(t), &authztest.Clock{}, &authztest.Events{}
	with := func(c *keys.Config) { c.Now, c.Audit = clk.Now, audit }
	ring, replica := openRing(t, store, with), openRing(t, store, with)
	const alg = authz.AlgES256
	retired, other := sign(t, ring, alg), sign(t, ring, authz.AlgEdDSA)
	if err := ring.Rotate(t.Context(), alg, true); err != nil {
		t.Fatal(err)
	}
	stolen := inState(t, ring, alg, authz.KeyActive)
	active, next := sign(t, ring, alg), inState(t, ring, alg, authz.KeyNext)

	if err := ring.Withdraw(t.Context(), alg); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the stolen key": active, "a key retired before": retired} {
		if _, _, err := ring.Verify(token); !errors.Is(err, keys.ErrInvalid) {
			t.Errorf("a token of %s: %v, want ErrInvalid", name, err)
		}
	}
	if strings.Contains(jwks(ring), stolen) || strings.Contains(jwks(ring), kid(retired)) {
		t.Errorf("published: %s", jwks(ring))
	}
	if got := state(ring, alg); inState(t, ring, alg, authz.KeyActive) != next || got[authz.KeyNext] != 1 || got[authz.KeyRetired] != 0 {
		t.Errorf("keys %v", ring.List())
	}
	if _, _, err := ring.Verify(other); err != nil {
		t.Errorf("a token of another algorithm: %v", err)
	}
	if err := replica.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if jwks(replica) != jwks(ring) {
		t.Errorf("a replica publishes %s", jwks(replica))
	}
	if e := audit.Last(); e.Kind != authz.EventKeyRotated || !strings.Contains(e.Detail["withdrawn"], stolen) || e.Detail["active"] != next {
		t.Errorf("event %+v", e)
	}

	// Twice replaces the next key too, and all algorithms are withdrawn without a name.
	for range 2 {
		if err := ring.Withdraw(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, alg := range ring.Algorithms() {
		if got := state(ring, alg); got[authz.KeyActive] != 1 || got[authz.KeyNext] != 1 || got[authz.KeyRetired] != 0 {
			t.Errorf("%s has %v", alg, got)
		}
	}
	if strings.Contains(jwks(ring), next) || strings.Contains(jwks(ring), kid(other)) {
		t.Errorf("published after two more: %s", jwks(ring))
	}
	if err := ring.Withdraw(t.Context(), authz.AlgPS256); err == nil {
		t.Error("withdrew the key of an algorithm that has none")
	}
}

// Whoever rotates at the same moment only retires the stolen key; it must go all the same.
func TestAWithdrawalThatIsOvertakenStillWithdraws(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	var audit authztest.Events
	quick := openRing(t, store, nil)
	slow := openRing(t, &overtaken{store, quick}, func(c *keys.Config) { c.Audit = &audit })
	stolen := sign(t, slow, authz.AlgES256)
	if err := slow.Withdraw(t.Context(), authz.AlgES256); err != nil {
		t.Fatal(err)
	}
	if _, _, err := slow.Verify(stolen); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("Verify = %v, want ErrInvalid", err)
	}
	if n := len(audit.All()); n != 1 {
		t.Errorf("%d events, want that of the withdrawal that came through", n)
	}
}

// overtaken is a store that another ring rotates just before the first withdrawal.
type overtaken struct {
	keys.Store
	quick *keys.Ring
}

func (o *overtaken) ReplaceSigningKey(ctx context.Context, old, next string, fresh authz.SigningKey, now time.Time) error {
	if quick := o.quick; quick != nil {
		o.quick = nil
		if err := quick.Rotate(ctx, authz.AlgES256, true); err != nil {
			return err
		}
	}
	return o.Store.ReplaceSigningKey(ctx, old, next, fresh, now)
}
