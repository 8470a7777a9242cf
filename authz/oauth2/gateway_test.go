package oauth2_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
)

// The short token that a service behind a gateway sees says who asks, for this API, for
// moments, and rests on what stands behind the credential that was shown.
func TestShortTokensSayWhatStandsBehindThem(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("relay", rule(billing, orders, "orders:read"))
		api := w.orders(func(*authz.API) {})
		a := w.tokens("web")
		access := a.text("access_token")
		grant := w.claims(access)["jti"].(string)[:22]
		script := w.addAPIToken(orders, "orders:read")
		swapped := w.exchange("relay", w.tokens("web", "resource", billing, "scope", "openid bills:read").text("access_token"), "resource", orders).text("access_token")
		shown := func(token string) oauth2.GatewayToken {
			who, err := w.provider.ShownAtGateway(context.Background(), token)
			w.must(err)
			return oauth2.GatewayToken{
				API: api, Scopes: authz.Scopes{"orders:read"}, ClientID: who.ClientID, User: who.User, Origin: who.Origin,
				AuthTime: who.AuthTime, ACR: who.ACR, AMR: who.AMR, Lifetime: time.Minute, Token: token,
			}
		}
		for _, tc := range []struct {
			name                string
			of                  oauth2.GatewayToken
			sub, client, origin string
			status, auth, act   string
		}{
			{"an access token", shown(access), w.alice.ID, "web", grant, fmt.Sprint(w.claims(access)["status"]), fmt.Sprint(w.claims(access)["auth_time"]), "<nil>"},
			{"an exchanged token", shown(swapped), w.alice.ID, "relay", w.claims(swapped)["jti"].(string)[:22], fmt.Sprint(w.claims(swapped)["status"]), fmt.Sprint(w.claims(swapped)["auth_time"]), "map[sub:relay]"},
			{"a client's own token", shown(w.own("service")), "service", "service", "", fmt.Sprint(w.claims(w.own("service"))["status"]), "<nil>", "<nil>"},
			{"an API token", oauth2.GatewayToken{
				API: api, Scopes: authz.Scopes{"orders:read"}, ClientID: script.ID, User: w.alice, Origin: script.ID, Status: 99, Lifetime: time.Minute,
			}, w.alice.ID, script.ID, script.ID, "map[status_list:map[idx:99 uri:" + issuer + "/status-lists/0]]", "<nil>", "<nil>"},
			{"a session", oauth2.GatewayToken{
				API: api, Scopes: authz.Scopes{"orders:read"}, ClientID: "web", User: w.alice, Origin: grant, Status: 98, Lifetime: time.Minute,
				AuthTime: w.clock.Now(), AMR: []string{"pwd"},
			}, w.alice.ID, "web", grant, "map[status_list:map[idx:98 uri:" + issuer + "/status-lists/0]]", fmt.Sprint(float64(w.clock.Now().Unix())), "<nil>"},
		} {
			token, ends, err := w.provider.MintForGateway(tc.of)
			w.must(err)
			c := w.claims(token)
			got := fmt.Sprintln(c["sub"], c["client_id"], c["status"], c["auth_time"], c["act"], c["aud"], c["scope"], c["iss"])
			want := fmt.Sprintln(tc.sub, tc.client, tc.status, tc.auth, tc.act, orders, "orders:read", issuer)
			if got != want {
				t.Errorf("%s: %s\nwant %s", tc.name, got, want)
			}
			if jti, _ := c["jti"].(string); !strings.HasPrefix(jti, tc.origin) || len(jti) < len(tc.origin)+16 {
				t.Errorf("%s: jti %s", tc.name, jti)
			}
			if exp, _ := c["exp"].(float64); int64(exp) != w.clock.Now().Unix()+60 || !ends.Equal(w.clock.Now().Add(time.Minute)) {
				t.Errorf("%s: exp %v, said to end at %s", tc.name, c["exp"], ends)
			}
			if !w.good(token) {
				t.Errorf("%s: the server does not take it", tc.name)
			}
		}
	})
}

// What a gateway keeps about a token it forgets when one of these changes.
func TestAllClientsBehindATokenAreTold(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("there", rule(orders, billing, "bills:read"))
		w.addRelay("back", rule(billing, orders, "orders:read"))
		script := w.addAPIToken(orders, "orders:read")
		access := w.tokens("web").text("access_token")
		ofApp := w.addAPIToken(orders, "orders:read", func(v *authz.APIToken) { v.MadeBy = "web" })
		once := w.exchange("there", access).text("access_token")
		for name, tc := range map[string]struct{ token, want string }{
			"an access token":                  {access, "web web"},
			"exchanged":                        {once, "there there web"},
			"exchanged again":                  {w.exchange("back", once, "resource", orders).text("access_token"), "back back there web"},
			"a client's own":                   {w.own("service"), "service service"},
			"of an API token":                  {w.mint(script), ""},
			"exchanged for that":               {w.exchange("there", w.mint(script)).text("access_token"), "there there"},
			"of an API token that an app made": {w.mint(ofApp), "web"},
			"exchanged for such a one":         {w.exchange("there", w.mint(ofApp)).text("access_token"), "there there web"},
			"a client's own, which exchanged":  {w.exchange("there", w.own("service")).text("access_token"), "there there service"},
		} {
			who, err := w.provider.ShownAtGateway(t.Context(), tc.token)
			w.must(err)
			if got := strings.Join(who.Clients, " "); got != tc.want {
				t.Errorf("%s: clients %q, want %q", name, got, tc.want)
			}
		}
	})
}

func TestAShortTokenEndsNoLaterThanTheTokenThatWasShown(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		access := w.tokens("web").text("access_token")
		of := oauth2.GatewayToken{
			API: w.orders(func(*authz.API) {}), ClientID: "web", User: w.alice, Lifetime: time.Minute, Token: access,
		}
		w.clock.Advance(9*time.Minute + 30*time.Second)
		token, ends, err := w.provider.MintForGateway(of)
		if w.must(err); w.claims(token)["exp"] != w.claims(access)["exp"] || ends.Sub(w.clock.Now()) != 30*time.Second {
			t.Errorf("ends at %v and %s", w.claims(token)["exp"], ends)
		}
		w.clock.Advance(time.Minute)
		if _, _, err := w.provider.MintForGateway(of); !errors.Is(err, oauth2.ErrInvalidToken) {
			t.Errorf("of an expired token: %v", err)
		}
		of.Token = "x.y.z"
		if _, _, err := w.provider.MintForGateway(of); !errors.Is(err, oauth2.ErrInvalidToken) {
			t.Errorf("of no token: %v", err)
		}
	})
}

func TestAShortTokenDiesWithItsGrant(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.tokens("web")
		token, _, err := w.provider.MintForGateway(oauth2.GatewayToken{
			API: w.orders(func(*authz.API) {}), ClientID: "web", User: w.alice, Lifetime: time.Minute, Token: a.text("access_token"),
		})
		w.must(err)
		w.post("/oauth2/revoke", "web", url.Values{"token": {a.text("refresh_token")}})
		if w.good(token) {
			t.Error("it lives on")
		}
	})
}

// A code of a gateway's client is spent in process, under the rules of the token endpoint.
func TestCodesSpentInProcess(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		code := w.code(authorizeParams())
		redeem := func(client, code, uri, verifier string) (string, error) {
			return w.provider.RedeemForGateway(ctx, client, code, uri, authz.Secret(verifier))
		}
		for name, err := range map[string]error{
			"another client": second(redeem("other", code, appURI, verifier)), "an unknown client": second(redeem("nobody", code, appURI, verifier)),
			"another address": second(redeem("web", code, appURI+"/x", verifier)), "another verifier": second(redeem("web", code, appURI, strings.Repeat("x", 43))),
			"no verifier": second(redeem("web", code, appURI, "")), "no code": second(redeem("web", "x", appURI, verifier)),
		} {
			if !errors.Is(err, authz.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		grant, err := redeem("web", code, appURI, verifier)
		w.must(err)
		if err := second(redeem("web", code, appURI, verifier)); !errors.Is(err, authz.ErrNotFound) || !w.recorded(authz.EventCodeReuse) {
			t.Errorf("a spent code: %v", err)
		}
		w.must(w.provider.EndForGateway(ctx, "web", grant)) // it is revoked already, by the reuse
		if w.recorded(authz.EventGrantRevoked) {
			t.Error("what was revoked before is recorded as revoked now")
		}
		again, err := redeem("web", w.code(authorizeParams()), appURI, verifier)
		w.must(err)
		w.must(w.provider.EndForGateway(ctx, "other", again))
		if w.recorded(authz.EventGrantRevoked) {
			t.Error("another client ended it")
		}
		w.must(w.provider.EndForGateway(ctx, "web", again))
		if !w.recorded(authz.EventGrantRevoked) {
			t.Error("it was not ended")
		}
	})
}

func second(_ string, err error) error { return err }

// team is a claim that nobody else can mean something else by.
const team = "https://acme.example/team"

// What an API is told about a person is what it is registered for, as it is now, and nobody
// else's token has it.
func TestAnAPIIsToldWhatItIsRegisteredFor(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addRelay("to billing", rule(orders, billing, "bills:read"))
		w.addRelay("to orders", rule(billing, orders, "orders:read"))
		w.curious()
		personal := func(token string) string {
			c, out := w.claims(token), map[string]any{}
			for _, name := range []string{"roles", "preferred_username", "name", "email", "email_verified", "department", team, "desk", "hobby"} {
				if value, ok := c[name]; ok {
					out[name] = value
				}
			}
			text, err := json.Marshal(out)
			w.must(err)
			return string(text)
		}
		const all = `{"department":"sales \u0026 \u003claw\u003e","email":"alice@example.com","email_verified":true,` +
			`"https://acme.example/team":["a","b"],"name":"Alice Liddell","preferred_username":"alice","roles":["editor"]}`
		const common = `{"email":"alice@example.com","email_verified":true,"name":"Alice Liddell","preferred_username":"alice","roles":["editor"]}`
		both := authorizeParams("scope", "openid orders:read")
		both["resource"] = []string{billing, orders}
		forOrders, forBilling := w.tokens("web"), w.tokens("web", "resource", billing, "scope", "openid bills:read")
		for name, tc := range map[string]struct{ token, want string }{
			"the API":                  {forOrders.text("access_token"), all},
			"another API":              {forBilling.text("access_token"), `{}`},
			"both":                     {w.post("/oauth2/token", "web", codeForm(w.code(both))).text("access_token"), common},
			"swapped for the other":    {w.exchange("to billing", forOrders.text("access_token")).text("access_token"), `{}`},
			"swapped for the API":      {w.exchange("to orders", forBilling.text("access_token"), "resource", orders).text("access_token"), all},
			"a client":                 {w.own("service"), `{}`},
			"of an API token":          {w.mint(w.addAPIToken(orders, "orders:read")), all},
			"of one for the other API": {w.mint(w.addAPIToken(billing, "bills:read")), `{}`},
		} {
			if got := personal(tc.token); got != tc.want {
				t.Errorf("%s: %s, want %s", name, got, tc.want)
			}
		}
		w.alice.Email, w.alice.Roles, w.alice.Claims = "", nil, authz.UserClaims{"desk": json.Number("7"), "hobby": "chess"}
		w.must(w.store.UpdateUser(t.Context(), w.alice))
		next := w.post("/oauth2/token", "web", refreshForm(forOrders.text("refresh_token")))
		if got := personal(next.text("access_token")); got != `{"desk":7,"name":"Alice Liddell","preferred_username":"alice"}` {
			t.Errorf("after a change: %s", got)
		}
	})
}
