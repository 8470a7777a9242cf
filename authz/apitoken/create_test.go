package apitoken_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
)

func TestTokenIsShownOnceAndItsHashKept(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		n := w.good()
		n.Name = "  nightly  backup \u00e9 "
		n.Scopes = authz.Scopes{"orders:write", "orders:read", "orders:write"}
		n.ExpiresAt = n.ExpiresAt.Add(time.Millisecond)
		n.Networks = []netip.Prefix{
			netip.MustParsePrefix("192.0.2.77/24"), netip.MustParsePrefix("192.0.2.0/24"),
			netip.MustParsePrefix("::ffff:198.51.100.7/128"), netip.MustParsePrefix("2001:db8::1/32"),
		}
		made, token := w.create(n)
		if !authz.WellFormed(authz.PrefixAPIToken, token) {
			t.Errorf("%q has not the form of an API token", token)
		}
		got := w.stored(made.ID)
		if !authz.Secret(token).Matches(got.Hash) || strings.Contains(made.ID, token[4:12]) {
			t.Error("the database should have the hash and nothing else of the token")
		}
		if got.Name != "nightly  backup \u00e9" || got.API != orders || got.UserID != w.alice.ID {
			t.Errorf("stored %+v", got)
		}
		if got.Scopes.String() != "orders:read orders:write" {
			t.Errorf("scopes %q, want each once and in the order of the API", got.Scopes)
		}
		if want := w.clock.Now().Add(30 * 24 * time.Hour); !got.ExpiresAt.Equal(want) {
			t.Errorf("ends at %v, want %v", got.ExpiresAt, want)
		}
		want := []netip.Prefix{
			netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("2001:db8::/32"),
		}
		if !slices.Equal(got.Networks, want) {
			t.Errorf("networks %v, want %v", got.Networks, want)
		}
		if got.StatusIndex == 0 {
			t.Error("the token has no place in the status lists")
		}
		recorded := w.events.Of(authz.EventAPITokenCreated)
		if len(recorded) != 1 || recorded[0].UserID != w.alice.ID || recorded[0].Detail["token"] != made.ID {
			t.Errorf("recorded %+v", recorded)
		}
	})
}

func TestTokenThatMayNotBeMade(t *testing.T) {
	t.Parallel()
	w := alone(t)
	networks := make([]netip.Prefix, 21)
	for i := range networks {
		networks[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)
	}
	for _, c := range []struct {
		name   string
		field  string
		change func(n *apitoken.New)
	}{
		{"no name", "name", func(n *apitoken.New) { n.Name = "  " }},
		{"name of 101 characters", "name", func(n *apitoken.New) { n.Name = strings.Repeat("\u00e9", 101) }},
		{"name with a line break", "name", func(n *apitoken.New) { n.Name = "a\nb" }},
		{"name that turns text around", "name", func(n *apitoken.New) { n.Name = "a\u202eb" }},
		{"name with an isolate", "name", func(n *apitoken.New) { n.Name = "a\u2067b" }},
		{"name with a line separator", "name", func(n *apitoken.New) { n.Name = "a\u2028b" }},
		{"name that is not UTF-8", "name", func(n *apitoken.New) { n.Name = "a\xffb" }},
		{"unknown API", "api", func(n *apitoken.New) { n.API = "https://unknown.example" }},
		{"no API", "api", func(n *apitoken.New) { n.API = "" }},
		{"no scope", "scopes", func(n *apitoken.New) { n.Scopes = nil }},
		{"scope of no API", "scopes", func(n *apitoken.New) { n.Scopes = authz.Scopes{"orders:read", "orders:fly"} }},
		{"scope of OpenID Connect", "scopes", func(n *apitoken.New) { n.Scopes = authz.Scopes{"openid"} }},
		{"scope beyond the person's roles", "scopes", func(n *apitoken.New) { n.Scopes = authz.Scopes{"orders:admin"} }},
		{"no end", "expires_at", func(n *apitoken.New) { n.ExpiresAt = time.Time{} }},
		{"end in the past", "expires_at", func(n *apitoken.New) { n.ExpiresAt = w.clock.Now().Add(-time.Hour) }},
		{"end at this moment", "expires_at", func(n *apitoken.New) { n.ExpiresAt = w.clock.Now() }},
		{"end beyond the longest life", "expires_at", func(n *apitoken.New) { n.ExpiresAt = w.clock.Now().Add(366 * 24 * time.Hour) }},
		{"21 networks", "networks", func(n *apitoken.New) { n.Networks = networks }},
		{"network that is none", "networks", func(n *apitoken.New) { n.Networks = []netip.Prefix{{}} }},
		{"half of IPv4 as IPv6", "networks", func(n *apitoken.New) { n.Networks = []netip.Prefix{netip.MustParsePrefix("::ffff:0.0.0.0/90")} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := w.good()
			c.change(&n)
			_, token, err := w.service.Create(context.Background(), w.alice, n)
			var invalid *authz.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != c.field || token != "" {
				t.Errorf("error %v, want one about %s", err, c.field)
			}
		})
	}
}

func TestAllThatIsWrongIsTold(t *testing.T) {
	t.Parallel()
	w := alone(t)
	n := apitoken.New{Name: " ", API: orders, Networks: []netip.Prefix{{}}}
	for name, err := range map[string]error{
		"check": w.service.Check(context.Background(), w.alice, n), "create": third(w.service.Create(context.Background(), w.alice, n)),
	} {
		var fields []string
		if all, ok := errors.AsType[*apitoken.InvalidError](err); ok {
			for _, f := range all.Faults {
				fields = append(fields, f.Field)
			}
		}
		if got := strings.Join(fields, " "); got != "name scopes expires_at networks" {
			t.Errorf("%s: faults of %q: %v", name, got, err)
		}
	}
	if err := w.service.Check(context.Background(), w.alice, w.good()); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

func third[A, B any](_ A, _ B, err error) error { return err }

func TestTokenForAnAPIWithoutScopes(t *testing.T) {
	t.Parallel()
	w := alone(t)
	w.apis["https://plain.example"] = &authz.API{Identifier: "https://plain.example"}
	n := w.good()
	n.API, n.Scopes = "https://plain.example", nil
	_, token := w.create(n)
	if _, err := w.service.Find(context.Background(), token); err != nil {
		t.Error(err)
	}
}

func TestLongestLifeIsASetting(t *testing.T) {
	t.Parallel()
	w := alone(t)
	week := apitoken.NewService(apitoken.Config{
		Store: w.store, Catalog: w.apis, Status: &places{store: w.store}, Audit: &w.events, MaxLifetime: 7 * 24 * time.Hour,
		Roles: func(context.Context, []string) ([]authz.Role, error) { return w.roles, nil }, Now: w.clock.Now,
	})
	_, _, err := week.Create(context.Background(), w.alice, w.good())
	if err == nil || !strings.Contains(err.Error(), "7 days") {
		t.Errorf("error %v, want one that names the longest life", err)
	}
}

func TestSentenceNamesWhatAPersonMayNotGrant(t *testing.T) {
	t.Parallel()
	w := alone(t)
	got, err := w.service.Grantable(context.Background(), w.alice, orders)
	if err != nil || got.String() != "orders:read orders:write" {
		t.Errorf("grantable %q, %v", got, err)
	}
	n := w.good()
	n.Scopes = authz.Scopes{"orders:read", "orders:admin"}
	if _, _, err := w.service.Create(context.Background(), w.alice, n); err == nil || !strings.Contains(err.Error(), `"orders:admin"`) {
		t.Errorf("error %v, want one that names orders:admin", err)
	}
}

func TestNobodyHasMoreThanFiftyLiveTokens(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		var last *authz.APIToken
		for range apitoken.MaxLive - 3 {
			last, _ = w.create(w.good())
		}
		var group sync.WaitGroup
		results := make([]error, 9)
		for i := range results {
			group.Go(func() { _, _, results[i] = w.service.Create(ctx, w.alice, w.good()) })
		}
		group.Wait()
		made := 0
		for _, err := range results {
			var invalid *authz.InvalidError
			switch {
			case err == nil:
				made++
			case !errors.As(err, &invalid):
				t.Errorf("refused with %v", err)
			}
		}
		if made != 3 {
			t.Errorf("%d of 9 requests at once made a token, want the 3 for which there was room", made)
		}
		if _, _, err := w.service.Create(ctx, w.bob, w.good()); err != nil {
			t.Errorf("another person's tokens count: %v", err)
		}
		if err := w.service.Revoke(ctx, w.alice.ID, last.ID); err != nil {
			t.Fatal(err)
		}
		w.create(w.good())
		w.clock.Advance(31 * 24 * time.Hour)
		w.create(w.good())
	})
}

func TestDisabledPersonMakesNoToken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		disabled := *w.alice
		disabled.DisabledAt = w.clock.Now()
		if err := w.store.UpdateUser(ctx, &disabled); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.service.Create(ctx, w.alice, w.good()); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("error %v, want not found", err)
		}
	})
}
