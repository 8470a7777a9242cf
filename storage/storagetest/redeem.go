package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testRedeemCode(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	g := addGrant(ctx, t, s, "g")
	claim := claimOf(g)
	refused(t, "reuse before use", s.RevokeReusedCode(ctx, g.ID, g.ClientID, g.CodeHash, noon()), authz.ErrNotFound)
	got, err := s.RedeemCode(ctx, claim)
	must(t, err)

	want := *readable(g)
	want.CodeUsedAt, want.LastUsedAt, want.RefreshRotatedAt = claim.Now, claim.Now, claim.Now
	want.RefreshExpiresAt, want.ExpiresAt = claim.RefreshExpiresAt, claim.ExpiresAt
	same(t, "redeemed grant", got, &authz.RedeemedGrant{Grant: want, UserRoles: []string{"user"}})
	read, _, err := s.LiveGrant(ctx, g.ID, "", claim.Now)
	must(t, err)
	same(t, "what was stored of it", read, &want)

	before := s.dump(ctx, t, "grants")
	_, err = s.RedeemCode(ctx, claim)
	refused(t, "redeem twice", err, authz.ErrNotFound)
	refused(t, "reuse with another hash", s.RevokeReusedCode(ctx, g.ID, g.ClientID, hash("guess"), noon()), authz.ErrNotFound)
	refused(t, "reuse by another client", s.RevokeReusedCode(ctx, g.ID, "mail", g.CodeHash, noon()), authz.ErrNotFound)
	refused(t, "reuse of a missing grant", s.RevokeReusedCode(ctx, "none", g.ClientID, g.CodeHash, noon()), authz.ErrNotFound)
	same(t, "the row after refusals", s.dump(ctx, t, "grants"), before)
	must(t, s.RevokeReusedCode(ctx, g.ID, g.ClientID, g.CodeHash, noon()))
	refused(t, "reuse told twice", s.RevokeReusedCode(ctx, g.ID, g.ClientID, g.CodeHash, noon()), authz.ErrNotFound)
	_, _, err = s.LiveGrant(ctx, g.ID, "", noon())
	refused(t, "live after reuse", err, authz.ErrNotFound)

	// Without a refresh token the grant keeps the end that it was made with.
	short := newGrant("short", "app", "ann")
	short.RefreshSeq = 0
	must(t, s.InsertGrant(ctx, short))
	got, err = s.RedeemCode(ctx, claimOf(short))
	must(t, err)
	if !got.ExpiresAt.Equal(short.ExpiresAt) || !got.RefreshExpiresAt.IsZero() || got.RefreshSeq != 0 {
		t.Errorf("grant without a refresh token: %+v", got.Grant)
	}

	// OAuth 2.1 §4.1.3: who does not send the redirect URI again relies on PKCE alone.
	silent := addGrant(ctx, t, s, "silent")
	unsaid := claimOf(silent)
	unsaid.RedirectURI = ""
	_, err = s.RedeemCode(ctx, unsaid)
	must(t, err)
}

// testRefusedCodes makes one thing wrong at a time. Nothing may change, and the right claim
// must work afterwards where the code is still good.
func testRefusedCodes(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertClient(ctx, newClient("mail")))
	for _, c := range []struct {
		name  string
		wrong func(*authz.CodeClaim)
		grant func(*authz.Grant)
	}{
		{"another grant", func(c *authz.CodeClaim) { c.GrantID = "none" }, nil},
		{"no grant", func(c *authz.CodeClaim) { c.GrantID = "" }, nil},
		{"another client", func(c *authz.CodeClaim) { c.ClientID = "mail" }, nil},
		{"no client", func(c *authz.CodeClaim) { c.ClientID = "" }, nil},
		{"another hash", func(c *authz.CodeClaim) { c.CodeHash = hash("guess") }, nil},
		{"half of the hash", func(c *authz.CodeClaim) { c.CodeHash = c.CodeHash[:16] }, nil},
		{"empty hash", func(c *authz.CodeClaim) { c.CodeHash = []byte{} }, nil},
		{"no hash", func(c *authz.CodeClaim) { c.CodeHash = nil }, nil},
		{"another redirect URI", func(c *authz.CodeClaim) { c.RedirectURI = "https://evil.example/cb" }, nil},
		{"redirect URI with a slash more", func(c *authz.CodeClaim) { c.RedirectURI += "/" }, nil},
		{"redirect URI in capitals", func(c *authz.CodeClaim) { c.RedirectURI = "HTTPS://APP.EXAMPLE/CB" }, nil},
		{"redirect URI with a NUL", func(c *authz.CodeClaim) { c.RedirectURI += "\x00" }, nil},
		{"redirect URI that is not UTF-8", func(c *authz.CodeClaim) { c.RedirectURI += "\xff" }, nil},
		{"another challenge", func(c *authz.CodeClaim) { c.CodeChallenge = "other" }, nil},
		{"challenge in capitals", func(c *authz.CodeClaim) { c.CodeChallenge = "CHALLENGE" }, nil},
		{"no verifier", func(c *authz.CodeClaim) { c.CodeChallenge = "" }, nil},
		{"a verifier that was not announced", nil, func(g *authz.Grant) { g.CodeChallenge = "" }},
		{"at the code's end", func(c *authz.CodeClaim) { c.Now = noon().Add(time.Minute) }, nil},
		{"after the code's end", func(c *authz.CodeClaim) { c.Now = noon().Add(time.Hour) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGrant(c.name, "app", "ann")
			right := claimOf(g)
			if c.grant != nil {
				c.grant(g)
			}
			must(t, s.InsertGrant(ctx, g))
			wrong := right
			if c.wrong != nil {
				c.wrong(&wrong)
			}
			before := s.dump(ctx, t, "grants")
			_, err := s.RedeemCode(ctx, wrong)
			refused(t, "redeem", err, authz.ErrNotFound)
			same(t, "the table after a refusal", s.dump(ctx, t, "grants"), before)
			right.CodeChallenge = g.CodeChallenge
			_, err = s.RedeemCode(ctx, right)
			must(t, err)
		})
	}
	t.Run("revoked", func(t *testing.T) {
		g := addGrant(ctx, t, s, "revoked")
		_, err := s.RevokeGrant(ctx, g.ID, "app", authz.RevokedByUser, noon())
		must(t, err)
		s.refuseCode(ctx, t, g)
	})
	t.Run("person disabled", func(t *testing.T) {
		g := addGrant(ctx, t, s, "disabled")
		s.disable(ctx, t, "ann")
		s.refuseCode(ctx, t, g)
	})
}

// refuseCode demands that even the right claim changes nothing.
func (s store) refuseCode(ctx context.Context, t *testing.T, g *authz.Grant) {
	t.Helper()
	before := s.dump(ctx, t, "grants")
	_, err := s.RedeemCode(ctx, claimOf(g))
	refused(t, "redeem", err, authz.ErrNotFound)
	same(t, "the table after a refusal", s.dump(ctx, t, "grants"), before)
}

func (s store) disable(ctx context.Context, t *testing.T, userID string) {
	t.Helper()
	u, err := s.User(ctx, userID)
	must(t, err)
	u.DisabledAt = noon()
	must(t, s.UpdateUser(ctx, u))
}
