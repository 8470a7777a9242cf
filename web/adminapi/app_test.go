package adminapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

const ownApps = "/api/v1/account/apps"

// allow lets an app act for a person.
func (w *world) allow(u *authz.User, clientID, scopes string) {
	w.t.Helper()
	err := w.store.InsertConsent(w.t.Context(), &authz.Consent{
		UserID: u.ID, ClientID: clientID, Scopes: authz.ParseScopes(scopes), Resources: []string{orders},
		CreatedAt: w.now(), UpdatedAt: w.now(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// app registers an app.
func (w *world) app(id string) {
	w.t.Helper()
	w.want(201, request{method: "POST", path: "/api/v1/clients", body: `{"client_id":"` + id + `","client_name":"The ` + id +
		`","client_uri":"https://` + id + `.example","redirect_uris":["https://` + id + `.example/cb"]}`})
}

func TestAPersonSeesAndRevokesTheirApps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, bob := w.person("alice"), w.person("bob")
	for _, id := range []string{"calendar", "mail", "notes"} {
		w.app(id)
		w.allow(alice, id, "openid orders:read")
		w.allow(bob, id, "openid")
		w.advance(time.Minute)
	}
	golden(t, "app-listed.json", indented(t, w.want(200, request{method: "GET", path: ownApps, token: mine})))
	if got := w.walk(t, ownApps, mine, "client_id"); strings.Join(got, " ") != "calendar mail notes" {
		t.Errorf("listed %v", got)
	}
	for range 2 { // twice is fine
		w.want(204, request{method: "DELETE", path: ownApps + "/mail", token: mine})
	}
	if got := w.walk(t, ownApps, mine, "client_id"); strings.Join(got, " ") != "calendar notes" {
		t.Errorf("listed %v", got)
	}
	if got := w.walk(t, ownApps, "bob/"+authz.ScopeAccount, "client_id"); len(got) != 3 {
		t.Errorf("bob has %v left", got)
	}
}

func TestRevokingAppsNeverMeansAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("calendar")
	w.allow(w.person("alice"), "calendar", "openid")
	for _, path := range []string{ownApps + "/", ownApps + "/nobody", ownApps + "/%20", ownApps + "/%ff", ownApps + "/a%00b", ownApps + "/calendar%2f"} {
		w.want(404, request{method: "DELETE", path: path, token: mine})
	}
	w.want(405, request{method: "DELETE", path: ownApps, token: mine})
	if got := w.walk(t, ownApps, mine, "client_id"); len(got) != 1 {
		t.Errorf("listed %v", got)
	}
}
