package storagetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
)

func testAPITokens(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertUser(ctx, newUser("ann")))
	must(t, s.InsertUser(ctx, newUser("bob")))
	one, two, bobs := newAPIToken("tok_1", "ann"), newAPIToken("tok_2", "ann"), newAPIToken("tok_3", "bob")
	one.Networks, one.StatusIndex = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, 7
	two.CreatedAt = noon().Add(time.Second)
	for _, v := range []*authz.APIToken{one, two, bobs} {
		must(t, s.InsertAPIToken(ctx, v))
	}
	refused(t, "insert twice", s.InsertAPIToken(ctx, one), authz.ErrConflict)
	must(t, s.InsertUser(ctx, newUser("zoe")))
	must(t, s.InsertAPIToken(ctx, newAPIToken("tok_z", "zoe")))
	defer s.bystander(ctx, t, "api_tokens", "tok_z")()

	got, err := s.APIToken(ctx, one.ID)
	must(t, err)
	same(t, "token", got, one)
	_, err = s.APIToken(ctx, "tok_none")
	refused(t, "read missing", err, authz.ErrNotFound)
	live, whose, err := s.LiveAPIToken(ctx, one.ID, noon())
	must(t, err)
	same(t, "live token", live, one)
	same(t, "its person", whose, newUser("ann"))

	some, err := s.APITokensByID(ctx, []string{"tok_none", two.ID, one.ID, two.ID, ""})
	must(t, err)
	same(t, "tokens by id", some, []*authz.APIToken{one, two})
	if _, err := s.APITokensByID(ctx, make([]string, storage.MaxAPITokensByID+1)); err == nil {
		t.Error("more were looked for than may be")
	}
	mine, err := s.APITokensOfUser(ctx, "ann", noon())
	must(t, err)
	same(t, "tokens of ann, the newest first", mine, []*authz.APIToken{two, one})
	page, err := s.APITokens(ctx, one.ID, 1)
	must(t, err)
	same(t, "page of all", page, []*authz.APIToken{two})

	testTokenUse(ctx, t, s, two.ID)
	testTokenEnds(ctx, t, s)
}

// testTokenLimit adds tokens from many sides, where there is room for three in all, one of
// which is taken already, and one by a token that has ended.
func testTokenLimit(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertUser(ctx, newUser("ann")))
	must(t, s.InsertUser(ctx, newUser("bob")))
	ended, revoked, full := newAPIToken("ended", "ann"), newAPIToken("revoked", "ann"), errors.New("no room")
	ended.ExpiresAt = noon()
	for _, v := range []*authz.APIToken{ended, revoked, newAPIToken("live", "ann"), newAPIToken("bobs", "bob")} {
		must(t, s.InsertAPIToken(ctx, v))
	}
	_, err := s.RevokeAPIToken(ctx, "revoked", "ann", authz.RevokedByUser, noon())
	must(t, err)
	won := race(t, full, func(party int) error {
		room, err := s.AddAPIToken(ctx, newAPIToken(fmt.Sprint("tok", party), "ann"), 3)
		if err == nil && !room {
			return full
		}
		return err
	})
	same(t, "tokens that found room", won, 2)
	same(t, "tokens of all", s.count(ctx, t, "api_tokens"), 6)

	want := newAPIToken("whole", "bob")
	want.Networks, want.StatusIndex = []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}, 3
	room, err := s.AddAPIToken(ctx, want, 2)
	must(t, err)
	same(t, "room", room, true)
	got, err := s.APIToken(ctx, want.ID)
	must(t, err)
	same(t, "added token", got, want)
	_, err = s.AddAPIToken(ctx, want, 9)
	refused(t, "add twice", err, authz.ErrConflict)
	_, err = s.AddAPIToken(ctx, newAPIToken("x", "none"), 9)
	refused(t, "add to nobody", err, authz.ErrNotFound)
	s.disable(ctx, t, "bob")
	_, err = s.AddAPIToken(ctx, newAPIToken("x", "bob"), 9)
	refused(t, "add to a disabled person", err, authz.ErrNotFound)
}

// testTokenNames adds tokens of one name, which a live one has that was not replaced.
func testTokenNames(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertUser(ctx, newUser("ann")))
	must(t, s.InsertUser(ctx, newUser("bob")))
	named := func(id, userID string) *authz.APIToken {
		v := newAPIToken(id, userID)
		v.Name = "backup"
		return v
	}
	over := named("over", "ann")
	over.ExpiresAt = noon()
	must(t, s.InsertAPIToken(ctx, over))
	add := func(v *authz.APIToken) error {
		room, err := s.AddAPIToken(ctx, v, 3)
		if err == nil && !room {
			return errors.New("no room")
		}
		return err
	}
	must(t, add(named("one", "ann")))
	refused(t, "the same name", add(named("two", "ann")), authz.ErrConflict)
	must(t, add(named("bobs", "bob")))

	for _, c := range []struct{ name, id, user string }{
		{"of another", "one", "bob"}, {"that is unknown", "none", "ann"}, {"that has expired", "over", "ann"},
	} {
		refused(t, "replace one "+c.name, s.ReplaceAPIToken(ctx, c.id, c.user, "two", noon()), authz.ErrNotFound)
	}
	must(t, s.ReplaceAPIToken(ctx, "one", "ann", "two", noon()))
	refused(t, "replace it twice", s.ReplaceAPIToken(ctx, "one", "ann", "three", noon()), authz.ErrNotFound)
	got, err := s.APIToken(ctx, "one")
	must(t, err)
	same(t, "replaced by", got.ReplacedBy, "two")
	must(t, add(named("two", "ann")))
	refused(t, "the same name as the successor", add(named("three", "ann")), authz.ErrConflict)
	_, err = s.RevokeAPIToken(ctx, "two", "ann", "r", noon())
	must(t, err)
	refused(t, "replace a revoked one", s.ReplaceAPIToken(ctx, "two", "ann", "three", noon()), authz.ErrNotFound)
	must(t, add(named("three", "ann")))
}

func raceTokenName(ctx context.Context, t *testing.T, s store, round string) {
	one(t, round, race(t, authz.ErrConflict, func(party int) error {
		v := newAPIToken(fmt.Sprint(round, "-", party), "ann")
		v.Name = round
		_, err := s.AddAPIToken(ctx, v, 1000)
		return err
	}))
}

func raceReplace(ctx context.Context, t *testing.T, s store, round string) {
	must(t, s.InsertAPIToken(ctx, newAPIToken(round, "ann")))
	one(t, round, race(t, authz.ErrNotFound, func(party int) error {
		return s.ReplaceAPIToken(ctx, round, "ann", fmt.Sprint(round, "-", party), noon())
	}))
}

func testTokenUse(ctx context.Context, t *testing.T, s store, id string) {
	t.Helper()
	use := authz.TokenUse{TokenID: id, At: noon().Add(time.Minute), Address: "192.0.2.9", Agent: "curl caf\xe9"}
	must(t, s.NoteTokenUse(ctx, use))
	earlier := authz.TokenUse{TokenID: id, At: noon(), Address: "192.0.2.8", Agent: "late news"}
	must(t, s.NoteTokenUse(ctx, earlier))
	got, err := s.APIToken(ctx, id)
	must(t, err)
	if !got.LastUsedAt.Equal(use.At) || got.LastAddress != use.Address || got.LastAgent != "curl caf\uFFFD" {
		t.Errorf("last use: %v %q %q", got.LastUsedAt, got.LastAddress, got.LastAgent)
	}
}

// testTokenEnds ends tok_1 and tok_2 of ann and leaves tok_3 of bob.
func testTokenEnds(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	soon := noon().Add(time.Hour)
	refused(t, "shorten somebody else's", s.ShortenAPIToken(ctx, "tok_1", "bob", noon(), soon), authz.ErrNotFound)
	must(t, s.ShortenAPIToken(ctx, "tok_1", "ann", noon(), soon))
	must(t, s.ShortenAPIToken(ctx, "tok_1", "ann", noon(), soon.Add(time.Hour))) // ends before
	refused(t, "shorten an ended one", s.ShortenAPIToken(ctx, "tok_1", "ann", soon, soon), authz.ErrNotFound)
	_, _, err := s.LiveAPIToken(ctx, "tok_1", soon)
	refused(t, "live at its end", err, authz.ErrNotFound)
	_, _, err = s.LiveAPIToken(ctx, "tok_1", soon.Add(-time.Microsecond))
	must(t, err)

	for _, c := range []struct {
		name, id, user string
		want           int64
	}{
		{"somebody else's", "tok_2", "bob", 0}, {"unknown", "tok_none", "", 0},
		{"one's own", "tok_2", "ann", 1}, {"again", "tok_2", "ann", 0}, {"anybody's", "tok_3", "", 1},
	} {
		n, err := s.RevokeAPIToken(ctx, c.id, c.user, authz.RevokedByUser, noon())
		must(t, err)
		same(t, "revoke "+c.name, n, c.want)
	}
	_, _, err = s.LiveAPIToken(ctx, "tok_2", noon())
	refused(t, "live though revoked", err, authz.ErrNotFound)
	refused(t, "shorten a revoked one", s.ShortenAPIToken(ctx, "tok_2", "ann", noon(), soon), authz.ErrNotFound)
	got, err := s.APIToken(ctx, "tok_2")
	must(t, err)
	if got.RevokeReason != authz.RevokedByUser || !got.RevokedAt.Equal(noon()) {
		t.Errorf("revoked token: %+v", got)
	}
	still, err := s.APITokensOfUser(ctx, "ann", soon) // both have ended by then
	must(t, err)
	same(t, "tokens that ended before", len(still), 0)
	n, err := s.RevokeAPITokensOfUser(ctx, "ann", authz.RevokedUserChanged, noon())
	must(t, err)
	same(t, "revoked with the account", n, int64(1)) // tok_1; tok_2 was already

	bob, err := s.User(ctx, "bob")
	must(t, err)
	bob.DisabledAt = noon()
	must(t, s.InsertAPIToken(ctx, newAPIToken("tok_4", "bob")))
	must(t, s.UpdateUser(ctx, bob))
	_, _, err = s.LiveAPIToken(ctx, "tok_4", noon())
	refused(t, "live though its person is disabled", err, authz.ErrNotFound)
}
