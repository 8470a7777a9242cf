package oauth2_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// The owner of an API is told by introspection what a token for it would say now, and nobody
// else is, the app that holds the token included.
func TestIntrospectionTellsAnAPIWhatItIsRegisteredFor(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		token := w.tokens("web", "scope", "openid orders:read").text("access_token")
		ask := func(caller string) map[string]any {
			return w.post("/oauth2/introspect", caller, url.Values{"token": {token}}).body
		}
		before := ask("service")
		w.curious()
		want := maps.Clone(before)
		maps.Copy(want, map[string]any{
			"roles": []any{"editor"}, "preferred_username": "alice", "username": "alice", "name": "Alice Liddell", "email": "alice@example.com",
			"email_verified": true, "department": "sales & <law>", team: []any{"a", "b"}, "badge": 417.0,
		})
		if got := ask("service"); !reflect.DeepEqual(got, want) {
			t.Errorf("the owner is told %v\nwant %v", got, want)
		}
		if got := ask("web"); !reflect.DeepEqual(got, before) {
			t.Errorf("the app is told %v\nwant %v", got, before)
		}
		r := httptest.NewRequest(http.MethodPost, "/oauth2/introspect", strings.NewReader("token="+token))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "application/token-introspection+jwt")
		r.SetBasicAuth("service", w.secret.Reveal())
		if got := w.claims(w.send(r).raw)["token_introspection"]; !reflect.DeepEqual(got, want) {
			t.Errorf("signed %v\nwant %v", got, want)
		}
	})
}

// Neither the ID token nor userinfo says what is for APIs, whatever is asked for.
func TestCustomClaimsAreForAPIs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.curious()
		w.addClient("told", func(m *authz.ClientMetadata) { m.ClaimsInIDToken = true })
		demand := `{"userinfo":{"department":{"essential":true},"` + team + `":null},"id_token":{"department":null,"badge":null}}`
		a := w.tokens("told", "scope", "openid profile email orders:read", "claims", demand)
		for name, got := range map[string]map[string]any{
			"the ID token": w.claims(a.text("id_token")), "userinfo": w.userinfo(a.text("access_token")).body,
		} {
			if got["sub"] != w.alice.ID || got["department"] != nil || got[team] != nil || got["badge"] != nil {
				t.Errorf("%s says %v", name, got)
			}
		}
	})
}

// A token for several APIs says what all of them list: each reads it whole.
func TestNoOtherAPIReadsACustomClaim(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.curious()
		both := func() map[string]any {
			v := authorizeParams("scope", "openid orders:read bills:read")
			v["resource"] = []string{orders, billing}
			return w.claims(w.post("/oauth2/token", "web", codeForm(w.code(v))).text("access_token"))
		}
		if got := both(); got["department"] != nil || got["email"] != "alice@example.com" {
			t.Errorf("billing, which lists none, reads %v", got)
		}
		api, err := w.api(t.Context(), billing)
		w.must(err)
		other := *api
		other.Claims = []string{"department"}
		w.must(w.store.UpdateAPI(t.Context(), &other))
		if got := both(); got["department"] != "sales & <law>" || got["badge"] != nil {
			t.Errorf("what both list is missing, or more is there: %v", got)
		}
	})
}

// A number arrives with every digit, whatever the reader makes of it.
func TestACustomNumberKeepsItsDigits(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.curious()
		w.alice.Claims["badge"] = json.Number("9007199254740993") // is no float64
		w.must(w.store.UpdateUser(t.Context(), w.alice))
		part := strings.Split(w.tokens("web").text("access_token"), ".")[1]
		text, err := base64.RawURLEncoding.DecodeString(part)
		w.must(err)
		raw := string(text)
		if !strings.Contains(raw, `"badge":9007199254740993`) || strings.Count(raw, `"sub"`) != 1 || !json.Valid(text) {
			t.Errorf("the token says %s", raw)
		}
	})
}

// What the server itself says in a token, or beside it, nobody may make up. Whoever adds a
// member to one of these must add it to the names that are taken.
func TestWhatTheServerSaysIsNoCustomClaim(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct{ Claims, Body map[string]any }
		if err := json.Unmarshal(text, &golden); err != nil {
			t.Fatal(err)
		}
		says := golden.Claims
		if name := filepath.Base(file); strings.HasPrefix(name, "introspect-") || name == "userinfo.json" {
			says = golden.Body
		}
		for name := range says {
			if seen++; authz.ClaimNameProblem(name) == "" && !made(name) {
				t.Errorf("%s: anybody may make up %q", file, name)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d names: the test looks in the wrong place", seen)
	}
}

// made reports whether a claim is one that curious makes up.
func made(name string) bool { return name == "department" || name == "badge" || name == team }

// A claim of one's own costs what an address costs: one statement, and none where the person
// is at hand.
func TestStatementsForCustomClaims(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		var c counter
		store := open(storage.WithStatementCounter(c.count))
		w := newWorld(t, store, cached(store))
		w.addRelay("relay", rule(orders, billing, "bills:read"), rule(billing, orders, "orders:read"))
		w.curious() // before an API is looked up for the first time
		a := w.tokens("web")
		forBilling := w.tokens("web", "resource", billing, "scope", "openid bills:read").text("access_token")
		w.exchange("relay", forBilling, "resource", orders) // fills the caches
		w.own("service")
		code := w.code(authorizeParams())
		for _, tc := range []struct {
			name string
			most int
			do   func() int
		}{
			{"code exchange", 2, func() int { return w.post("/oauth2/token", "web", codeForm(code)).status }},
			{"refresh", 2, func() int { return w.post("/oauth2/token", "web", refreshForm(a.text("refresh_token"))).status }},
			{"token exchange", 1, func() int { return w.exchange("relay", forBilling, "resource", orders).status }},
			{"introspection", 1, func() int {
				return w.post("/oauth2/introspect", "service", url.Values{"token": {a.text("access_token")}}).status
			}},
		} {
			status := 0
			got := c.since(func() { status = tc.do() })
			if status != http.StatusOK || len(got) > tc.most {
				t.Errorf("%s: %d, %d statements, want %d:\n%s", tc.name, status, len(got), tc.most, strings.Join(got, "\n"))
			}
		}
	})
}
