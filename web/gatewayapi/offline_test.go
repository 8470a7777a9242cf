package gatewayapi_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/webtest"
)

// straight shows a token to the service itself, beside the gateway.
func (w *world) straight(token string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.service.URL+"/orders", nil)
	w.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := w.service.Client().Do(r)
	w.must(err)
	defer res.Body.Close()
	return res.StatusCode
}

// untilStraight asks the service until it answers with a status.
func (w *world) untilStraight(what, token string, status int) {
	w.t.Helper()
	began := time.Now()
	w.until("the service hears: "+what, func() bool { return w.straight(token) == status })
	w.t.Logf("%s: heard after %s", what, time.Since(began).Round(time.Millisecond))
}

// acme is an app to which alice grants ordersRead.
func (w *world) acme() (*webtest.App, webtest.Tokens) {
	w.t.Helper()
	app := w.App("acme", "https://acme.example/callback", func(m *authz.ClientMetadata) {
		m.APIs, m.DefaultAPI, m.Scope = []string{orders}, orders, m.Scope.With(authz.Scopes{ordersRead})
		m.GrantTypes = []string{authz.GrantAuthorizationCode, authz.GrantRefreshToken, authz.GrantClientCredentials}
	})
	return app, app.Redeem(signIn(w.Browser().Open(app.Ask("openid " + ordersRead))).Press("allow"))
}

// The service follows the status list: a token that comes to it beside the gateway is
// refused as well, without a question to Signet per request.
func TestARevokedTokenIsRefusedByTheServiceItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, tokens := w.acme()
	if status := w.straight(tokens.AccessToken); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	w.must(w.Consents.Revoke(t.Context(), w.alice.ID, "acme"))
	w.untilStraight("the grant is revoked", tokens.AccessToken, http.StatusUnauthorized)
}

// So is every token of a disabled app, a person's and its own, until it is enabled again:
// but not what was revoked meanwhile.
func TestADisabledAppIsRefusedByTheServiceItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app, persons := w.acme()
	own := app.Token(url.Values{"grant_type": {authz.GrantClientCredentials}, "resource": {orders}, "scope": {ordersRead}})
	all := map[string]string{"the person's token": persons.AccessToken, "the app's own": own.AccessToken}
	for name, token := range all {
		if status := w.straight(token); status != http.StatusOK {
			t.Fatalf("%s: status %d", name, status)
		}
	}
	for range 2 {
		w.must(w.Clients.SetDisabled(t.Context(), "acme", true))
		for name, token := range all {
			w.untilStraight("disabled, "+name, token, http.StatusUnauthorized)
		}
		w.must(w.Clients.SetDisabled(t.Context(), "acme", false))
		for name, token := range all {
			w.untilStraight("enabled, "+name, token, http.StatusOK)
		}
	}
	w.must(w.Clients.SetDisabled(t.Context(), "acme", true))
	w.must(w.Consents.Revoke(t.Context(), w.alice.ID, "acme"))
	w.must(w.Clients.SetDisabled(t.Context(), "acme", false))
	w.untilStraight("enabled, the app's own", own.AccessToken, http.StatusOK)
	w.untilStraight("revoked while disabled", persons.AccessToken, http.StatusUnauthorized)
}

// An account that is switched off loses its grants for good: to switch it on again brings
// none back.
func TestADisabledAccountIsRefusedByTheServiceItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app, tokens := w.acme()
	if status := w.straight(tokens.AccessToken); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	w.must(w.People.SetDisabled(t.Context(), w.alice.ID, true))
	w.untilStraight("the account is off", tokens.AccessToken, http.StatusUnauthorized)
	w.must(w.People.SetDisabled(t.Context(), w.alice.ID, false))
	fresh := app.Redeem(signIn(w.Browser().Open(app.Ask("openid " + ordersRead))))
	w.untilStraight("signed in again", fresh.AccessToken, http.StatusOK)
	w.untilStraight("the token from before", tokens.AccessToken, http.StatusUnauthorized)
}

// A deleted app takes all its tokens along, and one that is registered under its name later
// has tokens that are good.
func TestADeletedAppIsRefusedByTheServiceItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	credentials := url.Values{"grant_type": {authz.GrantClientCredentials}, "resource": {orders}, "scope": {ordersRead}}
	app, persons := w.acme()
	own := app.Token(credentials)
	w.must(w.Clients.Delete(t.Context(), "acme", 0))
	w.untilStraight("deleted, the app's own", own.AccessToken, http.StatusUnauthorized)
	w.untilStraight("deleted, the person's", persons.AccessToken, http.StatusUnauthorized)

	w.until("nobody has the old one in memory", func() bool {
		_, err := w.Protocol.Client(t.Context(), "acme")
		return errors.Is(err, authz.ErrNotFound)
	})
	w.Clock.Advance(3 * time.Second) // nor that there is none
	later, persons := w.acme()
	own = later.Token(credentials)
	w.untilStraight("registered anew, the app's own", own.AccessToken, http.StatusOK)
	w.untilStraight("registered anew, the person's", persons.AccessToken, http.StatusOK)
}
