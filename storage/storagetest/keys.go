package storagetest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testSigningKeys(ctx context.Context, t *testing.T, s store) {
	active, next := newKey("k1", authz.KeyActive), newKey("k2", authz.KeyNext)
	next.CreatedAt, next.PublicJWK = noon().Add(time.Second), json.RawMessage(`{"kty":"EC"}`)
	must(t, s.InsertSigningKey(ctx, next))
	must(t, s.InsertSigningKey(ctx, active))
	keys := func(what string, want ...authz.SigningKey) {
		t.Helper()
		got, err := s.SigningKeys(ctx)
		must(t, err)
		for i := range got {
			got[i].PublicJWK = compact(t, got[i].PublicJWK)
		}
		same(t, what, got, want)
	}
	keys("the oldest first", active, next)
	refused(t, "a second active key", s.InsertSigningKey(ctx, newKey("k9", authz.KeyActive)), authz.ErrConflict)
	refused(t, "a second next key", s.InsertSigningKey(ctx, newKey("k9", authz.KeyNext)), authz.ErrConflict)
	other := newKey("r1", authz.KeyActive)
	other.Alg, other.CreatedAt = authz.AlgRS256, noon().Add(time.Hour)
	must(t, s.InsertSigningKey(ctx, other))

	fresh := newKey("k3", authz.KeyNext)
	fresh.CreatedAt = noon().Add(2 * time.Second)
	rotated, end := noon().Add(time.Minute), noon().Add(time.Hour)
	for _, c := range []struct {
		name, old, next string
		fresh           authz.SigningKey
		want            error
	}{
		{"old is not active", "k2", "k2", fresh, authz.ErrNotFound},
		{"no such next", "k1", "k9", fresh, authz.ErrNotFound},
		{"next is of another state", "k1", "r1", fresh, authz.ErrNotFound},
		{"fresh is taken", "k1", "k2", newKey("r1", authz.KeyNext), authz.ErrConflict},
	} {
		err := s.RotateSigningKey(ctx, c.old, c.next, c.fresh, rotated, end)
		refused(t, "rotate, but "+c.name, err, c.want)
		keys("after refused rotation: "+c.name, active, next, other)
	}
	must(t, s.RotateSigningKey(ctx, "k1", "k2", fresh, rotated, end))
	active.State, active.RetiredAt, active.ExpiresAt = authz.KeyRetired, rotated, end
	next.State, next.ActivatedAt = authz.KeyActive, rotated
	keys("after the rotation", active, next, fresh, other)
	fourth := newKey("k4", authz.KeyNext)
	refused(t, "rotate once more", s.RotateSigningKey(ctx, "k1", "k2", fourth, rotated, end), authz.ErrNotFound)
	refused(t, "rotate a retired key", s.RotateSigningKey(ctx, "k1", "k3", fourth, rotated, end), authz.ErrNotFound)
	if s.InsertSigningKey(ctx, newKey("k5", "odd")) == nil {
		t.Error("a key is in a state that is none")
	}

	for _, c := range []struct {
		now  time.Time
		want int64
	}{{end, 0}, {end.Add(time.Microsecond), 1}, {end.Add(time.Hour), 0}} {
		n, err := s.DeleteExpiredKeys(ctx, c.now)
		must(t, err)
		same(t, "expired keys at "+c.now.String(), n, c.want)
	}
	keys("what is left", next, fresh, other)
	testWithdrawnKeys(ctx, t, s)
}

// testWithdrawnKeys goes on from k2, which is active, and k3, which is next.
func testWithdrawnKeys(ctx context.Context, t *testing.T, s store) {
	kids := func(what string, want ...string) {
		t.Helper()
		rows, err := s.SigningKeys(ctx)
		must(t, err)
		got := []string{}
		for _, k := range rows {
			got = append(got, k.KID+" "+string(k.State))
		}
		slices.Sort(got)
		same(t, what, got, want)
	}
	now := noon().Add(2 * time.Hour)
	must(t, s.RotateSigningKey(ctx, "k2", "k3", newKey("k4", authz.KeyNext), now, now.Add(time.Hour)))
	otherNext := newKey("r2", authz.KeyNext)
	otherNext.Alg = authz.AlgRS256
	must(t, s.InsertSigningKey(ctx, otherNext))
	third := newKey("r3", authz.KeyNext)
	third.Alg = authz.AlgRS256
	must(t, s.RotateSigningKey(ctx, "r1", "r2", third, now, now.Add(time.Hour)))
	before := []string{"k2 retired", "k3 active", "k4 next", "r1 retired", "r2 active", "r3 next"}
	for _, c := range []struct {
		name, old, next string
		fresh           authz.SigningKey
		want            error
	}{
		{"old is retired", "k2", "k4", newKey("k5", authz.KeyNext), authz.ErrNotFound},
		{"no such next", "k3", "k9", newKey("k5", authz.KeyNext), authz.ErrNotFound},
		{"fresh is taken", "k3", "k4", newKey("r1", authz.KeyNext), authz.ErrConflict},
	} {
		refused(t, "replace, but "+c.name, s.ReplaceSigningKey(ctx, c.old, c.next, c.fresh, now), c.want)
		kids("after refused replacement: "+c.name, before...)
	}
	must(t, s.ReplaceSigningKey(ctx, "k3", "k4", newKey("k5", authz.KeyNext), now))
	kids("after the replacement", "k4 active", "k5 next", "r1 retired", "r2 active", "r3 next")
}
