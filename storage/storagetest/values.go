package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// testTimes puts in what a clock gives and demands what both databases can keep.
func testTimes(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertClient(ctx, newClient("app")))
	stockholm := time.FixedZone("CEST", 2*60*60)
	for _, c := range []struct {
		name     string
		in, want time.Time
	}{
		{"another zone", time.Date(2026, 7, 1, 14, 0, 0, 0, stockholm), time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)},
		{"nanoseconds", noon().Add(999), noon()},
		{"the epoch", time.Unix(0, 0), time.Unix(0, 0).UTC()},
		{"before the epoch", time.Date(1900, 1, 1, 0, 0, 0, 1999, time.UTC), time.Date(1900, 1, 1, 0, 0, 0, 1000, time.UTC)},
		{"far away", time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)},
		{"zero", time.Time{}, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			must(t, s.InsertClientSecret(ctx, "app", authz.ClientSecret{ID: c.name, Hash: hash("s"), CreatedAt: noon(), ExpiresAt: c.in}))
			got, err := s.Client(ctx, "app")
			must(t, err)
			for _, v := range got.Secrets {
				if v.ID == c.name {
					same(t, "time", v.ExpiresAt, c.want)
				}
			}
		})
	}
	clock := time.Now() // with a monotonic reading
	c := newClient("now")
	c.CreatedAt = clock
	must(t, s.InsertClient(ctx, c))
	got, err := s.Client(ctx, "now")
	must(t, err)
	same(t, "what a clock gave", got.CreatedAt, clock.UTC().Truncate(time.Microsecond))
}

// testStructures tells nil from empty, and null from four letters.
func testStructures(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	for _, c := range []struct {
		name      string
		resources []string
		claims    json.RawMessage
		want      json.RawMessage
	}{
		{"nil", nil, nil, nil},
		{"empty", []string{}, json.RawMessage(""), nil},
		{"null", []string{""}, json.RawMessage("null"), nil},
		{"object", []string{"a", "b\u2028<>&"}, json.RawMessage(`{ "x" : [1, "\u00e5"] }`), json.RawMessage(`{"x":[1,"å"]}`)},
		{"escaped escape", nil, json.RawMessage(`{"x":"\\u0000"}`), json.RawMessage(`{"x":"\\u0000"}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGrant(c.name, "app", "ann")
			g.Resources, g.Claims = c.resources, c.claims
			must(t, s.InsertGrant(ctx, g))
			got, err := s.RedeemCode(ctx, claimOf(g))
			must(t, err)
			same(t, "resources", got.Resources, c.resources)
			if got.Claims != nil {
				got.Claims = compact(t, got.Claims)
			}
			same(t, "claims", string(got.Claims), string(c.want))
			same(t, "claims are absent", got.Claims == nil, c.want == nil)
		})
	}
}

// testClaims demands what an administrator says of a person back as it was said: every digit
// of a number, and text that is an escape to JSON, HTML or a database.
func testClaims(ctx context.Context, t *testing.T, s store) {
	for _, c := range []struct {
		name   string
		claims authz.UserClaims
	}{
		{"nil", nil},
		{"none", authz.UserClaims{}},
		{"a number that is no float64", authz.UserClaims{"n": json.Number("9007199254740993")}},
		{"a number that is no int64", authz.UserClaims{"n": json.Number("-9223372036854775809")}},
		{"as many digits as there may be", authz.UserClaims{"n": json.Number(strings.Repeat("9", 32))}},
		{"a fraction that is no float64", authz.UserClaims{"n": json.Number("0.1000000000000000055511151231")}},
		{"zeros that say nothing", authz.UserClaims{"a": json.Number("1.50"), "b": json.Number("0"), "c": json.Number("0.0")}},
		{"what looks like another kind", authz.UserClaims{"a": "true", "b": "7", "c": "null", "d": "[]", "e": "{}", "f": ""}},
		{"truth", authz.UserClaims{"a": true, "b": false}},
		{"lists", authz.UserClaims{"a": []string{}, "b": []string{""}, "c": []string{"b", "a", "b"}}},
		{"escapes", authz.UserClaims{"a": `\u0000 \\ " ' % $1 ?`, "b": "<>& \u2028 \u00e5 \U0001f680", "c": []string{`"],["`}}},
		{"names", authz.UserClaims{"b": "x", "aa": "y", "https://acme.example/claims?a='b'&c=%20#d": "z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUser(c.name)
			u.Claims = c.claims
			must(t, s.InsertUser(ctx, u))
			got, err := s.User(ctx, u.ID)
			must(t, err)
			same(t, "claims", got.Claims, c.claims)
			must(t, s.UpdateUser(ctx, got))
			must(t, s.InsertAPIToken(ctx, newAPIToken(u.ID, u.ID)))
			_, got, err = s.LiveAPIToken(ctx, u.ID, noon())
			must(t, err)
			same(t, "claims of whose API token it is", got.Claims, c.claims)
		})
	}
	odd := newUser("odd")
	odd.Claims = authz.UserClaims{"a": "\x00"}
	invalid(t, "a claim that cannot be stored", s.InsertUser(ctx, odd))
}

// testText holds the databases to one answer for bytes that only one of them could keep: a
// name that cannot be is not found, and a row that would carry it is invalid.
func testText(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	for _, odd := range []string{"a\x00b", "\xff", "a\xc3"} {
		_, err := s.Client(ctx, odd)
		refused(t, "client", err, authz.ErrNotFound)
		_, err = s.API(ctx, odd)
		refused(t, "API", err, authz.ErrNotFound)
		_, _, err = s.SessionWithUser(ctx, odd, noon())
		refused(t, "session", err, authz.ErrNotFound)
		_, _, err = s.LiveGrant(ctx, odd, odd, noon())
		refused(t, "grant", err, authz.ErrNotFound)
		invalid(t, "client", s.InsertClient(ctx, newClient(odd)))
		invalid(t, "user", s.InsertUser(ctx, newUser(odd)))
		_, err = s.Clients(ctx, odd, 1)
		invalid(t, "cursor", err)
	}
	_, err := s.UserByName(ctx, "a\x00b")
	refused(t, "name", err, authz.ErrNotFound)

	i := newInteraction("i", "app")
	i.Params = url.Values{"nonce": {"a\x00b"}}
	invalid(t, "parameters", s.InsertInteraction(ctx, i))
	for _, claims := range []string{`5`, `"text"`, `{"a":"\u0000"}`, `{"a":"\\\u0000"}`, "{\"a\":\"\xff\"}"} {
		g := newGrant(claims, "app", "ann")
		g.ID, g.Claims = "g", json.RawMessage(claims)
		invalid(t, "claims "+claims, s.InsertGrant(ctx, g))
	}
	same(t, "grants", s.count(ctx, t, "grants"), 0)
}

func invalid(t *testing.T, what string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*authz.InvalidError](err); !ok {
		t.Errorf("%s: got %v, want an *authz.InvalidError", what, err)
	}
}

// testOrphans inserts rows whose parent is gone: a refusal, not an outage.
func testOrphans(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertClient(ctx, newClient("app")))
	secret := authz.ClientSecret{ID: "s", Hash: hash("s"), CreatedAt: noon()}
	for what, err := range map[string]error{
		"secret":      s.InsertClientSecret(ctx, "none", secret),
		"interaction": s.InsertInteraction(ctx, newInteraction("i", "none")),
		"grant":       s.InsertGrant(ctx, newGrant("g", "app", "none")),
		"session":     s.InsertSession(ctx, newSession("s", "none")),
		"password":    s.SetPassword(ctx, authz.PasswordCredential{UserID: "none", Hash: "h", ChangedAt: noon()}),
		"consent":     s.PutConsent(ctx, &authz.Consent{UserID: "none", ClientID: "app", CreatedAt: noon(), UpdatedAt: noon()}),
		"api token":   s.InsertAPIToken(ctx, newAPIToken("t", "none")),
	} {
		refused(t, what+" of nobody", err, authz.ErrNotFound)
	}
}

// testEndedContexts ends the context at every stage. Nothing may be reported as done that
// was not, and the connections stay usable.
func testEndedContexts(ctx context.Context, t *testing.T, s store) {
	role := authz.Role{Name: "baker", CreatedAt: noon(), UpdatedAt: noon()}
	for _, c := range []struct {
		name string
		run  func(ctx context.Context, cancel func()) error
	}{
		{"before a statement", func(ctx context.Context, cancel func()) error {
			cancel()
			return s.InsertRole(ctx, role)
		}},
		{"before a transaction", func(ctx context.Context, cancel func()) error {
			cancel()
			return s.InTx(ctx, func(ctx context.Context) error { return s.InsertRole(ctx, role) })
		}},
		{"between statements", func(ctx context.Context, cancel func()) error {
			return s.InTx(ctx, func(ctx context.Context) error {
				must(t, s.InsertRole(ctx, role))
				cancel()
				_, err := s.Role(ctx, role.Name)
				return err
			})
		}},
		{"before the commit", func(ctx context.Context, cancel func()) error {
			return s.InTx(ctx, func(ctx context.Context) error {
				must(t, s.InsertRole(ctx, role))
				cancel()
				time.Sleep(time.Millisecond) // with and without the rollback that database/sql does by itself
				return nil
			})
		}},
	} {
		for range 20 {
			ending, cancel := context.WithCancel(ctx)
			refused(t, c.name, c.run(ending, cancel), context.Canceled)
			cancel()
		}
	}
	roles, err := s.Roles(ctx)
	must(t, err)
	same(t, "roles", len(roles), 0)
}
