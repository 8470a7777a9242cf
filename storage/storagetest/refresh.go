package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// addRedeemed lays out a grant whose first refresh token is live.
func addRedeemed(ctx context.Context, t *testing.T, s store, id string) *authz.Grant {
	t.Helper()
	g := addGrant(ctx, t, s, id)
	_, err := s.RedeemCode(ctx, claimOf(g))
	must(t, err)
	return g
}

func testUseRefresh(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	g := addRedeemed(ctx, t, s, "rotated")
	first := rotationOf(g, 1)
	got, err := s.UseRefresh(ctx, first)
	must(t, err)
	if got.RefreshSeq != 2 || !got.RefreshRotatedAt.Equal(first.Now) || !got.LastUsedAt.Equal(first.Now) ||
		!got.RefreshExpiresAt.Equal(first.RefreshExpiresAt) || !got.ExpiresAt.Equal(claimOf(g).ExpiresAt) {
		t.Errorf("after the rotation: %+v", got.Grant)
	}
	same(t, "roles of its person", got.UserRoles, []string{"user"})

	// A retry inside of the window gets the same successor, and does not move the window.
	retry := rotationOf(g, 1)
	retry.Now = first.Now.Add(9 * time.Second)
	retry.GraceSince = retry.Now.Add(-10 * time.Second)
	got, err = s.UseRefresh(ctx, retry)
	must(t, err)
	if got.RefreshSeq != 2 || !got.RefreshRotatedAt.Equal(first.Now) {
		t.Errorf("after the retry: %+v", got.Grant)
	}
	late := retry
	late.Now = first.Now.Add(10 * time.Second)
	late.GraceSince = first.Now
	_, err = s.UseRefresh(ctx, late)
	refused(t, "retry when the window has closed", err, authz.ErrNotFound)

	second := rotationOf(g, 2)
	second.Now = first.Now.Add(2 * time.Second)
	_, err = s.UseRefresh(ctx, second)
	must(t, err)
	_, err = s.UseRefresh(ctx, first)
	refused(t, "the first token when the second was used", err, authz.ErrNotFound)
	testRefreshReuse(ctx, t, s, g)
	testKeptRefresh(ctx, t, s)
}

// testRefreshReuse finds a grant whose live token is the third.
func testRefreshReuse(ctx context.Context, t *testing.T, s store, g *authz.Grant) {
	t.Helper()
	before := s.dump(ctx, t, "grants")
	refused(t, "reuse of the live token", s.RevokeReusedRefresh(ctx, g.ID, "app", 3, noon()), authz.ErrNotFound)
	refused(t, "reuse of one to come", s.RevokeReusedRefresh(ctx, g.ID, "app", 4, noon()), authz.ErrNotFound)
	refused(t, "reuse by another client", s.RevokeReusedRefresh(ctx, g.ID, "mail", 2, noon()), authz.ErrNotFound)
	refused(t, "reuse of a missing grant", s.RevokeReusedRefresh(ctx, "none", "app", 1, noon()), authz.ErrNotFound)
	same(t, "the table after refusals", s.dump(ctx, t, "grants"), before)
	must(t, s.RevokeReusedRefresh(ctx, g.ID, "app", 2, noon()))
	refused(t, "reuse told twice", s.RevokeReusedRefresh(ctx, g.ID, "app", 2, noon()), authz.ErrNotFound)
	_, err := s.UseRefresh(ctx, rotationOf(g, 3))
	refused(t, "the live token after reuse", err, authz.ErrNotFound)
}

func testKeptRefresh(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	g := addRedeemed(ctx, t, s, "kept")
	claim := rotationOf(g, 1)
	claim.Rotate = false
	for n := range 2 {
		claim.Now = claim.Now.Add(time.Minute)
		claim.RefreshExpiresAt = claim.RefreshExpiresAt.Add(time.Minute)
		got, err := s.UseRefresh(ctx, claim)
		must(t, err)
		if got.RefreshSeq != 1 || !got.LastUsedAt.Equal(claim.Now) || !got.RefreshExpiresAt.Equal(claim.RefreshExpiresAt) ||
			!got.RefreshRotatedAt.Equal(claimOf(g).Now) {
			t.Errorf("use %d of a kept token: %+v", n+1, got.Grant)
		}
		same(t, "roles of its person", got.UserRoles, []string{"user"})
	}
}

// testRefusedRefresh makes one thing wrong at a time, for a token that is rotated and for
// one that is kept. Nothing may change, and the right claim must work afterwards.
func testRefusedRefresh(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertClient(ctx, newClient("mail")))
	for _, c := range []struct {
		name  string
		wrong func(*authz.RefreshClaim)
	}{
		{"another grant", func(c *authz.RefreshClaim) { c.GrantID = "none" }},
		{"another client", func(c *authz.RefreshClaim) { c.ClientID = "mail" }},
		{"no client", func(c *authz.RefreshClaim) { c.ClientID = "" }},
		{"client with a NUL", func(c *authz.RefreshClaim) { c.ClientID += "\x00" }},
		{"a token to come", func(c *authz.RefreshClaim) { c.Seq = 2 }},
		{"sequence number zero, outside of the window", func(c *authz.RefreshClaim) { c.Seq = 0 }},
		{"negative sequence number", func(c *authz.RefreshClaim) { c.Seq = -1 }},
		{"unused for too long", func(c *authz.RefreshClaim) { c.Now = noon().Add(30 * 24 * time.Hour) }},
		{"at the grant's end", func(c *authz.RefreshClaim) { c.Now = noon().Add(90 * 24 * time.Hour) }},
	} {
		for _, rotate := range []bool{true, false} {
			t.Run(c.name+", "+map[bool]string{true: "rotated", false: "kept"}[rotate], func(t *testing.T) {
				g := addRedeemed(ctx, t, s, t.Name())
				right := rotationOf(g, 1)
				right.Rotate = rotate
				wrong := right
				c.wrong(&wrong)
				s.refuseRefresh(ctx, t, wrong)
				_, err := s.UseRefresh(ctx, right)
				must(t, err)
			})
		}
	}
	testDeadRefresh(ctx, t, s)
}

func (s store) refuseRefresh(ctx context.Context, t *testing.T, claim authz.RefreshClaim) {
	t.Helper()
	before := s.dump(ctx, t, "grants")
	_, err := s.UseRefresh(ctx, claim)
	refused(t, "use", err, authz.ErrNotFound)
	same(t, "the table after a refusal", s.dump(ctx, t, "grants"), before)
}

// testDeadRefresh shows right claims on grants that have none to give.
func testDeadRefresh(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	refuse := func(t *testing.T, g *authz.Grant, seq int64) {
		t.Helper()
		claim := rotationOf(g, seq)
		s.refuseRefresh(ctx, t, claim)
		claim.Rotate = false
		s.refuseRefresh(ctx, t, claim)
	}
	t.Run("code not redeemed", func(t *testing.T) { refuse(t, addGrant(ctx, t, s, "unredeemed"), 1) })
	t.Run("no refresh token", func(t *testing.T) {
		g := newGrant("without", "app", "ann")
		g.RefreshSeq = 0
		must(t, s.InsertGrant(ctx, g))
		_, err := s.RedeemCode(ctx, claimOf(g))
		must(t, err)
		refuse(t, g, 0)
		refuse(t, g, -1)
	})
	t.Run("grant that ends before its refresh token", func(t *testing.T) {
		g := addGrant(ctx, t, s, "short")
		claim := claimOf(g)
		claim.ExpiresAt = rotationOf(g, 1).Now
		_, err := s.RedeemCode(ctx, claim)
		must(t, err)
		refuse(t, g, 1)
	})
	t.Run("revoked", func(t *testing.T) {
		g := addRedeemed(ctx, t, s, "revoked")
		_, err := s.RevokeGrant(ctx, g.ID, "app", authz.RevokedByUser, noon())
		must(t, err)
		refuse(t, g, 1)
	})
	t.Run("person disabled", func(t *testing.T) {
		g := addRedeemed(ctx, t, s, "disabled")
		s.disable(ctx, t, "ann")
		refuse(t, g, 1)
	})
}
