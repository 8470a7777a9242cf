package storagetest

import (
	"context"
	"encoding/json"
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
}
