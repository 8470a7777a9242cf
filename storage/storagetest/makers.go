package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// addMade lays out a token that something has made in a person's name.
func addMade(ctx context.Context, t *testing.T, s store, id, userID, madeBy string, change ...func(*authz.APIToken)) *authz.APIToken {
	t.Helper()
	v := newAPIToken(id, userID)
	v.MadeBy = madeBy
	for _, fn := range change {
		fn(v)
	}
	must(t, s.InsertAPIToken(ctx, v))
	return v
}

func expired(v *authz.APIToken) { v.ExpiresAt = noon() }

// reasons gives why tokens were revoked, by id; those that were not have none.
func (s store) reasons(ctx context.Context, t *testing.T, ids ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, id := range ids {
		v, err := s.APIToken(ctx, id)
		must(t, err)
		if v.RevokedAt.IsZero() != (v.RevokeReason == "") {
			t.Errorf("token %s was revoked at %v because %q", id, v.RevokedAt, v.RevokeReason)
		}
		if v.RevokeReason != "" {
			out[id] = v.RevokeReason
		}
	}
	return out
}

// testTokenMakers ends tokens with what made them.
func testTokenMakers(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertUser(ctx, newUser("ann")))
	must(t, s.InsertUser(ctx, newUser("bob")))
	for _, made := range [][2]string{
		{"tok_1", "app"}, {"tok_11", "tok_1"}, {"tok_111", "tok_11"}, {"tok_2", "other"}, {"tok_3", ""},
		{"tok_31", "tok_3"}, {"tok_32", "tok_3"}, {"tok_311", "tok_31"},
	} {
		addMade(ctx, t, s, made[0], "ann", made[1])
	}
	addMade(ctx, t, s, "tok_b", "bob", "app")
	addMade(ctx, t, s, "tok_e", "ann", "app", expired)
	addMade(ctx, t, s, "tok_e1", "ann", "tok_e", expired)
	all := []string{"tok_1", "tok_11", "tok_111", "tok_2", "tok_3", "tok_31", "tok_32", "tok_311", "tok_b", "tok_e", "tok_e1"}

	got, err := s.APIToken(ctx, "tok_111")
	must(t, err)
	same(t, "what made a token", got.MadeBy, "tok_11")
	same(t, "the client that it came from", got.ClientID, "app")
	for _, c := range []struct {
		name, client, user string
		want               int64
	}{
		{"made by nobody", "", "ann", 0}, {"made by an unknown client", "none", "ann", 0},
		{"made by the client", "app", "ann", 3}, {"again", "app", "ann", 0}, {"of another person", "app", "bob", 1},
	} {
		n, err := s.RevokeAPITokensMadeBy(ctx, c.client, c.user, "r", noon())
		must(t, err)
		same(t, "revoked: "+c.name, n, c.want)
	}
	same(t, "revoked with the client", s.reasons(ctx, t, all...), map[string]string{"tok_1": "r", "tok_11": "r", "tok_111": "r", "tok_b": "r"})

	for id, want := range map[string]int64{"tok_e": 0, "tok_31": 2, "tok_111": 0} {
		n, err := s.RevokeAPIToken(ctx, id, "", "one", noon())
		must(t, err)
		same(t, "revoked with "+id, n, want)
	}
	n, err := s.RevokeAPIToken(ctx, "tok_3", "ann", "two", noon())
	must(t, err)
	same(t, "revoked with the first", n, int64(2))
	same(t, "revoked with tokens", s.reasons(ctx, t, all[3:8]...), map[string]string{
		"tok_31": "one", "tok_311": authz.RevokedWithMaker, "tok_3": "two", "tok_32": authz.RevokedWithMaker,
	})
	n, err = s.RevokeAPITokensOfUser(ctx, "ann", "all", noon())
	must(t, err)
	same(t, "revoked with the account", n, int64(1))
	same(t, "expired ones", s.reasons(ctx, t, "tok_e", "tok_e1"), map[string]string{})
}

// testTokenShortened lets no token outlive the one that made it.
func testTokenShortened(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertUser(ctx, newUser("ann")))
	soon := noon().Add(time.Hour)
	addMade(ctx, t, s, "tok_1", "ann", "")
	addMade(ctx, t, s, "tok_11", "ann", "tok_1")
	addMade(ctx, t, s, "tok_111", "ann", "tok_11")
	addMade(ctx, t, s, "tok_12", "ann", "tok_1", func(v *authz.APIToken) { v.ExpiresAt = soon.Add(-time.Minute) })
	addMade(ctx, t, s, "tok_13", "ann", "tok_1", expired)
	addMade(ctx, t, s, "tok_2", "ann", "")
	must(t, s.ShortenAPIToken(ctx, "tok_1", "ann", noon(), soon))
	for id, want := range map[string]time.Time{
		"tok_1": soon, "tok_11": soon, "tok_111": soon, "tok_12": soon.Add(-time.Minute), "tok_13": noon(), "tok_2": noon().Add(24 * time.Hour),
	} {
		v, err := s.APIToken(ctx, id)
		must(t, err)
		if !v.ExpiresAt.Equal(want) {
			t.Errorf("%s ends at %v, want %v", id, v.ExpiresAt, want)
		}
	}
}

// testTokenVouching makes tokens by what may act for a person, and by what may not.
func testTokenVouching(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertUser(ctx, newUser("bob")))
	for _, id := range []string{"off", "spent", "new", "over"} {
		must(t, s.InsertClient(ctx, newClient(id)))
	}
	for _, g := range []*authz.Grant{newGrant("g app", "app", "ann"), newGrant("g off", "off", "ann"), newGrant("g spent", "spent", "ann"), newGrant("g over", "over", "ann")} {
		must(t, s.InsertGrant(ctx, g))
		claim := claimOf(g)
		if g.ClientID == "over" {
			claim.ExpiresAt = noon()
		}
		_, err := s.RedeemCode(ctx, claim)
		must(t, err)
	}
	must(t, s.InsertGrant(ctx, newGrant("g new", "new", "ann"))) // whose code nobody has redeemed
	_, err := s.RevokeGrants(ctx, "ann", "spent", "r", noon())
	must(t, err)
	off, err := s.Client(ctx, "off")
	must(t, err)
	off.DisabledAt = noon()
	must(t, s.UpdateClient(ctx, off))
	addMade(ctx, t, s, "tok_live", "ann", "")
	addMade(ctx, t, s, "tok_bob", "bob", "")
	addMade(ctx, t, s, "tok_gone", "ann", "")
	addMade(ctx, t, s, "tok_over", "ann", "", expired)
	addMade(ctx, t, s, "tok_soon", "ann", "", func(v *authz.APIToken) { v.ExpiresAt = v.ExpiresAt.Add(-time.Microsecond) })
	_, err = s.RevokeAPIToken(ctx, "tok_gone", "ann", "r", noon())
	must(t, err)

	for madeBy, want := range map[string]error{
		"": nil, "app": nil, "tok_live": nil,
		"none": authz.ErrNotFound, "off": authz.ErrNotFound, "spent": authz.ErrNotFound, "new": authz.ErrNotFound, "over": authz.ErrNotFound,
		"tok_none": authz.ErrNotFound, "tok_bob": authz.ErrNotFound, "tok_gone": authz.ErrNotFound, "tok_over": authz.ErrNotFound,
		"tok_soon": authz.ErrNotFound, // ends before what it makes
	} {
		v := newAPIToken("by "+madeBy, "ann")
		v.MadeBy = madeBy
		room, err := s.AddAPIToken(ctx, v, 100)
		if !errors.Is(err, want) || err == nil && !room {
			t.Errorf("made by %q: room %v, %v; want %v", madeBy, room, err, want)
		}
		if _, err := s.APIToken(ctx, v.ID); (err == nil) != (want == nil) {
			t.Errorf("made by %q: reading it gives %v", madeBy, err)
		}
	}
}

// raceMaker lets an app, and a token that it made, make tokens while the app is revoked by
// the person or switched off: none of them goes on.
func raceMaker(ctx context.Context, t *testing.T, s store, round string) {
	var app *authz.Client
	end := map[bool]func(context.Context) error{
		true: func(ctx context.Context) error {
			_, err := s.RevokeAPITokensMadeBy(ctx, round, "ann", "r", noon())
			_, grants := s.RevokeGrants(ctx, "ann", round, "r", noon())
			return errors.Join(err, grants)
		},
		false: func(ctx context.Context) error {
			app.DisabledAt = noon()
			off := s.UpdateClient(ctx, app)
			_, all, err := s.EndAPITokensOf(ctx, round, noon())
			if err == nil && !all {
				err = errors.New("tokens are left")
			}
			return errors.Join(off, err)
		},
	}[len(round)%2 == 0]
	app = newClient(round)
	must(t, s.InsertClient(ctx, app))
	g := newGrant(round, round, "ann")
	must(t, s.InsertGrant(ctx, g))
	_, err := s.RedeemCode(ctx, claimOf(g))
	must(t, err)
	first := addMade(ctx, t, s, authz.PrefixToken+round, "ann", round)
	race(t, authz.ErrNotFound, func(party int) error {
		if party == parties/2 {
			return s.InTx(ctx, end)
		}
		v := newAPIToken(fmt.Sprint(first.ID, " ", party), "ann")
		v.MadeBy = []string{round, first.ID}[party%2]
		_, err := s.AddAPIToken(ctx, v, 1000)
		return err
	})
	for party := range parties {
		_, _, err := s.LiveAPIToken(ctx, fmt.Sprint(first.ID, " ", party), noon())
		refused(t, round, err, authz.ErrNotFound)
	}
}
