package parts_test

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/webtest"
)

const (
	parcels   = "https://parcels.example"
	ownTokens = "/api/v1/account/tokens"
	passwords = "correct horse battery"
)

// restOf is a server with alice, another API, and its proxy on this machine.
func restOf(t *testing.T) (*webtest.Server, *authz.User) {
	t.Helper()
	s := webtest.Start(t, storagetest.New(t), webtest.With(trustLoopback))
	s.API(authz.API{Identifier: parcels, Name: "Parcels", Scopes: []authz.APIScope{{Name: "parcels:read", Description: "See your parcels"}}})
	return s, s.Person("alice", passwords)
}

// token makes an API token of a person.
func token(t *testing.T, s *webtest.Server, owner *authz.User, api, scopes string, networks ...string) (*authz.APIToken, string) {
	t.Helper()
	n := apitoken.New{Name: rand.Text(), API: api, Scopes: authz.ParseScopes(scopes), ExpiresAt: s.Clock.Now().Add(24 * time.Hour)}
	for _, one := range networks {
		n.Networks = append(n.Networks, netip.MustParsePrefix(one))
	}
	made, secret, err := s.APITokens.Create(t.Context(), owner, n)
	if err != nil {
		t.Fatal(err)
	}
	return made, secret.Reveal()
}

// call sends a request to the REST API from an address that the proxy tells. headers are pairs.
func call(t *testing.T, s *webtest.Server, method, path, bearer, address, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Issuer+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", address)
	r.Header.Set("User-Agent", "script/1")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestTheRESTAPITakesAPITokens(t *testing.T) {
	t.Parallel()
	s, alice := restOf(t)
	const home, abroad = "198.51.100.7", "203.0.113.9"
	made, good := token(t, s, alice, s.Issuer, authz.ScopeAccount)
	for name, c := range map[string]struct {
		bearer, address string
		status          int
		says            string
	}{
		"a good one":        {good, home, 200, `"status":"active"`},
		"a wrong checksum":  {good[:len(good)-1] + "!", home, 401, "not valid"},
		"for another API":   {second(token(t, s, alice, parcels, "parcels:read")), home, 401, "not for this API"},
		"from its network":  {second(token(t, s, alice, s.Issuer, authz.ScopeAccount, "198.51.100.0/24")), home, 200, ""},
		"from elsewhere":    {second(token(t, s, alice, s.Issuer, authz.ScopeAccount, "198.51.100.0/24")), abroad, 401, "from this address"},
		"a client's secret": {"sgs_" + good[4:], home, 401, "not valid"},
	} {
		if status, body := call(t, s, "GET", ownTokens, c.bearer, c.address, ""); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: status %d: %s", name, status, body)
		}
	}
	if status, _ := call(t, s, "GET", "/api/v1/users", good, home, ""); status != http.StatusForbidden {
		t.Errorf("beyond its scopes: status %d", status)
	}
	if status, _ := call(t, s, "DELETE", ownTokens+"/"+made.ID, good, home, ""); status != http.StatusNoContent {
		t.Errorf("a token that revokes itself: status %d", status)
	}
	if status, _ := call(t, s, "GET", ownTokens, good, home, ""); status != http.StatusUnauthorized {
		t.Errorf("a revoked token: status %d", status)
	}
}

func second(_ *authz.APIToken, secret string) string { return secret }

// The REST API notes uses as the gateway does, and only those that were let in.
func TestUsesAtTheRESTAPIAreNoted(t *testing.T) {
	t.Parallel()
	s, alice := restOf(t)
	used, good := token(t, s, alice, s.Issuer, authz.ScopeAccount)
	refused, other := token(t, s, alice, parcels, "parcels:read")
	call(t, s, "GET", ownTokens, good, "198.51.100.7", "")
	call(t, s, "GET", ownTokens, other, "198.51.100.7", "")
	if err := s.APITokens.WriteUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, body := call(t, s, "GET", ownTokens+"/"+used.ID, good, "198.51.100.7", "")
	if !strings.Contains(body, `"last_used_address":"198.51.100.7"`) || !strings.Contains(body, `"last_used_agent":"script/1"`) {
		t.Errorf("the use is not noted: %s", body)
	}
	if _, body := call(t, s, "GET", ownTokens+"/"+refused.ID, good, "198.51.100.7", ""); strings.Contains(body, "last_used") {
		t.Errorf("a refused use is noted: %s", body)
	}
}

// What an administrator's token may do ends with what the administrator may do.
func TestAnAPITokenFollowsItsOwner(t *testing.T) {
	t.Parallel()
	s, alice := restOf(t)
	if err := s.People.GrantRole(t.Context(), alice.ID, authz.RoleAdministrator); err != nil {
		t.Fatal(err)
	}
	alice, err := s.People.Get(t.Context(), alice.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, admin := token(t, s, alice, s.Issuer, authz.ScopeAdmin)
	users := func() int {
		status, _ := call(t, s, "GET", "/api/v1/users", admin, "198.51.100.7", "")
		return status
	}
	if got := users(); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	for _, one := range []struct {
		what string
		do   func() error
		want int
	}{
		{"the role is taken", func() error { return s.People.RevokeRole(t.Context(), alice.ID, authz.RoleAdministrator) }, http.StatusForbidden},
		{"the role is given again", func() error { return s.People.GrantRole(t.Context(), alice.ID, authz.RoleAdministrator) }, http.StatusOK},
		{"the owner is disabled", func() error { return s.People.SetDisabled(t.Context(), alice.ID, true) }, http.StatusUnauthorized},
		{"there is no database", s.Store.Close, http.StatusServiceUnavailable},
	} {
		if err := one.do(); err != nil {
			t.Fatal(err)
		}
		if got := users(); got != one.want {
			t.Errorf("%s: status %d, want %d", one.what, got, one.want)
		}
	}
	wrong := admin[:len(admin)-1] + map[bool]string{true: "1", false: "0"}[admin[len(admin)-1] == '0']
	if status, _ := call(t, s, "GET", "/api/v1/users", wrong, "198.51.100.7", ""); status != http.StatusUnauthorized {
		t.Errorf("a wrong checksum needs the database: status %d", status)
	}
}

// The whole way: a person lets an app at their account, the app makes a token with the
// access token that it got, and somebody finds that token in the open.
func TestAnAppMakesATokenAndSomebodyFindsIt(t *testing.T) {
	t.Parallel()
	s, _ := restOf(t)
	app := s.App("helper", "https://helper.example/cb", func(m *authz.ClientMetadata) {
		m.Scope, m.APIs = authz.Scopes{authz.ScopeOpenID, authz.ScopeAccount, "parcels:read"}, []string{s.Issuer, parcels}
	})
	consent := s.Browser().Open(app.Ask("openid "+authz.ScopeAccount, "resource", s.Issuer)).
		Fill("username", "alice").Fill("password", passwords).Press("sign-in")
	tokens := app.Redeem(consent.Press("allow"))
	expires := s.Clock.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	const home = "198.51.100.7"
	mint := func(bearer, name, api, scope string) (made struct {
		ID, Token string
		MadeBy    string `json:"made_by"`
	}) {
		status, body := call(t, s, "POST", ownTokens, bearer, home,
			`{"name":"`+name+`","api":"`+api+`","scopes":["`+scope+`"],"expires_at":"`+expires+`"}`)
		if err := json.Unmarshal([]byte(body), &made); err != nil || status != http.StatusCreated {
			t.Fatalf("status %d: %s %v", status, body, err)
		}
		return made
	}
	made := mint(tokens.AccessToken, "helper's", parcels, "parcels:read")
	more := mint(tokens.AccessToken, "more", s.Issuer, authz.ScopeAccount)
	of := mint(more.Token, "of more", parcels, "parcels:read")
	if made.MadeBy != "helper" || of.MadeBy != more.ID {
		t.Errorf("made by %q and %q", made.MadeBy, of.MadeBy)
	}
	if _, err := s.APITokens.Verify(t.Context(), made.Token, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	if status, body := call(t, s, "GET", "/api/v1/account/apps", tokens.AccessToken, home, ""); status != 200 || !strings.Contains(body, `"client_id":"helper"`) {
		t.Errorf("status %d: %s", status, body)
	}

	if status, body := call(t, s, "POST", "/api/v1/leaked-tokens", "", home, `{"tokens":["`+made.Token+`"]}`); status != http.StatusAccepted {
		t.Errorf("status %d: %s", status, body)
	}
	if _, body := call(t, s, "GET", ownTokens+"/"+made.ID, tokens.AccessToken, home, ""); !strings.Contains(body, `"status":"leaked"`) {
		t.Errorf("its owner is told %s", body)
	}

	if status, _ := call(t, s, "DELETE", "/api/v1/account/apps/helper", tokens.AccessToken, home, ""); status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
	if status, _ := call(t, s, "GET", ownTokens, tokens.AccessToken, home, ""); status != http.StatusUnauthorized {
		t.Errorf("the app is revoked and goes on: status %d", status)
	}
	for _, secret := range []string{more.Token, of.Token} {
		if _, err := s.APITokens.Verify(t.Context(), secret, netip.Addr{}); err == nil {
			t.Error("the app is revoked and a token that comes from it goes on")
		}
	}
}

// An app that was let at the account and is registered for nothing else stays there.
func TestAnAppForTheAccountAloneGetsNoFurther(t *testing.T) {
	t.Parallel()
	s, _ := restOf(t)
	app := s.App("helper", "https://helper.example/cb", func(m *authz.ClientMetadata) {
		m.Scope, m.APIs = authz.Scopes{authz.ScopeOpenID, authz.ScopeAccount}, []string{s.Issuer}
	})
	tokens := app.Redeem(s.Browser().Open(app.Ask("openid "+authz.ScopeAccount, "resource", s.Issuer)).
		Fill("username", "alice").Fill("password", passwords).Press("sign-in").Press("allow"))
	expires := s.Clock.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	status, body := call(t, s, "POST", ownTokens, tokens.AccessToken, "198.51.100.7",
		`{"name":"n","api":"`+parcels+`","scopes":["parcels:read"],"expires_at":"`+expires+`"}`)
	if status != http.StatusForbidden || !strings.Contains(body, "client_not_registered") || !strings.Contains(body, parcels) {
		t.Errorf("status %d: %s", status, body)
	}
}

func TestAServiceHasNoAccount(t *testing.T) {
	t.Parallel()
	s, _ := restOf(t)
	service := s.App("service", "", func(m *authz.ClientMetadata) {
		m.Type, m.RedirectURIs, m.Scope, m.APIs = authz.ClientService, nil, authz.Scopes{authz.ScopeAccount}, []string{s.Issuer}
	})
	tokens := service.Token(url.Values{"grant_type": {authz.GrantClientCredentials}, "resource": {s.Issuer}})
	if status, body := call(t, s, "GET", ownTokens, tokens.AccessToken, "198.51.100.7", ""); status != http.StatusForbidden || !strings.Contains(body, "person_required") {
		t.Errorf("status %d: %s", status, body)
	}
}

func TestReportsOfLeaksAreLimited(t *testing.T) {
	t.Parallel()
	s, _ := restOf(t)
	send := func(address string) int {
		status, _ := call(t, s, "POST", "/api/v1/leaked-tokens", "", address, `{"tokens":["x"]}`)
		return status
	}
	refused := 0
	for range 100 {
		if status := send("198.51.100.7"); status == http.StatusTooManyRequests {
			refused++
		}
	}
	if status := send("198.51.100.8"); refused < 50 || status != http.StatusAccepted {
		t.Errorf("%d of 100 are refused, and another's is %d", refused, status)
	}
}
