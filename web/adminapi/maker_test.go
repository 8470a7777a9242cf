package adminapi_test

import (
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

const (
	soon = "2026-03-31T00:00:00Z"
	far  = "2026-04-30T00:00:00Z"
)

// account asks for a token with which more can be made.
func account(name, expires string) string {
	return newToken(name, issuer, `["signet:account"]`, expires, "")
}

func TestWhoMadeATokenIsShownAndTakesItAlong(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	byApp, first := w.makeToken(mine, account("first", soon))
	byToken, second := w.makeToken(first, newToken("second", orders, `["orders:read"]`, soon, ""))
	for id, want := range map[string]string{byApp: "robot", byToken: byApp} {
		if got := w.want(200, request{method: "GET", path: ownTokens + "/" + id, token: mine}).json(t)["made_by"]; got != want {
			t.Errorf("made by %v, want %v", got, want)
		}
	}
	got := w.want(422, request{method: "POST", path: ownTokens, token: first, body: newToken("third", orders, `["orders:read"]`, far, "")})
	if !strings.Contains(got.body, `"pointer":"/expires_at"`) || !strings.Contains(got.body, "2026-03-31T00:00:00Z") {
		t.Error(got.body)
	}
	w.want(204, request{method: "DELETE", path: ownApps + "/robot", token: mine})
	if w.works(first) || w.works(second) {
		t.Error("the app is removed and its tokens go on")
	}
	if err := w.audit.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := w.store.Events(t.Context(), w.ids["alice"], 100)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]string{}
	for _, e := range events {
		if e.Kind == authz.EventAPITokenCreated {
			asked[e.Detail["token"]] = e.ClientID
		}
	}
	if asked[byApp] != "robot" || asked[byToken] != byApp {
		t.Errorf("recorded %v", asked)
	}
}

func TestATokenThatReplacesItselfByRESTStaysMadeByWhatMadeIt(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	id, secret := w.makeToken(mine, account("script", soon))
	child, _ := w.makeToken(secret, newToken("child", orders, `["orders:read"]`, soon, ""))
	_, inner := w.makeToken(secret, newToken("inner", issuer, `["signet:account"]`, "2026-03-01T12:00:30Z", ""))
	got := w.want(409, request{method: "POST", path: ownTokens + "/" + id + "/rotate", token: inner, body: `{}`})
	if !strings.Contains(got.body, "the one that made it") {
		t.Error(got.body)
	}
	for _, c := range []struct{ token, id, want string }{{secret, child, id}, {secret, id, "robot"}} {
		made := w.want(201, request{method: "POST", path: ownTokens + "/" + c.id + "/rotate", token: c.token, body: `{"overlap_seconds":60}`})
		if got := made.json(t)["made_by"]; got != c.want {
			t.Errorf("made by %v, want %v", got, c.want)
		}
	}
}

// What an app may not ask for itself, no token of it can do either.
func TestAnAppGetsNoTokenForWhatItIsNotRegisteredFor(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	robot, err := w.store.Client(t.Context(), "robot")
	if err != nil {
		t.Fatal(err)
	}
	read := newToken("n", orders, `["orders:read"]`, soon, "")
	own, secret := w.makeToken(mine, read)
	for _, c := range []struct {
		name   string
		change func(m *authz.ClientMetadata)
		says   string
	}{
		{"not the scope", func(m *authz.ClientMetadata) { m.Scope = authz.Scopes{"signet:account", "orders:write"} }, "orders:read"},
		{"not the API", func(m *authz.ClientMetadata) { m.APIs = nil }, orders},
	} {
		c.change(&robot.Metadata)
		if err := w.store.UpdateClient(t.Context(), robot); err != nil {
			t.Fatal(err)
		}
		for path, body := range map[string]string{ownTokens: read, ownTokens + "/" + own + "/rotate": `{}`} {
			got := w.want(403, request{method: "POST", path: path, token: mine, body: body})
			if got.json(t)["code"] != "client_not_registered" || !strings.Contains(got.body, c.says) {
				t.Errorf("%s: %s", c.name, got.body)
			}
		}
	}
	if !w.works(secret) {
		t.Error("what was refused has ended the token")
	}
	w.makeToken(mine, account("its own", soon))
}

// A service that was handed a token makes nothing that outlives it.
func TestAnExchangedTokenMakesNone(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	id, secret := w.makeToken(mine, newToken("n", orders, `["orders:read"]`, soon, ""))
	for path, body := range map[string]string{ownTokens: account("x", soon), ownTokens + "/" + id + "/rotate": `{}`} {
		got := w.want(403, request{method: "POST", path: path, token: "exchanged/" + mine, body: body})
		if got.json(t)["code"] != "exchanged_token" {
			t.Error(got.body)
		}
	}
	if !w.works(secret) {
		t.Error("what was refused has ended the token")
	}
}
