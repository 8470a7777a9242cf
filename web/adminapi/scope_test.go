package adminapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/adminapi"
)

// Each route is open to its scope and to signet:admin, and to nothing else that a token may
// have.
func TestEachRouteAsksForItsScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.person("alice")
	all := authz.ServerScopes().With(authz.OIDCScopes()).With(authz.Scopes{authz.AnyScope, "orders:read", "signet:clients:*"})
	for _, r := range w.routes {
		if r.Scope == "" {
			continue
		}
		path := strings.NewReplacer("{id}", "nothing", "{name}", "nothing").Replace(r.Path)
		for _, scope := range all {
			got := w.do(request{method: r.Method, path: path, token: whose(r) + scope})
			open := scope == r.Scope || scope == authz.ScopeAdmin
			if refused := got.StatusCode == http.StatusForbidden; refused == open {
				t.Errorf("%s %s with %s: status %d", r.Method, r.Path, scope, got.StatusCode)
			}
			if !open && !strings.Contains(got.Header.Get("WWW-Authenticate"), `scope="`+r.Scope+`"`) {
				t.Errorf("%s %s with %s: challenge %s", r.Method, r.Path, scope, got.Header.Get("WWW-Authenticate"))
			}
		}
	}
}

// whose begins a token that is good for a route: a person's where it is about theirs.
func whose(r adminapi.Route) string {
	if strings.HasPrefix(r.Path, "/api/v1/account/") {
		return "alice/"
	}
	return ""
}

// What belongs to a person is out of reach for a client's own token, whatever it may do.
func TestWhatIsAPersonsNeedsAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	routes := 0
	for _, r := range w.routes {
		if !strings.HasPrefix(r.Path, "/api/v1/account/") {
			continue
		}
		routes++
		for _, scope := range []string{authz.ScopeAccount, authz.ScopeAdmin} {
			got := w.want(403, request{method: r.Method, path: strings.ReplaceAll(r.Path, "{id}", "nothing"), token: scope})
			if got.json(t)["code"] != "person_required" {
				t.Errorf("%s %s with %s: %s", r.Method, r.Path, scope, got.body)
			}
		}
	}
	if routes == 0 {
		t.Error("no route is about what belongs to a person")
	}
}

// Nobody hands out power over the server that their token does not have: who may register
// clients could make themselves an administrator otherwise.
func TestPowerOverTheServerIsNotHandedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := func(method, path, body string) response {
		return w.do(request{method: method, path: path, body: body})
	}
	const bodyOf = `{"client_name":"N","application_type":"service","client_id":"`
	admin("POST", "/api/v1/apis", `{"identifier":"`+orders+`","name":"Orders","scopes":[`+
		`{"name":"orders:read","description":"See"},{"name":"orders:write","description":"Change"}]}`)
	admin("POST", "/api/v1/clients", bodyOf+`root","scope":"signet:admin"}`)
	admin("POST", "/api/v1/clients", bodyOf+`plain","scope":"orders:read","apis":["`+orders+`"]}`)
	admin("POST", "/api/v1/clients", bodyOf+`ours","first_party":true}`)
	exchange := func(id, scopes string) string {
		return bodyOf + id + `","grant_types":["client_credentials","` + authz.GrantTokenExchange + `"],` +
			`"token_exchange":[{"from":"` + issuer + `","to":"` + issuer + `","scopes":"` + scopes + `"}]}`
	}
	if got := admin("POST", "/api/v1/clients", exchange("swapper", "signet:admin")); got.StatusCode != http.StatusCreated {
		t.Fatalf("register a client that exchanges tokens: %d %s", got.StatusCode, got.body)
	}
	admin("POST", "/api/v1/users", `{"username":"root","password":"off with her head","admin":true}`)
	admin("POST", "/api/v1/users", `{"username":"alice","password":"down the rabbit hole"}`)
	admin("POST", "/api/v1/roles", `{"name":"auditor","scopes":["signet:audit:read"]}`)
	admin("POST", "/api/v1/roles", `{"name":"baker","scopes":["bread:write","*"]}`)
	const clients, users = authz.ScopeClientsWrite, authz.ScopeUsersWrite
	for _, c := range []struct {
		token, method, path, body string
		allowed                   bool
	}{
		{clients, "POST", "/api/v1/clients", bodyOf + `evil","scope":"signet:admin"}`, false},
		{clients, "POST", "/api/v1/clients", bodyOf + `evil","scope":"orders:read signet:users:write"}`, false},
		{clients, "POST", "/api/v1/clients", bodyOf + `peer","scope":"signet:clients:write signet:account"}`, true},
		{clients, "PATCH", "/api/v1/clients/plain", `{"scope":"signet:admin"}`, false},
		{clients, "PATCH", "/api/v1/clients/plain", `{"scope":"orders:write"}`, true},
		{clients, "PATCH", "/api/v1/clients/root", `{"client_name":"M"}`, false},
		{clients, "POST", "/api/v1/clients/root/secrets", `{}`, false},
		{clients, "POST", "/api/v1/clients/plain/secrets", `{}`, true},
		{clients, "POST", "/api/v1/clients/root/disable", ``, false},
		{clients, "POST", "/api/v1/clients/root/enable", ``, false},
		{clients, "DELETE", "/api/v1/clients/root", ``, false},
		{clients, "POST", "/api/v1/clients", bodyOf + `evil","first_party":true}`, false},
		{clients, "POST", "/api/v1/clients", bodyOf + `theirs","first_party":false}`, true},
		{clients, "PUT", "/api/v1/clients/plain", `{"client_name":"N","application_type":"service","first_party":true}`, false},
		{clients, "PATCH", "/api/v1/clients/plain", `{"first_party":true}`, false},
		{clients, "PATCH", "/api/v1/clients/ours", `{"first_party":false}`, false},
		{clients, "PATCH", "/api/v1/clients/ours", `{"client_uri":"https://evil.example"}`, false},
		{clients, "PUT", "/api/v1/clients/ours", `{"client_name":"N","application_type":"service"}`, false},
		{clients, "POST", "/api/v1/clients/ours/secrets", `{}`, false},
		{clients, "DELETE", "/api/v1/clients/ours", ``, false},
		{authz.ScopeAdmin, "PATCH", "/api/v1/clients/ours", `{"client_uri":"https://ours.example"}`, true},
		{authz.ScopeAdmin, "PATCH", "/api/v1/clients/plain", `{"first_party":true}`, true},
		{clients, "POST", "/api/v1/clients", exchange("evil", "signet:admin"), false},
		{clients, "POST", "/api/v1/clients", exchange("swaps", "signet:clients:write"), true},
		{clients, "POST", "/api/v1/clients/swapper/secrets", `{}`, false},
		{clients, "PATCH", "/api/v1/clients/swapper", `{"client_name":"M"}`, false},
		{users, "POST", "/api/v1/users", `{"username":"evil","admin":true}`, false},
		{users, "POST", "/api/v1/users", `{"username":"bob"}`, true},
		{users, "PUT", "/api/v1/users/root/password", `{"password":"who stole the tarts"}`, false},
		{users, "PUT", "/api/v1/users/alice/password", `{"password":"who stole the tarts"}`, true},
		{users, "PATCH", "/api/v1/users/root", `{"email":"evil@example.com"}`, false},
		{users, "POST", "/api/v1/users/root/disable", ``, false},
		{users, "DELETE", "/api/v1/users/root", ``, false},
		{users, "PUT", "/api/v1/users/alice/roles/administrator", ``, false},
		{users, "PUT", "/api/v1/users/alice/roles/auditor", ``, false},
		{users, "PUT", "/api/v1/users/alice/roles/baker", ``, true},
		{users, "DELETE", "/api/v1/users/root/roles/administrator", ``, false},
		{users, "POST", "/api/v1/roles", `{"name":"evil","scopes":["signet:admin"]}`, false},
		{users, "PATCH", "/api/v1/roles/baker", `{"scopes":["signet:tokens:write"]}`, false},
		{users, "PATCH", "/api/v1/roles/auditor", `{"scopes":[]}`, false},
		{users, "DELETE", "/api/v1/roles/auditor", ``, false},
		{users + "+" + authz.ScopeAuditRead, "PUT", "/api/v1/users/alice/roles/auditor", ``, true},
	} {
		got := w.do(request{method: c.method, path: c.path, token: c.token, body: c.body, header: map[string]string{"If-Match": "*"}})
		if refused := got.StatusCode == http.StatusForbidden; refused == c.allowed || !refused && got.StatusCode >= 300 {
			t.Errorf("%s %s %s with %s: status %d %s", c.method, c.path, c.body, c.token, got.StatusCode, got.body)
		}
	}
	w.want(404, request{method: "GET", path: "/api/v1/clients/evil"})
	w.want(404, request{method: "GET", path: "/api/v1/users/evil"})
}

// A client that names an API and no scope of it gets them all. Those of the server itself
// have to be the caller's then.
func TestTheServersOwnScopesAreNotGivenUnasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const body = `{"client_name":"N","application_type":"service","apis":["` + issuer + `"]`
	for _, more := range []string{`}`, `,"scope":"openid"}`} {
		w.want(403, request{method: "POST", path: "/api/v1/clients", token: authz.ScopeClientsWrite, body: body + more})
	}
	w.want(201, request{method: "POST", path: "/api/v1/clients", body: body + `}`})
	w.want(201, request{
		method: "POST", path: "/api/v1/clients", token: authz.ScopeClientsWrite, body: body + `,"scope":"signet:clients:write"}`,
	})
}
