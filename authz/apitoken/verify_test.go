package apitoken_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

var anywhere = netip.MustParseAddr("203.0.113.9")

func TestGoodTokenTakesOneStatement(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		made, token := w.create(w.good())
		n := w.counting(func() {
			v, err := w.service.Verify(context.Background(), token, anywhere)
			if err != nil {
				t.Fatal(err)
			}
			if v.Token.ID != made.ID || v.User.Username != "alice" || v.Scopes.String() != "orders:read" {
				t.Errorf("verified %+v of %+v with %q", v.Token, v.User, v.Scopes)
			}
		})
		if n != 1 {
			t.Errorf("%d statements, want 1", n)
		}
	})
}

func TestMalformedTokenTakesNoStatement(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.create(w.good())
	bad := map[string]string{
		"empty": "", "prefix only": "sgp_", "cut": token[:len(token)-1], "longer": token + "0",
		"a space behind": token + " ", "other kind": "sgs_" + token[4:], "upper-case prefix": "SGP_" + token[4:],
		"a JWT": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "not ASCII": "sgp_" + strings.Repeat("\u00e9", 24) + "0",
	}
	for i := range token {
		for _, c := range []byte("0Az_") {
			if token[i] != c {
				bad[fmt.Sprintf("%c at %d", c, i)] = token[:i] + string(c) + token[i+1:]
			}
		}
	}
	n := w.counting(func() {
		for name, one := range bad {
			if _, err := w.service.Verify(context.Background(), one, anywhere); !errors.Is(err, apitoken.ErrInvalid) {
				t.Errorf("%s: %v, want invalid", name, err)
			}
		}
		if err := w.service.Leaked(context.Background(), []string{"", token[:20], bad["cut"], bad["0 at 9"]}); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%d statements, want none", n)
	}
}

func TestTokenThatIsGoodNoMore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(ctx context.Context, w *world, v *authz.APIToken) error
	}{
		{"revoked", func(ctx context.Context, w *world, v *authz.APIToken) error {
			return w.service.Revoke(ctx, w.alice.ID, v.ID)
		}},
		{"expired", func(_ context.Context, w *world, _ *authz.APIToken) error {
			w.clock.Advance(30 * day)
			return nil
		}},
		{"person disabled", func(ctx context.Context, w *world, _ *authz.APIToken) error {
			u := *w.alice
			u.DisabledAt = w.clock.Now()
			return w.store.UpdateUser(ctx, &u)
		}},
		{"person deleted", func(ctx context.Context, w *world, _ *authz.APIToken) error {
			return w.store.DeleteUser(ctx, w.alice.ID, 0)
		}},
		{"API gone", func(_ context.Context, w *world, _ *authz.APIToken) error {
			delete(w.apis, orders)
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, w *world) {
				v, token := w.create(w.good())
				if err := c.end(context.Background(), w, v); err != nil {
					t.Fatal(err)
				}
				if _, err := w.service.Verify(context.Background(), token, anywhere); !errors.Is(err, apitoken.ErrInvalid) {
					t.Errorf("error %v, want invalid", err)
				}
			})
		})
	}
}

func TestUnknownTokenIsInvalid(t *testing.T) {
	t.Parallel()
	w := alone(t)
	ctx := context.Background()
	secret, err := authz.NewSecret(authz.PrefixAPIToken, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.Find(ctx, secret.Reveal()); !errors.Is(err, apitoken.ErrInvalid) {
		t.Errorf("error %v, want invalid", err)
	}
	// The id has half of the hash: who finds another token with that half has not found this.
	hash := secret.Hash()
	hash[31] ^= 1
	now := w.clock.Now()
	if err := w.store.InsertAPIToken(ctx, &authz.APIToken{
		ID: authz.APITokenID(hash), Hash: hash, UserID: w.alice.ID, API: orders, CreatedAt: now, ExpiresAt: now.Add(day),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.Find(ctx, secret.Reveal()); !errors.Is(err, apitoken.ErrInvalid) {
		t.Errorf("error %v, want invalid", err)
	}
	if err := w.service.Leaked(ctx, []string{secret.Reveal()}); err != nil || !w.stored(authz.APITokenID(hash)).RevokedAt.IsZero() {
		t.Errorf("a report of another token revoked this one; error %v", err)
	}
}

func TestOutageIsNoRefusal(t *testing.T) {
	t.Parallel()
	w := alone(t)
	store := storagetest.New(t, storage.WithMaxConns(1))
	broken := apitoken.NewService(apitoken.Config{
		Store: store, Catalog: w.apis, Status: &places{store: store}, Audit: &w.events, Now: w.clock.Now, Random: rand.Reader,
		Roles: func(context.Context, []string) ([]authz.Role, error) { return nil, errors.New("no roles today") },
	})
	_, token := w.create(w.good())
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, createErr := broken.Create(context.Background(), w.alice, w.good())
	_, findErr := broken.Find(gone, token)
	for what, err := range map[string]error{
		"create": createErr, "verify": findErr,
		"revoke": broken.Revoke(gone, w.alice.ID, authz.APITokenID(make([]byte, 32))),
		"leaked": broken.Leaked(gone, []string{token}),
	} {
		var invalid *authz.InvalidError
		if err == nil || errors.Is(err, apitoken.ErrInvalid) || errors.Is(err, authz.ErrNotFound) || errors.As(err, &invalid) {
			t.Errorf("%s: %v, want an outage", what, err)
		}
	}
}

func TestTakingARoleAwayNarrowsATokenAtOnce(t *testing.T) {
	t.Parallel()
	w := alone(t)
	n := w.good()
	n.Scopes = authz.Scopes{"orders:read", "orders:write"}
	_, token := w.create(n)
	for _, c := range []struct {
		name  string
		roles []authz.Role
		api   []authz.APIScope
		want  string
	}{
		{"as made", []authz.Role{{Scopes: authz.Scopes{"orders:read", "orders:write"}}}, w.apis[orders].Scopes, "orders:read orders:write"},
		{"wider roles give no more", []authz.Role{{Scopes: authz.Scopes{authz.AnyScope}}}, w.apis[orders].Scopes, "orders:read orders:write"},
		{"one scope left", []authz.Role{{Scopes: authz.Scopes{"orders:read"}}}, w.apis[orders].Scopes, "orders:read"},
		{"no role", []authz.Role{}, w.apis[orders].Scopes, ""},
		{"nothing said of roles", nil, w.apis[orders].Scopes, ""},
		{"scope gone from the API", []authz.Role{{Scopes: authz.Scopes{authz.AnyScope}}}, w.apis[orders].Scopes[1:], "orders:write"},
	} {
		w.roles = c.roles
		w.apis[orders] = &authz.API{Identifier: orders, Scopes: c.api}
		v, err := w.service.Find(context.Background(), token)
		if err != nil || v.Scopes.String() != c.want {
			t.Errorf("%s: scopes %q, %v; want %q", c.name, v.Scopes, err, c.want)
		}
	}
}

func TestTokenIsGoodFromItsNetworksOnly(t *testing.T) {
	t.Parallel()
	w := alone(t)
	n := w.good()
	n.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fe80::/10")}
	_, token := w.create(n)
	for _, c := range []struct {
		name    string
		address netip.Addr
		good    bool
	}{
		{"inside", netip.MustParseAddr("192.0.2.200"), true},
		{"IPv4 in IPv6", netip.MustParseAddr("::ffff:192.0.2.1"), true},
		{"IPv6", netip.MustParseAddr("2001:db8:1::1"), true},
		{"with a zone", netip.MustParseAddr("fe80::1%eth0"), true},
		{"next door", netip.MustParseAddr("192.0.3.1"), false},
		{"other IPv6", netip.MustParseAddr("2001:db9::1"), false},
		{"unknown", netip.Addr{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := w.service.Verify(context.Background(), token, c.address)
			if (err == nil) != c.good || err != nil && !errors.Is(err, apitoken.ErrAddress) {
				t.Errorf("error %v, want good %v", err, c.good)
			}
		})
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	w := alone(t)
	made, token := w.create(w.good())
	for _, c := range []struct {
		name, token string
		want        apitoken.Inspection
	}{
		{"good", token, apitoken.Inspection{Form: true, Checksum: true, ID: made.ID}},
		{"mistyped", token[:9] + swap(token[9]) + token[10:], apitoken.Inspection{Form: true}},
		{"cut", token[:50], apitoken.Inspection{}},
		{"client secret", "sgs_" + token[4:], apitoken.Inspection{}},
		{"with a dot", token[:9] + "." + token[10:], apitoken.Inspection{}},
		{"empty", "", apitoken.Inspection{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := apitoken.Inspect(c.token)
			if (got.Problem == "") != c.want.Checksum {
				t.Errorf("problem %q", got.Problem)
			}
			if got.Problem = ""; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func swap(c byte) string {
	if c == 'a' {
		return "b"
	}
	return "a"
}

func FuzzInspect(f *testing.F) {
	secret, err := authz.NewSecret(authz.PrefixAPIToken, rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{secret.Reveal(), "", "sgp_", secret.Reveal()[:52], strings.Repeat("sgp_", 14)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got := apitoken.Inspect(token)
		if got.Checksum != authz.WellFormed(authz.PrefixAPIToken, token) || got.Checksum != (got.Problem == "") ||
			got.Checksum != (got.ID != "") || got.Checksum && !got.Form {
			t.Errorf("%q gave %+v", token, got)
		}
		if len(token) > 12 && strings.Contains(got.Problem+got.ID, token) {
			t.Errorf("%q is told again in %+v", token, got)
		}
	})
}

func TestAgesAreShownInDays(t *testing.T) {
	t.Parallel()
	for most, want := range map[time.Duration]string{day: "1 day", 7 * day: "7 days", 90 * time.Minute: "1h30m0s"} {
		w := alone(t)
		s := apitoken.NewService(apitoken.Config{
			Store: w.store, Catalog: w.apis, Status: &places{store: w.store}, Audit: &w.events, MaxLifetime: most, Now: w.clock.Now,
			Roles: func(context.Context, []string) ([]authz.Role, error) { return w.roles, nil },
		})
		if _, _, err := s.Create(context.Background(), w.alice, w.good()); err == nil || !strings.Contains(err.Error(), want+",") {
			t.Errorf("error %v, want one that says %s", err, want)
		}
	}
}
