package gatewayapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/web/webtest"
)

// cookies gives those that a browser has for the protected host, by name.
func (w *world) cookies(b *webtest.Browser) map[string]string {
	out := map[string]string{}
	for _, c := range b.CookiesAt(orders) {
		out[c.Name] = c.Value
	}
	return out
}

func TestAPersonSignsInAtTheProtectedHost(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		b := w.browser()
		p := b.Open(orders + "/orders?page=2&q=a%2Fb")
		if !strings.HasPrefix(p.URL.String(), w.Issuer+"/login") {
			t.Fatalf("at %s (%d), not at the sign-in page: %s", p.URL, p.Status, p.Body)
		}
		if len(w.service.arrivals()) > 0 {
			t.Error("the service saw a request of nobody")
		}
		p = signIn(p)
		if p.URL.String() != orders+"/orders?page=2&q=a%2Fb" || p.Status != http.StatusOK {
			t.Fatalf("at %s (%d): %s", p.URL, p.Status, p.Body)
		}
		got := arrivalIn(t, p.Body)
		if got.Subject != w.alice.ID || got.ClientID != gateway.ClientID(orders) || got.Header.Get("Remote-User") != "alice" || got.Lifetime > time.Minute {
			t.Errorf("the service sees %+v", got)
		}
		if strings.Contains(got.Header.Get("Cookie"), gateway.PrefixSession) {
			t.Errorf("the service sees the session: %s", got.Header.Get("Cookie"))
		}
		if all := w.cookies(b); len(all) != 1 || !strings.HasPrefix(all["__Host-signet_gateway"], gateway.PrefixSession) {
			t.Errorf("the browser keeps %v", all)
		}
		if p := b.Open(orders + "/again"); p.Status != http.StatusOK || len(p.Trail) != 1 {
			t.Errorf("signed in, and by %v at %s (%d)", p.Trail, p.URL, p.Status)
		}
	})
}

// Who cancels is told so, and not that something has failed, and may change their mind.
func TestWhoCancelsTheSignInMayBeginItAgain(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		b := w.browser()
		p := b.Open(orders + "/orders?page=2").Press("cancel")
		if p.Status != http.StatusForbidden || !strings.HasPrefix(p.URL.String(), orders+gateway.CallbackPath) || p.Text("error") != "access_denied" {
			t.Fatalf("at %s (%d): %s", p.URL, p.Status, p.Body)
		}
		if !strings.Contains(p.Body, "<title>You are not signed in ·") || !p.Says("Sign in") {
			t.Errorf("the page says %s", p.Body)
		}
		if all := w.cookies(b); all["__Host-signet_gateway"] != "" || len(w.service.arrivals()) > 0 {
			t.Errorf("cancelled, and signed in with %v", all)
		}
		p = p.Link("Sign in")
		if !strings.HasPrefix(p.URL.String(), w.Issuer+"/login") {
			t.Fatalf("at %s (%d), not at the sign-in page: %s", p.URL, p.Status, p.Body)
		}
		if p = signIn(p); p.URL.String() != orders+"/orders?page=2" || p.Status != http.StatusOK {
			t.Errorf("at %s (%d): %s", p.URL, p.Status, p.Body)
		}
	})
}

func TestSeveralTabsSignInAtOnce(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		b := w.browser()
		one, two := b.Open(orders+"/one"), b.Open(orders+"/two")
		if p := signIn(two); p.URL.String() != orders+"/two" {
			t.Errorf("the second tab is at %s", p.URL)
		}
		if p := signIn(one); p.URL.String() != orders+"/one" {
			t.Errorf("the first tab is at %s (%d): %s", p.URL, p.Status, p.Body)
		}
		if all := w.cookies(b); len(all) != 1 {
			t.Errorf("the browser keeps %v", all)
		}
	})
}

func TestTheSessionAtTheProtectedHostEndsWithThePersons(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		b := w.browser()
		signIn(b.Open(orders + "/orders"))
		all, err := w.Sessions.List(t.Context(), w.alice.ID)
		w.must(err)
		w.must(w.Sessions.End(t.Context(), w.alice.ID, all[0].ID))
		w.until("the person has to sign in again", func() bool {
			return strings.HasPrefix(b.Open(orders+"/orders").URL.String(), w.Issuer+"/login")
		})
	})
}

func TestARevokedAppEndsTheSessionAtTheProtectedHost(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		b := w.browser()
		signIn(b.Open(orders + "/orders"))
		apps, err := w.Consents.Apps(t.Context(), w.alice.ID)
		w.must(err)
		if len(apps) != 1 || apps[0].Client.Metadata.Name != "Orders" {
			t.Fatalf("her apps are %+v", apps)
		}
		w.must(w.Consents.Revoke(t.Context(), w.alice.ID, apps[0].Client.ID))
		w.until("the cookie is refused", func() bool {
			cookie := "__Host-signet_gateway=" + w.cookies(b)["__Host-signet_gateway"]
			return w.ask(http.MethodGet, "/orders", nil, "Cookie", cookie).status == http.StatusUnauthorized
		})
		// Her own session lives: she is let in anew without a page.
		if p := b.Open(orders + "/orders"); p.URL.String() != orders+"/orders" || len(p.Trail) < 3 {
			t.Errorf("at %s by %v", p.URL, p.Trail)
		}
	})
}

func TestSignOutAtTheProtectedHost(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		b := w.browser()
		signIn(b.Open(orders + "/orders"))
		cookie := "__Host-signet_gateway=" + w.cookies(b)["__Host-signet_gateway"]
		p := b.Open(orders + "/.signet/sign-out")
		if !strings.HasPrefix(p.URL.String(), w.Issuer+"/logout") || !p.Has("sign-out") || len(w.cookies(b)) > 0 {
			t.Fatalf("at %s with %v", p.URL, w.cookies(b))
		}
		w.until("the cookie is of no use to who has kept it", func() bool {
			return w.ask(http.MethodGet, "/orders", nil, "Cookie", cookie).status == http.StatusUnauthorized
		})
		p.Press("sign-out")
		if p := b.Open(orders + "/orders"); !strings.HasPrefix(p.URL.String(), w.Issuer+"/login") {
			t.Errorf("still signed in, at %s", p.URL)
		}
	})
}

func TestWhoIsNotLetInByScopeSeesAPage(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		role, err := w.People.Role(t.Context(), authz.RoleDefault)
		w.must(err)
		role.Scopes = authz.Scopes{ordersRead}
		_, err = w.People.UpdateRole(t.Context(), role.Name, role.Version, role)
		w.must(err)
		b := w.browser()
		if p := signIn(b.Open(orders + "/orders")); p.Status != http.StatusOK {
			t.Fatalf("status %d: %s", p.Status, p.Body)
		}
		p := b.Open(orders + "/admin/")
		if p.Status != http.StatusForbidden || p.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("status %d with %q", p.Status, p.Header.Get("WWW-Authenticate"))
		}
	})
}

// Scripts cannot follow a redirect to a sign-in page: they are told.
func TestScriptsAreToldAndNotSentToSignIn(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		for name, headers := range map[string][]string{
			"fetch":          {"Accept", "text/html", "Sec-Fetch-Mode", "cors"},
			"XMLHttpRequest": {"Accept", "text/html", "X-Requested-With", "XMLHttpRequest"},
			"JSON":           {"Accept", "application/json"},
		} {
			t.Run(name, func(t *testing.T) {
				w.ask(http.MethodGet, "/orders", nil, headers...).refused(http.StatusUnauthorized, "Bearer")
			})
		}
		w.ask(http.MethodPost, "/orders", strings.NewReader("x"), "Accept", "text/html", "Sec-Fetch-Mode", "navigate").
			refused(http.StatusUnauthorized, "Bearer")
	})
}

func TestSignInGoesBackToThisHostOnly(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		for _, to := range []string{
			"https://evil.example/", "//evil.example/", `/\evil.example/`, "https://orders.example.com@evil.example/",
			"https://orders.example.com.evil.example/", "javascript:alert(1)", "http://orders.example.com/", "/.signet/sign-out",
		} {
			b := w.browser()
			p := signIn(b.Open(orders + "/.signet/sign-in?return_to=" + url.QueryEscape(to)))
			if p.URL.String() != orders+"/" {
				t.Errorf("%s leads to %s", to, p.URL)
			}
		}
	})
}

// What comes back to the protected host must have been begun there by this browser.
func TestCallbacksOfOthers(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		// Somebody signs in and stops before the last step, to have another browser take it.
		thief := webtest.NewBrowser(t, w.Issuer, w.transport())
		stolen := signIn(thief.Open(orders + "/.signet/sign-in"))
		if stolen.URL.Path != gateway.CallbackPath || stolen.URL.Query().Get("code") == "" {
			t.Fatalf("at %s", stolen.URL)
		}
		victim := w.browser()
		if p := victim.Open(stolen.URL.String()); p.Text("error") != "sign_in_expired" || len(w.cookies(victim)) > 0 {
			t.Errorf("status %d with %v: %s", p.Status, w.cookies(victim), p.Body)
		}
		if p := thief.Open(stolen.URL.String()); p.Status != http.StatusSeeOther || p.URL.String() != orders+"/" {
			t.Errorf("who began it could not finish: %d at %s", p.Status, p.URL)
		}
		for name, path := range map[string]string{
			"no state": "/.signet/callback?code=sgc_x", "another state": "/.signet/callback?code=sgc_x&state=AAAAAAAAAAAAAAAAAAAAAA",
			"an error": "/.signet/callback?error=access_denied&state=x",
		} {
			t.Run(name, func(t *testing.T) {
				p := w.browser().Open(orders + path)
				if p.Status != http.StatusBadRequest || p.Text("error") != "sign_in_expired" || p.Text("error-id") == "" {
					t.Errorf("status %d: %s", p.Status, p.Body)
				}
				if !strings.Contains(p.Body, `href="`+orders+`/"`) {
					t.Errorf("the page leads nowhere: %s", p.Body)
				}
				if !strings.Contains(p.Body, `<base href="`+w.Issuer+`/">`) {
					t.Error("the page looks for its style at the protected host")
				}
			})
		}
	})
}

func TestAnOutageDuringSignInIsNoRefusal(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		b := w.browser()
		p := b.Open(orders + "/")
		callback := signIn(p)
		if callback.Status != http.StatusOK {
			t.Fatalf("status %d", callback.Status)
		}
		w.checks.CloseClientConnections()
		w.checks.Close()
		if p := b.Open(orders + "/"); p.Status < 500 {
			t.Errorf("status %d without Signet", p.Status)
		}
		if p := b.Open(orders + "/.signet/sign-in"); p.Status < 500 {
			t.Errorf("status %d without Signet", p.Status)
		}
	})
}
