package adminapi_test

import (
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestEachKindOfClientGetsItsDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(201, request{method: "POST", path: "/api/v1/apis", body: `{"identifier":"` + orders + `","name":"Orders","scopes":[{"name":"orders:read","description":"See your orders"}]}`})
	for _, c := range []struct{ name, body string }{
		{"web", `{"client_id":"web","client_name":"W","redirect_uris":["https://w.example/cb"]}`},
		{"native", `{"client_id":"native","client_name":"N","application_type":"native","redirect_uris":["com.example.n:/cb"]}`},
		{"service", `{"client_id":"service","client_name":"S","application_type":"service","apis":["` + orders + `"]}`},
		{"without-pkce", `{"client_id":"old","client_name":"O","redirect_uris":["https://o.example/cb"],"scope":"openid","require_pkce":false}`},
	} {
		made := w.want(201, request{method: "POST", path: "/api/v1/clients", body: c.body})
		golden(t, "client-"+c.name+".json", indented(t, made))
		id, _ := made.json(t)["client_id"].(string)
		// What is left out of a PUT has the default of the kind of client again.
		short := strings.Replace(c.body, `"client_id":"`+id+`",`, "", 1)
		w.want(200, request{method: "PUT", path: "/api/v1/clients/" + id, body: short, header: map[string]string{"If-Match": `"1"`}})
	}
}

func TestASecretIsRotatedAndShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.want(201, request{method: "POST", path: "/api/v1/clients", body: `{"client_id":"s","client_name":"S","application_type":"service"}`})
	first, _ := made.json(t)["client_secret"].(string)
	if !authz.WellFormed(authz.PrefixClientSecret, first) {
		t.Fatalf("secret %q", first)
	}
	second := w.want(201, request{method: "POST", path: "/api/v1/clients/s/secrets", body: `{"overlap_seconds":3600}`})
	golden(t, "client-secret-rotated.json", indented(t, second))
	shown := w.want(200, request{method: "GET", path: "/api/v1/clients/s"})
	if strings.Contains(shown.body, "sgs_") || len(shown.json(t)["client_secrets"].([]any)) != 2 {
		t.Errorf("shown afterwards: %s", shown.body)
	}
	third := w.want(201, request{method: "POST", path: "/api/v1/clients/s/secrets", body: `{}`})
	if secrets := third.json(t)["client_secrets"].([]any); len(secrets) != 1 {
		t.Errorf("without overlap the old secrets go on: %v", secrets)
	}
	for _, header := range []map[string]string{nil, {"Content-Type": "application/json"}} {
		w.want(201, request{method: "POST", path: "/api/v1/clients/s/secrets", header: header})
	}
	got := w.want(422, request{method: "POST", path: "/api/v1/clients/s/secrets", body: `{"overlap_seconds":-1}`})
	if !strings.Contains(got.body, `"/overlap_seconds"`) {
		t.Error(got.body)
	}
	w.want(422, request{method: "POST", path: "/api/v1/clients/s/secrets", body: `{"overlap_seconds":99999999999999}`})
	w.want(422, request{method: "POST", path: "/api/v1/clients/s/secrets", body: `{"overlap_seconds":9000000000}`})
}

func TestAClientIsSwitchedOffAndOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(201, request{method: "POST", path: "/api/v1/clients", body: `{"client_id":"s","client_name":"S","application_type":"service"}`})
	for _, c := range []struct {
		verb     string
		disabled bool
	}{{"disable", true}, {"disable", true}, {"enable", false}} {
		got := w.want(200, request{method: "POST", path: "/api/v1/clients/s/" + c.verb})
		if got.json(t)["disabled"] != c.disabled || got.Header.Get("ETag") == "" {
			t.Errorf("%s: %s", c.verb, got.body)
		}
	}
}

func TestWhoDidItIsWrittenDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(201, request{method: "POST", path: "/api/v1/roles", body: `{"name":"baker"}`})
	if err := w.audit.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := w.store.Events(t.Context(), "", 10)
	if err != nil || len(events) != 1 || events[0].Actor != "robot" || events[0].Address != "192.0.2.7" {
		t.Errorf("recorded %+v, %v", events, err)
	}
}
