package apitoken_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
)

// by is a good token that something else asks for.
func (w *world) by(maker string, change ...func(*apitoken.New)) apitoken.New {
	n := w.good()
	n.MadeBy = maker
	for _, fn := range change {
		fn(&n)
	}
	return n
}

// account makes a token the one with which more can be made.
func account(n *apitoken.New) { n.API, n.Scopes = issuer, authz.Scopes{authz.ScopeAccount} }

func (w *world) live(id string) bool {
	w.t.Helper()
	v := w.stored(id)
	return v.Live(w.clock.Now())
}

func TestAClientGetsNoTokenForWhatItIsNotRegisteredFor(t *testing.T) {
	t.Parallel()
	w := alone(t)
	w.apis["https://plain.example"] = &authz.API{Identifier: "https://plain.example"}
	w.app("account", nil, "signet:account")
	w.app("scopeless", []string{orders}, "signet:account")
	w.app("reader", []string{orders, "https://plain.example"}, "signet:account", "orders:read", "orders:admin")
	for _, c := range []struct {
		name, client, api, scopes string
		says                      string // empty: it is made
	}{
		{"for the account alone, its own", "account", issuer, "signet:account", ""},
		{"for the account alone, another API", "account", orders, "orders:read", "the API " + orders},
		{"for the account alone, an API without scopes", "account", "https://plain.example", "", "the API https://plain.example"},
		{"without the scope", "scopeless", orders, "orders:read", "the scope orders:read"},
		{"with the scope", "reader", orders, "orders:read", ""},
		{"with one scope of two", "reader", orders, "orders:read orders:write", "the scope orders:write"},
		{"for an API without scopes", "reader", "https://plain.example", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, token, err := w.service.Create(context.Background(), w.alice, w.by(c.client, func(n *apitoken.New) {
				n.API, n.Scopes = c.api, authz.ParseScopes(c.scopes)
			}))
			var beyond *apitoken.BeyondError
			switch {
			case c.says == "" && (err != nil || v.MadeBy != c.client || w.stored(v.ID).MadeBy != c.client):
				t.Errorf("made %+v, %v", v, err)
			case c.says != "" && (token != "" || !errors.As(err, &beyond) || !strings.Contains(err.Error(), c.says) || beyond.Client != c.client):
				t.Errorf("error %v, want one that names %s", err, c.says)
			}
		})
	}
	// What the person's roles forbid is theirs, not the client's.
	_, _, err := w.service.Create(context.Background(), w.alice, w.by("reader", func(n *apitoken.New) { n.Scopes = authz.Scopes{"orders:admin"} }))
	var invalid *authz.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != "scopes" {
		t.Errorf("error %v", err)
	}
}

// A token that a client made is no way round what the client is registered for.
func TestTheClientBoundsWhatItsTokensMake(t *testing.T) {
	t.Parallel()
	w := alone(t)
	w.app("account", nil, "signet:account")
	first, _ := w.create(w.by("account", account))
	second, _ := w.create(w.by(first.ID, account))
	var beyond *apitoken.BeyondError
	for _, maker := range []string{first.ID, second.ID} {
		if _, _, err := w.service.Create(context.Background(), w.alice, w.by(maker)); !errors.As(err, &beyond) {
			t.Errorf("error %v", err)
		}
	}
	own, _ := w.create(w.good())
	for _, maker := range []string{"account", first.ID} {
		_, token, err := w.service.Rotate(context.Background(), w.alice.ID, apitoken.Rotation{ID: own.ID, By: maker})
		if !errors.As(err, &beyond) || token != "" || !w.live(own.ID) {
			t.Errorf("by %s the person's own token is replaced: %v", maker, err)
		}
	}
	script, _ := w.create(w.by("", account)) // a script of the person's own is bound by their roles only
	w.create(w.by(script.ID))
}

func TestATokenMakesNoneThatGoesOnForLongerOrFromElsewhere(t *testing.T) {
	t.Parallel()
	w := alone(t)
	home := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	maker, _ := w.create(w.by("", account, func(n *apitoken.New) {
		n.ExpiresAt, n.Networks = w.clock.Now().Add(7*day), home
	}))
	for _, c := range []struct {
		name     string
		ends     time.Duration
		networks string
		field    string // empty: it is made
	}{
		{"the same", 7 * day, "192.0.2.0/24 2001:db8::/32", ""},
		{"less", day, "192.0.2.128/25", ""},
		{"from networks that are not named", day, "", ""},
		{"a second longer", 7*day + time.Second, "192.0.2.0/24", "expires_at"},
		{"a wider network", day, "192.0.2.0/23", "networks"},
		{"another network", day, "192.0.2.0/24 198.51.100.0/24", "networks"},
		{"from anywhere", day, "0.0.0.0/0", "networks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, _, err := w.service.Create(context.Background(), w.alice, w.by(maker.ID, func(n *apitoken.New) {
				n.ExpiresAt = w.clock.Now().Add(c.ends)
				for one := range strings.FieldsSeq(c.networks) {
					n.Networks = append(n.Networks, netip.MustParsePrefix(one))
				}
			}))
			var invalid *authz.InvalidError
			switch {
			case c.field != "" && (!errors.As(err, &invalid) || invalid.Field != c.field):
				t.Errorf("error %v, want one about %s", err, c.field)
			case c.field == "" && (err != nil || v.AllowsFrom(anywhere) || v.ExpiresAt.After(maker.ExpiresAt)):
				t.Errorf("made %+v, %v", v, err)
			}
		})
	}
	// Neither does it give the person's others another life.
	long, _ := w.create(w.good())
	fresh, _, err := w.service.Rotate(context.Background(), w.alice.ID, apitoken.Rotation{ID: long.ID, By: maker.ID})
	if err != nil || fresh.ExpiresAt.After(maker.ExpiresAt) || fresh.AllowsFrom(anywhere) || fresh.MadeBy != maker.ID {
		t.Errorf("replaced by %+v, %v", fresh, err)
	}
}

func TestATokenThatReplacesItselfStaysMadeByWhatMadeIt(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.app("helper", []string{orders}, "signet:account", "orders:read")
		parent, _ := w.create(w.by("helper", account))
		w.clock.Advance(time.Minute)
		child, _ := w.create(w.by(parent.ID, account, func(n *apitoken.New) { n.ExpiresAt = parent.ExpiresAt }))
		for name, c := range map[string]struct {
			by, want string
			bounded  bool
		}{
			"the person": {"", "", false}, "the client": {"helper", "helper", false}, "the parent": {parent.ID, parent.ID, true},
			"itself": {"", parent.ID, true},
		} {
			old, _ := w.create(w.by(parent.ID, account, func(n *apitoken.New) { n.ExpiresAt = parent.ExpiresAt }))
			by := c.by
			if name == "itself" {
				by = old.ID
			}
			w.clock.Advance(time.Minute)
			fresh, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: old.ID, By: by, Overlap: time.Hour})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := w.stored(fresh.ID); got.MadeBy != c.want || got.ExpiresAt.Equal(parent.ExpiresAt) != c.bounded {
				t.Errorf("replaced by %s: made by %q until %v; its maker ends at %v", name, got.MadeBy, got.ExpiresAt, parent.ExpiresAt)
			}
		}
		if _, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: parent.ID, By: child.ID}); !errors.Is(err, apitoken.ErrMaker) || !w.live(parent.ID) {
			t.Errorf("a token replaces what made it: %v", err)
		}
		// What a token made goes no further than what is left of it.
		grandchild, _ := w.create(w.by(child.ID, func(n *apitoken.New) { n.ExpiresAt = child.ExpiresAt }))
		if _, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: child.ID, Overlap: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if end := w.stored(grandchild.ID).ExpiresAt; !end.Equal(w.clock.Now().Add(time.Hour)) {
			t.Errorf("what it made ends at %v", end)
		}
	})
}

func TestRevokingATokenTakesAlongWhatItMade(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		script, secret := w.create(w.by("", account))
		child, _ := w.create(w.by(script.ID, account))
		grandchild, _ := w.create(w.by(child.ID))
		other, _ := w.create(w.good())
		if err := w.service.Leaked(ctx, []string{secret}); err != nil {
			t.Fatal(err)
		}
		if w.live(script.ID) || w.live(child.ID) || w.live(grandchild.ID) || !w.live(other.ID) {
			t.Error("the wrong tokens were revoked")
		}
		if got := w.stored(grandchild.ID).RevokeReason; got != authz.RevokedWithMaker {
			t.Errorf("revoked because %q", got)
		}
		e := w.events.Of(authz.EventAPITokenLeaked)
		if len(e) != 1 || e[0].Detail["token"] != script.ID || e[0].Detail["with"] != "2" {
			t.Errorf("recorded %+v", e)
		}
		// Offline verifiers hear of each.
		set, err := w.store.RevokedStatusIndexes(ctx, 0, authz.StatusListSize, w.clock.Now())
		if err != nil || len(set) != 3 {
			t.Errorf("the status lists say %v, %v", set, err)
		}
		if _, _, err := w.service.Create(ctx, w.alice, w.by(child.ID)); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("a revoked token makes another: %v", err)
		}
	})
}

// By the time that somebody revokes an expired token, its place in the status lists may be
// another's.
func TestAnExpiredTokenIsNotRevoked(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		v, secret := w.create(w.good())
		w.clock.Advance(30 * day)
		err := errors.Join(
			w.service.Revoke(ctx, w.alice.ID, v.ID), w.service.Revoke(ctx, "", v.ID), w.service.Leaked(ctx, []string{secret}),
		)
		if got := w.stored(v.ID); err != nil || !got.RevokedAt.IsZero() {
			t.Errorf("revoked at %v, %v", got.RevokedAt, err)
		}
		if set, err := w.store.RevokedStatusIndexes(ctx, 0, authz.StatusListSize, w.clock.Now()); err != nil || len(set) != 0 {
			t.Errorf("the status lists say %v, %v", set, err)
		}
	})
}

func TestWhatAsksIsNoted(t *testing.T) {
	t.Parallel()
	w := alone(t)
	ctx := authz.WithClient(context.Background(), "helper")
	w.app("helper", []string{orders}, "orders:read")
	v, _, err := w.service.Create(ctx, w.alice, w.by("helper"))
	if err != nil {
		t.Fatal(err)
	}
	fresh, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: v.ID, By: "helper"})
	if err := errors.Join(err, w.service.Revoke(ctx, w.alice.ID, fresh.ID)); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{authz.EventAPITokenCreated, authz.EventAPITokenRotated, authz.EventAPITokenRevoked} {
		e := w.events.Of(kind)
		if len(e) != 1 || e[0].ClientID != "helper" || e[0].UserID != w.alice.ID || e[0].Detail["made_by"] != "helper" {
			t.Errorf("%s: recorded %+v", kind, e)
		}
	}
}

func TestMakersAreNamed(t *testing.T) {
	t.Parallel()
	w := alone(t)
	w.app("helper", []string{orders}, "signet:account", "orders:read")
	w.app("gone", []string{orders}, "orders:read")
	script, _ := w.create(w.by("", account, func(n *apitoken.New) { n.Name = "my script" }))
	var all []*authz.APIToken
	for _, maker := range []string{"", "helper", "gone", script.ID} {
		v, _ := w.create(w.by(maker))
		all = append(all, v)
	}
	if _, err := w.store.DeleteClient(context.Background(), "gone", 0, time.Now()); err != nil {
		t.Fatal(err)
	}
	names, err := w.service.Makers(context.Background(), all)
	if err != nil || len(names) != 3 || names["helper"] != "Acme helper" || names["gone"] != "gone" || names[script.ID] != "my script" {
		t.Errorf("names %v, %v", names, err)
	}
}
