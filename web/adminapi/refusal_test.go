package adminapi_test

import (
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

// Every way of being refused has its body in a golden file.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const clients = "/api/v1/clients"
	long := `{"client_name":"` + strings.Repeat("x", 64<<10) + `"}`
	for _, c := range []struct {
		name   string
		status int
		q      request
	}{
		{"no-token", 401, request{method: "GET", path: clients, token: "-"}},
		{"basic-credentials", 401, request{method: "GET", path: clients, token: "-", header: map[string]string{"Authorization": "Basic YTpi"}}},
		{"bad-token", 401, request{method: "GET", path: clients, token: "bad"}},
		{"token-for-another-api", 401, request{method: "GET", path: clients, token: "other-api"}},
		{"token-without-scope", 403, request{method: "GET", path: clients, token: authz.ScopeUsersRead}},
		{"token-from-elsewhere", 401, request{method: "GET", path: clients, token: "elsewhere"}},
		{"token-of-no-person", 403, request{method: "GET", path: "/api/v1/account/tokens", token: authz.ScopeAccount}},
		{"outage", 503, request{method: "GET", path: clients, token: "outage"}},
		{"unknown-client", 404, request{method: "GET", path: clients + "/nobody"}},
		{"wrong-media-type", 415, request{method: "POST", path: clients, body: "client_name=x", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}},
		{"no-media-type", 415, request{method: "POST", path: clients}},
		{"other-charset", 415, request{method: "POST", path: clients, body: `{}`, header: map[string]string{"Content-Type": "application/json; charset=utf-16"}}},
		{"too-large", 413, request{method: "POST", path: clients, body: long}},
		{"not-json", 400, request{method: "POST", path: clients, body: `{"client_name":}`}},
		{"cut-off", 400, request{method: "POST", path: clients, body: `{"client_name":"x"`}},
		{"two-values", 400, request{method: "POST", path: clients, body: `{"client_name":"x"}{}`}},
		{"array", 400, request{method: "POST", path: clients, body: `[]`}},
		{"null", 400, request{method: "POST", path: clients, body: `null`}},
		{"not-utf8", 400, request{method: "POST", path: clients, body: "{\"client_name\":\"\xff\"}"}},
		{"unknown-members", 400, request{method: "POST", path: clients, body: `{"client_name":"x","Client_Name":"y","scopes":["a"],"a/b~c":1}`}},
		{"member-twice", 400, request{method: "POST", path: clients, body: `{"client_name":"x","client_name":"y"}`}},
		{"wrong-types", 400, request{method: "POST", path: clients, body: `{"client_name":1,"redirect_uris":"x","grant_types":[1,{}],"require_pkce":"no","access_token_lifetime":1.5,"scope":["a"],"contacts":null,"jwks":null}`}},
		{"too-deep", 400, request{method: "POST", path: clients, body: `{"jwks":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`}},
		{"invalid-field", 422, request{method: "POST", path: clients, body: `{"client_name":"x","redirect_uris":["http://app.example/cb"]}`}},
		{"unknown-scope", 422, request{method: "POST", path: clients, body: `{"client_name":"x","application_type":"service","scope":"signet:admn"}`}},
		{"bad-limit", 400, request{method: "GET", path: clients + "?limit=0"}},
		{"unknown-parameter", 400, request{method: "GET", path: clients + "?Limit=5"}},
		{"bad-after", 400, request{method: "GET", path: "/api/v1/apis?after=x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := newWorld(t).want(c.status, c.q)
			if media := got.Header.Get("Content-Type"); media != "application/problem+json" {
				t.Errorf("media type %q", media)
			}
			challenge := got.Header.Get("WWW-Authenticate")
			if (challenge != "") != (c.status == 401 || c.status == 403) {
				t.Errorf("challenge %q", challenge)
			}
			text := indented(t, got)
			if challenge != "" {
				text = "WWW-Authenticate: " + challenge + "\n" + text
			}
			golden(t, "refused/"+c.name+".txt", text)
		})
	}
}

// RFC 5789 §3.1.
func TestAPatchOfAnotherKindHearsWhichAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.want(201, request{method: "POST", path: "/api/v1/roles", body: `{"name":"x"}`})
	got = w.want(415, request{method: "PATCH", path: got.Header.Get("Location"), body: `{}`, header: map[string]string{
		"Content-Type": "text/plain", "If-Match": "*",
	}})
	if got.Header.Get("Accept-Patch") != "application/merge-patch+json, application/json" {
		t.Errorf("Accept-Patch: %s", got.Header.Get("Accept-Patch"))
	}
}

// A database that is gone is an outage for every route: never a refusal, never a success.
func TestAnOutageIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.person("alice")
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.routes {
		if r.Scope == "" {
			continue
		}
		id := "alice"
		switch {
		case strings.Contains(r.Path, "apis"):
			id = "https%3A%2F%2Forders.example"
		case strings.Contains(r.Path, "tokens"):
			id = "tok_" + strings.Repeat("a", 26)
		}
		path := strings.NewReplacer("{id}", id, "{name}", "baker").Replace(r.Path)
		got := w.want(503, request{
			method: r.Method, path: path, token: whose(r) + authz.ScopeAdmin,
			body: outageBody(r.Method, r.Path), header: map[string]string{"If-Match": "*"},
		})
		if got.Header.Get("Retry-After") == "" || strings.Contains(got.body, "sql") {
			t.Errorf("%s %s: %v %s", r.Method, r.Path, got.Header, got.body)
		}
	}
}

func outageBody(method, path string) string {
	for _, k := range kinds() {
		if method == "POST" && path == k.base {
			return k.create
		}
	}
	if method == "GET" || method == "DELETE" {
		return ""
	}
	return `{}`
}
