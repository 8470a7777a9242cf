package gateway_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/gateway"
)

func TestEveryCredentialBecomesOneKindOfToken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		v, apiToken := w.apiToken()
		accessToken, g := w.accessToken()
		cookie, session := w.cookie()
		person := map[string]string{
			gateway.HeaderUser: "alice", gateway.HeaderName: "Alice Liddell",
			gateway.HeaderEmail: "alice@example.com", gateway.HeaderGroups: "clerk,reader",
		}
		client := map[string]string{gateway.HeaderUser: "", gateway.HeaderName: "", gateway.HeaderEmail: "", gateway.HeaderGroups: ""}
		for _, c := range []struct {
			name             string
			facts            gateway.Facts
			subject, client  string
			origin           string
			headers          map[string]string
			statements, uses int64
		}{
			{"API token", asking(apiToken), w.alice.ID, v.ID, v.ID, person, 1, 1},
			{"access token of a person", asking(accessToken), w.alice.ID, "app", g.ID, person, 1, 0},
			{"access token of a client", asking(w.clientToken()), "service", "service", "", client, 1, 0},
			{"browser session", browsing(cookie), w.alice.ID, gateway.ClientID(orders), session.ID, person, 1, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				uses := w.uses.Load()
				var got gateway.Verdict
				statements, signatures := w.cost(func() { got = w.check(c.facts, gateway.Allow) })
				if statements != c.statements || signatures != 1 {
					t.Errorf("%d statements and %d signatures, want %d and 1", statements, signatures, c.statements)
				}
				claims := w.claims(got.Token)
				if claims["iss"] != issuer || claims["aud"] != orders || claims["sub"] != c.subject || claims["client_id"] != c.client {
					t.Errorf("claims %v", claims)
				}
				if life := claims["exp"].(float64) - claims["iat"].(float64); claims["scope"] != "orders:read orders:write" || life != 60 {
					t.Errorf("scope %v for %v seconds, want those of the API alone for 60", claims["scope"], life)
				}
				if jti := claims["jti"].(string); !strings.HasPrefix(jti, c.origin) || jti == c.origin {
					t.Errorf("jti %q does not begin with what it came from, %q", jti, c.origin)
				}
				if !maps.Equal(got.Headers, c.headers) {
					t.Errorf("headers %v, want %v", got.Headers, c.headers)
				}
				w.costsNothing(c.facts, got.Token)
				if n := w.uses.Load() - uses; n != 2*c.uses {
					t.Errorf("%d uses noted, want %d", n, 2*c.uses)
				}
			})
		}
	})
}

// costsNothing checks once more, and wants the same token without statement and signature.
func (w *world) costsNothing(f gateway.Facts, token string) {
	w.t.Helper()
	statements, signatures := w.cost(func() {
		if again := w.check(f, gateway.Allow); again.Token != token {
			w.t.Error("signed anew")
		}
	})
	if statements != 0 || signatures != 0 {
		w.t.Errorf("%d statements and %d signatures for the second check, want none", statements, signatures)
	}
}

func TestBadCredentialIsRefused(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, good := w.apiToken()
	accessToken, _ := w.accessToken()
	cookie, _ := w.cookie()
	foreign := w.grant("app", w.session().ID)
	sealed, err := w.service.SealSession(orders, foreign.ID)
	w.must(err)
	other, err := w.service.SealSession(bills, foreign.ID)
	w.must(err)
	expired, _ := w.accessToken("exp", "x")
	elsewhere, _ := w.accessToken("aud", bills)
	_, forBills := w.apiToken(func(n *apitoken.New) { n.API, n.Scopes = bills, authz.Scopes{"bills:read"} })
	for _, c := range []struct {
		name  string
		facts gateway.Facts
	}{
		{"API token with a wrong checksum", asking(good[:52] + otherDigit(good[52]))},
		{"access token with a changed signature", asking(accessToken[:len(accessToken)-4] + "AAAA")},
		{"access token that does not parse", asking(expired)},
		{"access token for another API", asking(elsewhere)},
		{"API token for another API", asking(forBills)},
		{"cookie as bearer token", asking(cookie)},
		{"bearer token as cookie", browsing(good)},
		{"access token as cookie", browsing(accessToken)},
		{"cookie with the grant of another client", browsing(sealed.Reveal())},
		{"cookie of another API", browsing(other.Reveal())},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := gateway.Unauthenticated
			if c.facts.Browser {
				want = gateway.SignIn
			}
			for range 2 {
				v := w.check(c.facts, want)
				if want == gateway.Unauthenticated && !strings.Contains(v.Challenge, `error="invalid_token"`) {
					t.Errorf("challenge %s", v.Challenge)
				}
			}
		})
	}
	t.Cleanup(func() {
		if n := w.mints.Load(); n != 2 {
			t.Errorf("%d signatures, want those 2 for what was good", n)
		}
	})
	// One that is good as what it is stays no good as something else when its answer is kept.
	w.check(browsing(cookie), gateway.Allow)
	w.check(asking(good), gateway.Allow)
	w.check(asking(cookie), gateway.Unauthenticated)
	w.check(browsing(good), gateway.SignIn)
}

func TestWhatATokenSaysOfItsSubjectIsKept(t *testing.T) {
	t.Parallel()
	w := alone(t)
	ends := w.clock.Now().Add(40 * time.Second).Unix()
	token, _ := w.accessToken(
		"act", map[string]any{"sub": "service"}, "cnf", map[string]any{"jkt": "thumb"}, "exp", ends, "auth_time", 1_700_000_000, "acr", "2",
		"status", map[string]any{"status_list": map[string]any{"idx": 5, "uri": issuer + "/status-lists/0"}},
	)
	claims := w.claims(w.check(asking(token), gateway.Allow).Token)
	shown := w.claims(token)
	for _, name := range []string{"sub", "client_id", "act", "cnf", "exp", "auth_time", "acr", "status"} {
		if !reflect.DeepEqual(claims[name], shown[name]) {
			t.Errorf("%s is %v, want %v as in the token that was shown", name, claims[name], shown[name])
		}
	}
}

func TestNetworksHoldForEachCall(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken(func(n *apitoken.New) { n.Networks = append(n.Networks, prefix("192.0.2.0/24")) })
	for _, c := range []struct {
		name string
		from gateway.Facts
		want gateway.Outcome
	}{
		{"first from outside", from(asking(token), there), gateway.Unauthenticated},
		{"inside", asking(token), gateway.Allow},
		{"outside", from(asking(token), there), gateway.Unauthenticated},
		{"inside as IPv6", from(asking(token), addr("::ffff:192.0.2.1")), gateway.Allow},
		{"unknown address", from(asking(token), addr("")), gateway.Unauthenticated},
	} {
		v := w.check(c.from, c.want)
		if c.want == gateway.Unauthenticated && !strings.Contains(v.Reason, "address") {
			t.Errorf("%s: reason %q", c.name, v.Reason)
		}
	}
	if n := w.mints.Load(); n != 1 {
		t.Errorf("%d signatures, want 1", n)
	}
	if n := w.uses.Load(); n != 2 {
		t.Errorf("%d uses noted, want those 2 that passed", n)
	}
}

func TestScopesAreHeldAgainstEachCall(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken(func(n *apitoken.New) { n.Scopes = authz.Scopes{"orders:read"} })
	first := w.check(asking(token, "orders:read"), gateway.Allow)
	statements, signatures := w.cost(func() {
		v := w.check(asking(token, "orders:write"), gateway.Forbidden)
		if v.Challenge != `Bearer realm="https://orders.example", error="insufficient_scope", `+
			`error_description="The request needs the scope orders:write.", scope="orders:write"` {
			t.Errorf("challenge %s", v.Challenge)
		}
		w.check(asking(token, "orders:read", "orders:write"), gateway.Forbidden)
		if v := w.check(asking(token), gateway.Allow); v.Token != first.Token {
			t.Error("another token for the same credential and API")
		}
	})
	if statements != 0 || signatures != 0 {
		t.Errorf("%d statements and %d signatures, want none", statements, signatures)
	}
}

func TestRolesNarrowEveryCredentialOfAPerson(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, apiToken := w.apiToken()
	accessToken, _ := w.accessToken()
	cookie, _ := w.cookie()
	all := map[string]gateway.Facts{"API token": asking(apiToken), "access token": asking(accessToken), "session": browsing(cookie)}
	for _, c := range []struct {
		name  string
		roles []authz.Role
		scope string
		want  gateway.Outcome
	}{
		{"both scopes", []authz.Role{{Scopes: authz.Scopes{"orders:read", "orders:write"}}}, "orders:read orders:write", gateway.Allow},
		{"one scope", []authz.Role{{Scopes: authz.Scopes{"orders:read", "bills:read"}}}, "orders:read", gateway.Allow},
		{"no scope", []authz.Role{{Scopes: authz.Scopes{"bills:read"}}}, "", gateway.Forbidden},
		{"no role", []authz.Role{}, "", gateway.Forbidden},
		{"nothing said of roles", nil, "", gateway.Forbidden},
	} {
		w.roles = c.roles
		w.service.Changed("roles", "clerk")
		for name, facts := range all {
			v := w.check(facts, c.want)
			if c.want == gateway.Allow && w.claims(v.Token)["scope"] != c.scope {
				t.Errorf("%s with %s: scope %v, want %q", name, c.name, w.claims(v.Token)["scope"], c.scope)
			}
		}
	}
	if n := w.mints.Load(); n != 6 {
		t.Errorf("%d signatures, want those 6 for what passed", n)
	}
	v := w.check(asking(w.clientToken()), gateway.Allow)
	if got := w.claims(v.Token)["scope"]; got != "orders:read orders:write" {
		t.Errorf("a client that acts for itself was narrowed by roles to %v", got)
	}
}

func TestMisconfigurationIsNotedForTheLog(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken()
	for _, c := range []struct {
		name   string
		change func(*gateway.Facts)
		says   string
	}{
		{"unknown API", func(f *gateway.Facts) { f.API = "https://oders.example" }, `?api="https://oders.example"`},
		{"unknown place", func(f *gateway.Facts) { f.URL = parse("https://oders.example/7") }, `"https://oders.example/7"`},
		{"unknown scope", func(f *gateway.Facts) { f.Scopes = authz.Scopes{"orders:reed"} }, "?scope=orders:reed"},
		{"scope of OpenID Connect", func(f *gateway.Facts) { f.Scopes = authz.Scopes{"openid"} }, "?scope=openid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := asking(token)
			c.change(&f)
			var noted error
			v, err := w.service.Check(authz.WithNotes(context.Background(), func(e error) { noted = e }), f)
			if v.Outcome != gateway.Misconfigured || err == nil || noted == nil || !strings.Contains(noted.Error(), c.says) {
				t.Errorf("%v with %v, noted %v", v.Outcome, err, noted)
			}
		})
	}
}

func TestShortTokenEndsWithItsCredential(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken(func(n *apitoken.New) { n.ExpiresAt = w.clock.Now().Add(20 * time.Second) })
	end := float64(w.clock.Now().Add(20 * time.Second).Unix())
	first := w.check(asking(token), gateway.Allow)
	if got := w.claims(first.Token)["exp"]; got != end {
		t.Errorf("ends at %v, want %v", got, end)
	}
	w.clock.Advance(15 * time.Second)
	if again := w.check(asking(token), gateway.Allow); again.Token == first.Token || w.claims(again.Token)["exp"] != end {
		t.Error("a token was used beyond half of its life, or outlives its credential")
	}
	w.clock.Advance(5 * time.Second)
	w.check(asking(token), gateway.Unauthenticated)
}

func TestShortTokenIsShort(t *testing.T) {
	t.Parallel()
	for set, want := range map[time.Duration]float64{0: 60, 20 * time.Second: 20, time.Hour: 60} {
		w := alone(t, func(c *gateway.Config) { c.Lifetime = set })
		_, token := w.apiToken()
		claims := w.claims(w.check(asking(token), gateway.Allow).Token)
		if life := claims["exp"].(float64) - claims["iat"].(float64); life != want {
			t.Errorf("set to %v it lives for %v seconds, want %v", set, life, want)
		}
	}
}

func TestAnswerNeverOutlivesItsCredential(t *testing.T) {
	t.Parallel()
	w := alone(t, func(c *gateway.Config) {
		c.Mint = func(context.Context, gateway.Claims) (string, time.Time, error) {
			return "long", time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), nil
		}
	})
	_, token := w.apiToken(func(n *apitoken.New) { n.ExpiresAt = w.clock.Now().Add(20 * time.Second) })
	w.check(asking(token), gateway.Allow)
	w.clock.Advance(20 * time.Second)
	w.check(asking(token), gateway.Unauthenticated)
}

func TestWithoutASignatureNobodyPasses(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken()
	w.mute.Store(true)
	w.check(asking(token), gateway.Unavailable)
	w.mute.Store(false)
	w.check(asking(token), gateway.Allow)
}

func TestNewWantsAGoodCookieKey(t *testing.T) {
	t.Parallel()
	if _, err := gateway.New(gateway.Config{CookieKey: make([]byte, 31)}); err == nil {
		t.Error("31 bytes were taken for a key")
	}
}

func TestVisitIsNotedAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	w := alone(t)
	cookie, _ := w.cookie()
	w.check(browsing(cookie), gateway.Allow)
	w.clock.Advance(59 * time.Second)
	w.check(browsing(cookie), gateway.Allow)
	if n := w.seen.Load(); n != 0 {
		t.Errorf("noted %d times within the minute", n)
	}
	w.clock.Advance(40 * time.Second)
	w.check(browsing(cookie), gateway.Allow)
	for w.seen.Load() == 0 { // it is noted beside the request
		time.Sleep(time.Millisecond)
	}
}

func TestIdentityThatNeverEndsIsRefused(t *testing.T) {
	t.Parallel()
	w := alone(t, func(c *gateway.Config) { c.AccessTokens = endless{} })
	w.check(asking("abc"), gateway.Unauthenticated)
}

// endless forgets to say when a token ends.
type endless struct{}

func (endless) AccessToken(context.Context, string) (*gateway.Identity, error) {
	return &gateway.Identity{ClientID: "app", Audience: []string{orders}}, nil
}

func TestErrorsSayWhatFailed(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken()
	w.down.Store(true)
	_, err := w.service.Check(context.Background(), asking(token))
	if !errors.Is(err, errDown) {
		t.Errorf("error %v hides its cause", err)
	}
}

// otherDigit is any digit but this one.
func otherDigit(c byte) string {
	if c == 'x' {
		return "y"
	}
	return "x"
}
