package adminapi_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAPersonIsFoundByIDUsernameAndAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.want(201, request{method: "POST", path: "/api/v1/users", body: `{"username":"alice","email":"alice@example.com"}`})
	id, _ := made.json(t)["id"].(string)
	for _, name := range []string{id, "alice", "ALICE", "alice@example.com", "alice%40example.com"} {
		if got := w.want(200, request{method: "GET", path: "/api/v1/users/" + name}); got.json(t)["id"] != id {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

func TestAPersonGetsPasswordRolesAndIsSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(201, request{method: "POST", path: "/api/v1/users", body: `{"username":"alice"}`})
	w.want(201, request{method: "POST", path: "/api/v1/roles", body: `{"name":"baker"}`})
	w.want(204, request{method: "PUT", path: "/api/v1/users/alice/password", body: `{"password":"down the rabbit hole"}`})
	got := w.want(422, request{method: "PUT", path: "/api/v1/users/alice/password", body: `{"password":"short"}`})
	if !strings.Contains(got.body, `"/password"`) || strings.Contains(got.body, `short"`) {
		t.Error(got.body)
	}
	w.want(204, request{method: "PUT", path: "/api/v1/users/alice/roles/baker"})
	w.want(204, request{method: "PUT", path: "/api/v1/users/alice/roles/baker"})
	if got := w.want(200, request{method: "GET", path: "/api/v1/users/alice"}); !strings.Contains(got.body, `"roles":["baker"]`) {
		t.Error(got.body)
	}
	w.want(404, request{method: "PUT", path: "/api/v1/users/alice/roles/butcher"})
	w.want(404, request{method: "PUT", path: "/api/v1/users/bob/roles/baker"})
	w.want(204, request{method: "DELETE", path: "/api/v1/users/alice/roles/baker"})
	if got := w.want(200, request{method: "POST", path: "/api/v1/users/alice/disable"}); got.json(t)["disabled"] != true {
		t.Error(got.body)
	}
	if got := w.want(200, request{method: "POST", path: "/api/v1/users/alice/enable"}); got.json(t)["disabled"] != false {
		t.Error(got.body)
	}
}

// RFC 7396: null takes a member away, and what is not named stays.
func TestAPatchTakesAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(201, request{method: "POST", path: "/api/v1/users", body: `{"username":"alice","email":"alice@example.com","name":"Alice"}`})
	got := w.want(200, request{method: "PATCH", path: "/api/v1/users/alice", body: `{"name":null}`, header: map[string]string{"If-Match": `"1"`}}).json(t)
	if _, has := got["name"]; has || got["email"] != "alice@example.com" {
		t.Errorf("%v", got)
	}
}

// Claims are part of the person's document: a PATCH changes one of them, a PUT all.
func TestClaimsOfAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said := func(r response) string {
		t.Helper()
		var out struct{ Claims json.RawMessage }
		if err := json.Unmarshal([]byte(r.body), &out); err != nil {
			t.Fatal(err)
		}
		return string(out.Claims)
	}
	const alice = "/api/v1/users/alice"
	anyVersion := map[string]string{"If-Match": "*"}
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/api/v1/users", `{"username":"alice","claims":{"teams":["b","a"],"badge":9007199254740993,"rate":1.50}}`, `{"badge":9007199254740993,"rate":1.50,"teams":["b","a"]}`},
		{"PATCH", alice, `{"claims":{"department":"law","rate":null}}`, `{"badge":9007199254740993,"department":"law","teams":["b","a"]}`},
		{"PATCH", alice, `{"claims":{"teams":["c"],"nothing":null}}`, `{"badge":9007199254740993,"department":"law","teams":["c"]}`},
		{"PATCH", alice, `{"nickname":"Al"}`, `{"badge":9007199254740993,"department":"law","teams":["c"]}`},
		{"PATCH", alice, `{"claims":null}`, ``},
		{"PATCH", alice, `{"claims":{"https://acme.example/team":"a/b~c"}}`, `{"https://acme.example/team":"a/b~c"}`},
		{"PUT", alice, `{"username":"alice","claims":{"a":false}}`, `{"a":false}`},
		{"PUT", alice, `{"username":"alice"}`, ``},
	} {
		status := map[string]int{"POST": 201, "PATCH": 200, "PUT": 200}[c.method]
		if got := said(w.want(status, request{method: c.method, path: c.path, body: c.body, header: anyVersion})); got != c.want {
			t.Errorf("%s %s answers %s, want %s", c.method, c.body, got, c.want)
		}
		if got := said(w.want(200, request{method: "GET", path: alice})); got != c.want {
			t.Errorf("%s %s leaves %s, want %s", c.method, c.body, got, c.want)
		}
	}
}

func TestClaimsThatNobodyCanHave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(201, request{method: "POST", path: "/api/v1/users", body: `{"username":"alice"}`})
	for _, c := range []struct {
		claims  string
		status  int
		pointer string
		detail  string
	}{
		{`{"sub":"usr_root"}`, 422, "/claims", `\"sub\" means something`},
		{`{"Department":"x"}`, 422, "/claims", `is no name for a claim`},
		{`{"a":{"b":1}}`, 422, "/claims", `a must be a string, a number`},
		{`{"a":[1]}`, 422, "/claims", `a must be a string, a number`},
		{`{"a":[null]}`, 422, "/claims", `a must be a string, a number`},
		{`{"a":1e400}`, 422, "/claims", `a must be a number such as`},
		{`{"a":null}`, 400, "/claims/a", `must not be null`},
		{`{"a":1,"a":2}`, 400, "/claims/a", `comes twice`},
		{`[]`, 400, "/claims", `must be an object`},
		{`"x"`, 400, "/claims", `must be an object`},
		{`5`, 400, "/claims", `must be an object`},
	} {
		for _, q := range []request{
			{method: "POST", path: "/api/v1/users", body: `{"username":"bob","claims":` + c.claims + `}`},
			{method: "PUT", path: "/api/v1/users/alice", body: `{"username":"alice","claims":` + c.claims + `}`, header: map[string]string{"If-Match": "*"}},
		} {
			got := w.want(c.status, q)
			if !strings.Contains(got.body, `"pointer":"`+c.pointer+`"`) || !strings.Contains(got.body, c.detail) {
				t.Errorf("%s %s: %s", q.method, c.claims, got.body)
			}
		}
	}
}

func TestTheServerKeepsTheRolesItNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(422, request{method: "DELETE", path: "/api/v1/roles/administrator", header: map[string]string{"If-Match": "*"}})
}
