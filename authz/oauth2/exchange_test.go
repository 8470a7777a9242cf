package oauth2_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
)

const (
	parcels   = "https://parcels.example"
	typeToken = "urn:ietf:params:oauth:token-type:access_token"
)

// addRelay registers a service that may exchange tokens by these rules.
func (w *world) addRelay(id string, rules ...authz.ExchangeRule) *authz.Client {
	w.t.Helper()
	return w.addClient(id, func(m *authz.ClientMetadata) {
		m.Type, m.RedirectURIs, m.TokenExchange = authz.ClientService, nil, rules
		m.GrantTypes = []string{authz.GrantTokenExchange, authz.GrantClientCredentials}
		m.Scope = authz.Scopes{"orders:read"}
	})
}

func rule(from, to string, scopes ...string) authz.ExchangeRule {
	return authz.ExchangeRule{From: from, To: to, Scopes: scopes}
}

// exchangeForm asks for a token for billing; pairs of names and values change it.
func exchangeForm(token string, pairs ...string) url.Values {
	v := cloneWith(url.Values{
		"grant_type": {authz.GrantTokenExchange}, "subject_token": {token},
		"subject_token_type": {typeToken}, "resource": {billing},
	}, pairs...)
	for name, values := range v {
		if values[0] == "-" {
			delete(v, name)
		}
	}
	return v
}

// exchange swaps a token, and must not fail.
func (w *world) exchange(client, token string, pairs ...string) answer {
	w.t.Helper()
	a := w.post("/oauth2/token", client, exchangeForm(token, pairs...))
	if a.status != http.StatusOK {
		w.t.Fatalf("exchange by %s: %d %s", client, a.status, a.raw)
	}
	return a
}

// own gives a client's own token.
func (w *world) own(client string) string {
	w.t.Helper()
	a := w.post("/oauth2/token", client, url.Values{"grant_type": {"client_credentials"}})
	if a.status != http.StatusOK {
		w.t.Fatalf("own token of %s: %d %s", client, a.status, a.raw)
	}
	return a.text("access_token")
}

// good reports whether the server itself still takes a token.
func (w *world) good(token string) bool {
	w.t.Helper()
	_, err := w.provider.AccessToken(context.Background(), token)
	return err == nil
}

func (w *world) disable(clientID string) {
	w.t.Helper()
	c, err := w.store.Client(context.Background(), clientID)
	w.must(err)
	c.DisabledAt = w.clock.Now()
	w.must(w.store.UpdateClient(context.Background(), c))
}

// The subject stays, the exchanging client acts (RFC 8693 §2.2.1, §4.1).
func TestAnExchangedTokenSaysWhoActsForWhom(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		before := w.tokens("web").text("access_token")
		a := w.exchange("relay", before)
		if a.text("issued_token_type") != typeToken || a.text("token_type") != "Bearer" || a.text("scope") != "bills:read" {
			t.Errorf("answer %s", a.raw)
		}
		if a.body["refresh_token"] != nil || a.body["id_token"] != nil {
			t.Errorf("more than an access token: %s", a.raw)
		}
		was, is := w.claims(before), w.claims(a.text("access_token"))
		for _, name := range []string{"iss", "sub", "auth_time"} {
			if is[name] != was[name] {
				t.Errorf("%s was %v and is %v", name, was[name], is[name])
			}
		}
		if fmt.Sprint(is["status"], is["amr"]) != fmt.Sprint(was["status"], was["amr"]) || is["status"] == nil {
			t.Errorf("status %v, amr %v", is["status"], is["amr"])
		}
		if is["aud"] != billing || is["client_id"] != "relay" || is["jti"] == was["jti"] {
			t.Errorf("claims %v", is)
		}
		if act, _ := json.Marshal(is["act"]); string(act) != `{"sub":"relay"}` {
			t.Errorf("act %s", act)
		}
		for token, want := range map[string]bool{before: false, a.text("access_token"): true} {
			if info, err := w.provider.AccessToken(t.Context(), token); err != nil || info.Exchanged != want {
				t.Errorf("read as %+v, %v; want exchanged %v", info, err, want)
			}
		}
		if !w.good(a.text("access_token")) {
			t.Error("the server does not take the token that it has made")
		}
	})
}

// The chain names everybody, the latest outermost, and does not grow for ever.
func TestTheChainOfActorsIsKeptAndBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("there", rule(orders, billing, "bills:read"))
		w.addRelay("back", rule(billing, orders, "orders:read"))
		token, want := w.tokens("web").text("access_token"), ""
		for i, client := range []string{"there", "back", "there", "back"} {
			target := []string{billing, orders}[i%2]
			token = w.exchange(client, token, "resource", target).text("access_token")
			if want == "" {
				want = `{"sub":"` + client + `"}`
			} else {
				want = `{"act":` + want + `,"sub":"` + client + `"}`
			}
			if act, _ := json.Marshal(w.claims(token)["act"]); string(act) != want {
				t.Fatalf("after %d exchanges: act %s, want %s", i+1, act, want)
			}
		}
		if a := w.post("/oauth2/token", "there", exchangeForm(token)); a.status != 400 || a.text("error") != "invalid_request" {
			t.Errorf("a fifth actor: %d %s", a.status, a.raw)
		}
	})
}

// What RFC 8693 §2.1 has, what of it is not done here, and who may (§2.2.2).
func TestExchangesThatAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read"), rule(billing, "https://gone.example", "x"))
		w.addRelay("nothing")
		w.addClient("public", func(m *authz.ClientMetadata) {
			m.AuthMethod, m.GrantTypes = authz.AuthNone, []string{authz.GrantTokenExchange}
			m.TokenExchange = []authz.ExchangeRule{rule(orders, billing, "bills:read")}
		})
		a := w.tokens("web")
		good := a.text("access_token")
		forBilling := w.tokens("web", "resource", billing, "scope", "openid bills:read").text("access_token")
		for _, tc := range []struct {
			name, client string
			form         url.Values
			want         string
		}{
			{"no subject_token", "relay", exchangeForm("-"), "invalid_request"},
			{"no subject_token_type", "relay", exchangeForm(good, "subject_token_type", "-"), "invalid_request"},
			{"subject_token_type of an ID token", "relay", exchangeForm(good, "subject_token_type", "urn:ietf:params:oauth:token-type:id_token"), "invalid_request"},
			{"a refresh token is asked for", "relay", exchangeForm(good, "requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), "invalid_request"},
			{"an ID token is asked for", "relay", exchangeForm(good, "requested_token_type", "urn:ietf:params:oauth:token-type:id_token"), "invalid_request"},
			{"actor_token", "relay", exchangeForm(good, "actor_token", good, "actor_token_type", typeToken), "invalid_request"},
			{"actor_token_type alone", "relay", exchangeForm(good, "actor_token_type", typeToken), "invalid_request"},
			{"no target", "relay", exchangeForm(good, "resource", "-"), "invalid_target"},
			{"two targets", "relay", exchangeForm(good, "audience", orders), "invalid_target"},
			{"a target that no rule has", "relay", exchangeForm(good, "resource", orders), "invalid_target"},
			{"the server itself", "relay", exchangeForm(good, "resource", issuer), "invalid_target"},
			{"a token for an API that no rule starts from", "relay", exchangeForm(forBilling), "invalid_target"},
			{"an API that is gone", "relay", exchangeForm(forBilling, "resource", "https://gone.example"), "invalid_target"},
			{"no rules at all", "nothing", exchangeForm(good), "invalid_target"},
			{"a scope beyond the rule", "relay", exchangeForm(good, "scope", "bills:read bills:pay"), "invalid_scope"},
			{"a scope of the old API", "relay", exchangeForm(good, "scope", "orders:read"), "invalid_scope"},
			{"a scope about the person", "relay", exchangeForm(good, "scope", "bills:read openid"), "invalid_scope"},
			{"not registered for it", "web", exchangeForm(good), "unauthorized_client"},
			{"a tampered token", "relay", exchangeForm(good[:len(good)-4] + "AAAA"), "invalid_request"},
			{"a token of nobody", "relay", exchangeForm("x.y.z"), "invalid_request"},
			{"an ID token", "relay", exchangeForm(a.text("id_token")), "invalid_request"},
			{"a refresh token", "relay", exchangeForm(a.text("refresh_token")), "invalid_request"},
		} {
			got := w.post("/oauth2/token", tc.client, tc.form)
			if got.status != http.StatusBadRequest || got.text("error") != tc.want || got.text("error_description") == "" {
				t.Errorf("%s: %d %s, want %s", tc.name, got.status, got.raw, tc.want)
			}
		}
		if got := w.post("/oauth2/token", "", cloneWith(exchangeForm(good), "client_id", "public")); got.status == 200 {
			t.Errorf("a public client: %s", got.raw)
		}
		w.clock.Advance(11 * time.Minute)
		if got := w.post("/oauth2/token", "relay", exchangeForm(good)); got.text("error") != "invalid_request" {
			t.Errorf("an expired token: %d %s", got.status, got.raw)
		}
	})
}

// audience may stand in the place of resource, and jwt in that of access_token: ours are
// both (RFC 8693 §2.1, §3).
func TestOtherWordsForTheSameExchange(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		token := w.tokens("web").text("access_token")
		const jwt = "urn:ietf:params:oauth:token-type:jwt"
		for name, pairs := range map[string][]string{
			"audience":             {"resource", "-", "audience", billing},
			"jwt shown":            {"subject_token_type", jwt},
			"jwt asked for":        {"requested_token_type", jwt},
			"access_token, spoken": {"requested_token_type", typeToken},
		} {
			if a := w.exchange("relay", token, pairs...); w.claims(a.text("access_token"))["aud"] != billing {
				t.Errorf("%s: %s", name, a.raw)
			}
		}
	})
}

// An exchange is no way round what a person has not allowed: what any API of the old token
// knows and the old token lacks is not to be had, whatever the policy says.
func TestAnExchangeWidensNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		now := w.clock.Now()
		w.must(w.store.InsertAPI(t.Context(), &authz.API{
			Identifier: parcels, Name: "Parcels", CreatedAt: now, UpdatedAt: now, Version: 1,
			Scopes: []authz.APIScope{{Name: "orders:write", Description: "Change"}, {Name: "parcels:read", Description: "See"}},
		}))
		all := []string{"openid", "profile", "email", "orders:read", "orders:write", "bills:read", "parcels:read"}
		w.addRelay("relay", rule(orders, orders, all...), rule(orders, parcels, all...), rule(orders, billing, all...))
		two := authorizeParams("scope", "openid orders:read")
		two["resource"] = []string{orders, billing}
		forBoth := w.post("/oauth2/token", "web", codeForm(w.code(two))).text("access_token")
		forOrders := w.tokens("web", "scope", "openid orders:read").text("access_token")
		for _, tc := range []struct {
			name, token, target, scope, want string
		}{
			{"to the same API", forOrders, orders, "", "openid orders:read"},
			{"to the same API, less", forOrders, orders, "openid", "openid"},
			{"to another, a scope that both know and the token lacks", forOrders, parcels, "", "openid parcels:read"},
			{"the same, asked for", forOrders, parcels, "orders:write", "invalid_scope"},
			{"a scope about the person that the token lacks", forOrders, parcels, "email", "invalid_scope"},
			{"to an API that the token is for already", forBoth, billing, "bills:read", "invalid_scope"},
			{"the same, asked for nothing", forBoth, billing, "", "openid"},
		} {
			a := w.post("/oauth2/token", "relay", exchangeForm(tc.token, "resource", tc.target, "scope", tc.scope))
			if got := a.text("scope") + a.text("error"); got != tc.want {
				t.Errorf("%s: %d %s, want %s", tc.name, a.status, a.raw, tc.want)
			}
		}
	})
}

func TestAnExchangeGivesNoMoreThanThePersonsRolesToday(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		token := w.tokens("web").text("access_token")
		w.roles = []authz.Role{{Name: authz.RoleDefault, Scopes: authz.Scopes{"orders:read"}}}
		if a := w.exchange("relay", token); a.text("scope") != "" {
			t.Errorf("a role that was taken away is exchanged: %s", a.raw)
		}
	})
}

// The new token ends with the old one, and within five minutes, whatever the API or the client
// would give it: it has the old one's place in the status lists, and its actor has none there.
func TestAnExchangedTokenEndsNoLaterThanTheOldOne(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		now := w.clock.Now()
		w.must(w.store.InsertAPI(t.Context(), &authz.API{
			Identifier: parcels, Name: "Parcels", AccessTokenLifetime: 86400, CreatedAt: now, UpdatedAt: now, Version: 1,
			Scopes: []authz.APIScope{{Name: "parcels:read", Description: "See"}},
		}))
		w.addRelay("long", rule(orders, parcels, "parcels:read"))
		w.addRelay("short", rule(orders, billing, "bills:read"))
		c, err := w.store.Client(t.Context(), "short")
		w.must(err)
		c.Metadata.AccessTokenLifetime = 60
		w.must(w.store.UpdateClient(t.Context(), c))
		token := w.tokens("web").text("access_token")
		ends, _ := w.claims(token)["exp"].(float64)
		for _, wait := range []time.Duration{0, 5*time.Minute + 300*time.Millisecond, 4*time.Minute + 30*time.Second} {
			w.clock.Advance(wait)
			a := w.exchange("long", token, "resource", parcels)
			want := min(ends, float64(w.clock.Now().Add(5*time.Minute).Unix()))
			if exp := w.claims(a.text("access_token"))["exp"]; exp != want {
				t.Errorf("ends at %v, want %v; the old token at %v", exp, want, ends)
			}
			if left, _ := a.body["expires_in"].(float64); int64(left) > int64(ends)-w.clock.Now().Unix() {
				t.Errorf("expires_in %v is too long", left)
			}
		}
		short, _ := w.claims(w.exchange("short", token).text("access_token"))["exp"].(float64)
		if short > ends {
			t.Errorf("ends at %v, the old token at %v", short, ends)
		}
	})
}

// The end of the grant, the person or a client ends what a token was swapped for, at once and
// here; services learn of a grant's by the place in the status lists, which is the same.
func TestAnExchangedTokenDiesWithWhatStandsBehindIt(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, a answer){
		"the grant is revoked": func(w *world, a answer) {
			w.post("/oauth2/revoke", "web", url.Values{"token": {a.text("refresh_token")}})
		},
		"the app is disabled":     func(w *world, _ answer) { w.disable("web") },
		"the service is disabled": func(w *world, _ answer) { w.disable("relay") },
		"the person is disabled": func(w *world, _ answer) {
			w.alice.DisabledAt = w.clock.Now()
			w.must(w.store.UpdateUser(context.Background(), w.alice))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				w.addRelay("relay", rule(orders, billing, "bills:read"))
				w.addRelay("further", rule(billing, orders, "orders:read"))
				a := w.tokens("web")
				swapped := w.exchange("relay", a.text("access_token")).text("access_token")
				if !w.good(swapped) {
					t.Fatal("it is not good to begin with")
				}
				end(w, a)
				if w.good(swapped) {
					t.Error("the exchanged token lives on")
				}
				if again := w.post("/oauth2/token", "further", exchangeForm(swapped, "resource", orders)); again.text("error") != "invalid_request" {
					t.Errorf("it is exchanged again: %d %s", again.status, again.raw)
				}
			})
		})
	}
}

// Two policies that each are fine for themselves must not lead back to the first API with
// more than was given there.
func TestNoRoundOfExchangesLeadsToMore(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("there", rule(orders, billing, "bills:read"))
		w.addRelay("back", rule(billing, orders, "orders:read", "orders:write"))
		w.addClient("reader", func(m *authz.ClientMetadata) {
			m.Type, m.GrantTypes, m.RedirectURIs = authz.ClientService, []string{authz.GrantClientCredentials}, nil
			m.Scope, m.APIs = authz.Scopes{"orders:read"}, []string{orders}
		})
		for name, token := range map[string]string{
			"a person's": w.tokens("web", "scope", "openid orders:read").text("access_token"),
			"a client's": w.own("reader"),
		} {
			there := w.exchange("there", token).text("access_token")
			if got := w.exchange("back", there, "resource", orders).text("scope"); got != "orders:read" {
				t.Errorf("%s token comes back with %q", name, got)
			}
			a := w.post("/oauth2/token", "back", exchangeForm(there, "resource", orders, "scope", "orders:write"))
			if a.text("error") != "invalid_scope" {
				t.Errorf("%s token is asked back with more: %d %s", name, a.status, a.raw)
			}
		}
	})
}

// A service may swap a token that another service got for itself: the subject is a client
// then, and nothing in the new token speaks of a person.
func TestAClientsOwnTokenIsExchangedForTheClients(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		w.roles = []authz.Role{} // no role of anybody bounds a client
		before := w.own("service")
		a := w.exchange("relay", before)
		is := w.claims(a.text("access_token"))
		if is["sub"] != "service" || is["client_id"] != "relay" || is["scope"] != "bills:read" || is["aud"] != billing {
			t.Errorf("claims %v", is)
		}
		for _, name := range []string{"auth_time", "acr", "amr", "roles", "email", "preferred_username"} {
			if is[name] != nil {
				t.Errorf("%s = %v of a client", name, is[name])
			}
		}
		if fmt.Sprint(is["status"]) != fmt.Sprint(w.claims(before)["status"]) {
			t.Errorf("status %v is not that of the subject", is["status"])
		}
		if got := w.userinfo(a.text("access_token")); got.status != http.StatusForbidden {
			t.Errorf("userinfo about a client: %d %s", got.status, got.raw)
		}
		w.disable("service")
		if w.good(a.text("access_token")) {
			t.Error("the token lives on without its subject")
		}
	})
}

// The short token that a gateway made of an API token can be swapped on, and dies with it.
func TestTheTokenOfAGatewayIsExchanged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read", "openid"))
		made := w.addAPIToken(orders, "orders:read")
		short := w.mint(made)
		a := w.exchange("relay", short)
		is := w.claims(a.text("access_token"))
		if is["sub"] != w.alice.ID || is["client_id"] != "relay" || a.text("scope") != "bills:read" || is["exp"] != w.claims(short)["exp"] {
			t.Errorf("claims %v", is)
		}
		if fmt.Sprint(is["status"]) != fmt.Sprint(w.claims(short)["status"]) || is["status"] == nil {
			t.Errorf("status %v", is["status"])
		}
		if !w.good(a.text("access_token")) {
			t.Fatal("it is not good to begin with")
		}
		n, err := w.store.RevokeAPIToken(t.Context(), made.ID, w.alice.ID, authz.RevokedByUser, w.clock.Now())
		if w.must(err); n != 1 || w.good(a.text("access_token")) || w.good(short) {
			t.Error("what came from the API token outlives it")
		}
	})
}

func TestAnExchangedTokenOfAnAPITokenDiesWithItsService(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		swapped := w.exchange("relay", w.mint(w.addAPIToken(orders, "orders:read"))).text("access_token")
		w.disable("relay")
		if w.good(swapped) {
			t.Error("the service is disabled and its token is good")
		}
	})
}

// addAPIToken gives alice an API token.
func (w *world) addAPIToken(api, scope string, changes ...func(*authz.APIToken)) *authz.APIToken {
	w.t.Helper()
	secret, err := authz.NewSecret(authz.PrefixAPIToken, rand.Reader)
	w.must(err)
	now := w.clock.Now()
	made := &authz.APIToken{
		ID: authz.APITokenID(secret.Hash()), Hash: secret.Hash(), UserID: w.alice.ID, Name: rand.Text(),
		API: api, Scopes: authz.ParseScopes(scope), CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour), StatusIndex: 4711,
	}
	for _, change := range changes {
		change(made)
	}
	if room, err := w.store.AddAPIToken(context.Background(), made, 10); err != nil || !room {
		w.t.Fatalf("add API token: %v %v", room, err)
	}
	return made
}

// mint makes the short token of a gateway of an API token.
func (w *world) mint(of *authz.APIToken) string {
	w.t.Helper()
	api, err := w.api(context.Background(), of.API)
	w.must(err)
	token, _, err := w.provider.MintForGateway(oauth2.GatewayToken{
		API: api, Scopes: of.Scopes, ClientID: of.ID, User: w.alice, Origin: of.ID, Status: of.StatusIndex,
		Lifetime: time.Minute,
	})
	w.must(err)
	return token
}

// A client that is registered under the name of one that was deleted is another: what the
// first had is not the second's.
func TestALaterClientOfTheSameIDIsAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(orders, billing, "bills:read"))
		again := func(id string) {
			c, err := w.store.Client(t.Context(), id)
			w.must(err)
			_, err = w.store.DeleteClient(t.Context(), id, 0, w.clock.Now())
			w.must(err)
			w.clock.Advance(time.Minute)
			w.addClient(id, func(m *authz.ClientMetadata) { *m = c.Metadata })
		}
		swapped := w.exchange("relay", w.tokens("web").text("access_token")).text("access_token")
		own := w.own("service")
		again("service")
		if w.good(own) || !w.good(w.own("service")) {
			t.Errorf("the first one's token is good: %v, the second's: %v", w.good(own), w.good(w.own("service")))
		}
		if !w.good(swapped) {
			t.Error("it was not theirs")
		}
		again("relay")
		if w.good(swapped) {
			t.Error("what the first one swapped is good")
		}
	})
}
