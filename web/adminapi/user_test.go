package adminapi_test

import (
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

func TestTheServerKeepsTheRolesItNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(422, request{method: "DELETE", path: "/api/v1/roles/administrator", header: map[string]string{"If-Match": "*"}})
}
