package apitoken_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestRevoke(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		v, _ := w.create(w.good())
		if err := w.service.Revoke(ctx, w.bob.ID, v.ID); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("somebody else's token: %v, want not found", err)
		}
		for range 2 {
			if err := w.service.Revoke(ctx, w.alice.ID, v.ID); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.stored(v.ID); got.RevokeReason != authz.RevokedByUser {
			t.Errorf("revoked because %q", got.RevokeReason)
		}
		recorded := w.events.Of(authz.EventAPITokenRevoked)
		if len(recorded) != 1 || recorded[0].Detail["token"] != v.ID || recorded[0].UserID != w.alice.ID {
			t.Errorf("recorded %+v, want one event", recorded)
		}
		set, err := w.store.RevokedStatusIndexes(ctx, 0, authz.StatusListSize, w.clock.Now())
		if err != nil || !slices.Equal(set, []int64{v.StatusIndex}) {
			t.Errorf("the status lists say %v, %v", set, err)
		}
	})
}

func TestAdministratorRevokesAnybodysToken(t *testing.T) {
	t.Parallel()
	w := alone(t)
	v, _ := w.create(w.good())
	if err := w.service.Revoke(context.Background(), "", v.ID); err != nil {
		t.Fatal(err)
	}
	if got := w.stored(v.ID); got.RevokeReason != authz.RevokedByAdmin {
		t.Errorf("revoked because %q", got.RevokeReason)
	}
}

func TestRevokeOfNoTokenTakesNoStatement(t *testing.T) {
	t.Parallel()
	w := alone(t)
	n := w.counting(func() {
		for _, id := range []string{"", "tok_", "usr_alice", "tok_" + "0123456789012345678901234!", "sgp_abc"} {
			if err := w.service.Revoke(context.Background(), w.alice.ID, id); !errors.Is(err, authz.ErrNotFound) {
				t.Errorf("%q: %v, want not found", id, err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%d statements, want none", n)
	}
	if err := w.service.Revoke(context.Background(), w.alice.ID, authz.APITokenID(make([]byte, 32))); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("unknown token: %v, want not found", err)
	}
}

func TestLeakedTokensAreRevoked(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		leaked, token := w.create(w.good())
		gone, goneToken := w.create(w.good())
		kept, _ := w.create(w.good())
		if err := w.service.Revoke(ctx, w.alice.ID, gone.ID); err != nil {
			t.Fatal(err)
		}
		other := alone(t)
		_, unknown := other.create(other.good())
		report := []string{" " + token + "\r\n", token, goneToken, unknown, "hello", ""}
		for range 2 {
			if err := w.service.Leaked(ctx, report); err != nil {
				t.Fatal(err)
			}
		}
		for id, want := range map[string]string{leaked.ID: authz.RevokedLeaked, gone.ID: authz.RevokedByUser, kept.ID: ""} {
			if got := w.stored(id); got.RevokeReason != want {
				t.Errorf("revoked because %q, want %q", got.RevokeReason, want)
			}
		}
		recorded := w.events.Of(authz.EventAPITokenLeaked)
		if len(recorded) != 1 || recorded[0].Detail["token"] != leaked.ID || recorded[0].UserID != w.alice.ID {
			t.Errorf("recorded %+v, want one event", recorded)
		}
		all, err := w.service.List(ctx, w.alice.ID)
		if err != nil || !slices.ContainsFunc(all, func(v *authz.APIToken) bool { return v.RevokeReason == authz.RevokedLeaked }) {
			t.Errorf("the owner does not see it; %v", err)
		}
	})
}

func TestReportOfTooManyLeakedTokens(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.create(w.good())
	n := w.counting(func() {
		err := w.service.Leaked(context.Background(), slices.Repeat([]string{token}, 101))
		var invalid *authz.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "tokens" {
			t.Errorf("error %v", err)
		}
	})
	if n != 0 {
		t.Errorf("%d statements, want none", n)
	}
}

// However many tokens a report has, one statement looks for them: noise costs no more.
func TestOneStatementLooksForAllLeakedTokens(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		report := make([]string, 100)
		for i := range report {
			secret, err := authz.NewSecret(authz.PrefixAPIToken, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			report[i] = secret.Reveal()
		}
		look := func() int64 {
			return w.counting(func() {
				if err := w.service.Leaked(context.Background(), report); err != nil {
					t.Fatal(err)
				}
			})
		}
		if n := look(); n != 1 {
			t.Errorf("%d statements for a hundred tokens that nobody has, want 1", n)
		}
		var ids []string
		for _, at := range []int{0, 57, 99} {
			v, token := w.create(w.good())
			report[at], ids = token, append(ids, v.ID)
		}
		look()
		for _, id := range ids {
			if w.live(id) {
				t.Errorf("%s goes on", id)
			}
		}
		if e := w.events.Of(authz.EventAPITokenLeaked); len(e) != len(ids) {
			t.Errorf("recorded %+v", e)
		}
		if n := look(); n != 1 {
			t.Errorf("%d statements for what is revoked already, want 1", n)
		}
	})
}

func TestListShowsWhatEndedWithinThirtyDays(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		v, _ := w.create(w.good())
		for _, c := range []struct {
			days int
			seen bool
		}{{29, true}, {30, true}, {59, true}, {61, false}} {
			now := v.CreatedAt.AddDate(0, 0, c.days)
			w.clock.Advance(now.Sub(w.clock.Now()))
			all, err := w.service.List(ctx, w.alice.ID)
			if err != nil || (len(all) == 1) != c.seen {
				t.Errorf("after %d days %d tokens are listed, %v", c.days, len(all), err)
			}
		}
		if all, err := w.service.List(ctx, w.bob.ID); err != nil || len(all) != 0 {
			t.Errorf("bob sees %d tokens, %v", len(all), err)
		}
	})
}

func TestAllPagesThroughEverybodysTokens(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		for range 5 {
			w.create(w.good())
		}
		if _, _, err := w.service.Create(ctx, w.bob, w.good()); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for after := ""; ; {
			page, err := w.service.All(ctx, after, 4)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, v := range page {
				seen[v.ID] = true
			}
			after = page[len(page)-1].ID
		}
		if len(seen) != 6 {
			t.Errorf("saw %d tokens, want 6", len(seen))
		}
		var invalid *authz.InvalidError
		if _, err := w.service.All(ctx, "usr_alice", 4); !errors.As(err, &invalid) {
			t.Errorf("error %v", err)
		}
	})
}
