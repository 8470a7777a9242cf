package gatewayapi_test

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/web/webtest"
)

// proxies are those that the same things must be true behind.
var proxies = map[string]func(w *world, change ...string){
	"nginx": (*world).behindNginx,
	"caddy": (*world).behindCaddy,
}

// behindEach runs a test once behind each proxy.
func behindEach(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	for name, put := range proxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			put(w)
			test(t, w)
		})
	}
}

func TestAnAPITokenReachesTheServiceAsAShortJWT(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		v, token := w.token(time.Hour, ordersRead)
		got := w.get("/orders?page=2&scope=x", token).arrived()
		if got.Subject != w.alice.ID || got.ClientID != v.ID || strings.Join(got.Scopes, " ") != ordersRead {
			t.Errorf("the service sees %+v", got)
		}
		if got.Lifetime > time.Minute || got.URI != "/orders?page=2&scope=x" {
			t.Errorf("a token for %s at %s", got.Lifetime, got.URI)
		}
		for name, values := range got.Header {
			if strings.Contains(strings.Join(values, " "), token) {
				t.Errorf("the service sees the API token in %s", name)
			}
		}
		if got.Header.Get("Remote-User") != "alice" {
			t.Errorf("the service is told %v", got.Header)
		}
	})
}

// Header values are ASCII; what is not, and the percent sign, is percent-encoded.
func TestTheServiceIsToldWhoAsks(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		verified := true
		_, err := w.People.CreateRole(t.Context(), authz.Role{Name: "buyer", Description: "Buys", Scopes: authz.Scopes{ordersRead}})
		w.must(err)
		w.must(w.People.GrantRole(t.Context(), w.alice.ID, "buyer"))
		_, err = w.People.Update(t.Context(), w.alice.ID, 0, directory.Change{EmailVerified: &verified, Profile: &authz.Profile{Name: "Alice Ångström 100%"}})
		w.must(err)
		_, token := w.token(time.Hour, ordersRead)
		got := w.get("/orders", token).arrived()
		for name, want := range map[string]string{
			"Remote-User": "alice", "Remote-Name": "Alice %C3%85ngstr%C3%B6m 100%25", "Remote-Email": "alice@example.com", "Remote-Groups": "buyer",
		} {
			if all := got.Header.Values(name); len(all) != 1 || all[0] != want {
				t.Errorf("%s is %q, want %q", name, all, want)
			}
		}
	})
}

// As much as may be said of a person fits into the answer that a proxy reads.
func TestAllThatIsSaidOfAPersonReachesTheService(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		api, err := w.APIs.Get(t.Context(), orders)
		w.must(err)
		api.Claims = []string{"story"}
		_, err = w.APIs.Update(t.Context(), orders, api.Version, *api)
		w.must(err)
		_, err = w.People.SetClaims(t.Context(), w.alice.ID, authz.UserClaims{"story": strings.Repeat("x", 4096-len(`{"story":""}`))})
		w.must(err)
		_, token := w.token(time.Hour, ordersRead, ordersWrite)
		got := w.get("/orders", token).arrived()
		if got.Subject != w.alice.ID || len(got.Header.Get("Authorization")) < 4096*4/3 {
			t.Errorf("the service sees %+v", got)
		}
	})
}

func TestTheAccessTokenOfAnAppReachesTheService(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		app := w.App("acme", "https://acme.example/callback", func(m *authz.ClientMetadata) {
			m.APIs, m.DefaultAPI, m.Scope = []string{orders}, orders, m.Scope.With(authz.Scopes{ordersRead, ordersWrite})
		})
		p := signIn(w.Browser().Open(app.Ask("openid " + ordersRead))).Press("allow")
		tokens := app.Redeem(p)
		got := w.get("/orders", tokens.AccessToken).arrived()
		if got.Subject != w.alice.ID || got.ClientID != "acme" || strings.Join(got.Scopes, " ") != ordersRead {
			t.Errorf("the service sees %+v of %+v", got, tokens)
		}
		if got.Header.Get("Authorization") == "Bearer "+tokens.AccessToken || got.Lifetime > time.Minute {
			t.Error("the service sees the app's own token")
		}
		w.must(w.Consents.Revoke(t.Context(), w.alice.ID, "acme"))
		w.untilRefused(tokens.AccessToken)
	})
}

// A client may be called what a person is called. Services that read headers know people only.
func TestAClientIsNobodysUser(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		service := w.App("alice", "", func(m *authz.ClientMetadata) {
			m.Type, m.RedirectURIs, m.APIs, m.Scope = authz.ClientService, nil, []string{orders}, authz.Scopes{ordersRead}
		})
		token := service.Token(url.Values{"grant_type": {authz.GrantClientCredentials}, "resource": {orders}}).AccessToken
		got := w.ask(http.MethodGet, "/orders", nil, "Authorization", "Bearer "+token, "Remote-User", "alice").arrived()
		if got.Subject != "alice" || got.ClientID != "alice" {
			t.Errorf("the JWT says %q by %q", got.Subject, got.ClientID)
		}
		for _, name := range []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"} {
			if value := got.Header.Get(name); value != "" {
				t.Errorf("%s is %q", name, value)
			}
		}
	})
}

// untilRefused asks until a revocation has arrived.
func (w *world) untilRefused(token string) {
	w.t.Helper()
	began := time.Now()
	w.until("the token is refused", func() bool {
		a := w.get("/orders", token)
		if a.status != http.StatusOK {
			a.refused(http.StatusUnauthorized, `error="invalid_token"`)
		}
		return a.status != http.StatusOK
	})
	w.t.Logf("refused after %s", time.Since(began).Round(time.Millisecond))
}

// until waits for something that is about to happen, for as long as a machine may take that
// has much else to do.
func (w *world) until(what string, happened func() bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("it never came about that %s; the log: %s", what, w.Log)
		}
	}
}

func TestARevokedAPITokenIsRefused(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		v, token := w.token(time.Hour, ordersRead)
		w.get("/orders", token).arrived()
		w.must(w.APITokens.Revoke(t.Context(), w.alice.ID, v.ID))
		w.untilRefused(token)
	})
}

func TestWhatIsRefused(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, token := w.token(time.Hour, ordersRead)
		_, short := w.token(time.Minute, ordersRead)
		w.API(authz.API{Identifier: "https://billing.example.com", Name: "Billing", Scopes: []authz.APIScope{{Name: "bills:read", Description: "See your bills"}}})
		_, other, err := w.APITokens.Create(t.Context(), w.alice, apitoken.New{
			Name: "other", API: "https://billing.example.com", Scopes: authz.Scopes{"bills:read"}, ExpiresAt: w.Clock.Now().Add(time.Hour),
		})
		w.must(err)
		w.Clock.Advance(2 * time.Minute)
		wrong := token[:len(token)-1] + "0"
		if strings.HasSuffix(token, "0") {
			wrong = token[:len(token)-1] + "1"
		}
		for name, c := range map[string]struct {
			path      string
			headers   []string
			status    int
			challenge string
		}{
			"no token":          {"/orders", nil, 401, `Bearer realm="` + orders + `"`},
			"another scheme":    {"/orders", []string{"Authorization", "Basic YWxpY2U6eA=="}, 401, "Bearer realm="},
			"wrong checksum":    {"/orders", []string{"Authorization", "Bearer " + wrong}, 401, `error="invalid_token"`},
			"no token at all":   {"/orders", []string{"Authorization", "Bearer x"}, 401, `error="invalid_token"`},
			"expired":           {"/orders", []string{"Authorization", "Bearer " + short}, 401, `error="invalid_token"`},
			"for another API":   {"/orders", []string{"Authorization", "Bearer " + other.Reveal()}, 401, `error="invalid_token"`},
			"an invented JWT":   {"/orders", []string{"Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."}, 401, `error="invalid_token"`},
			"missing scope":     {"/admin/all", []string{"Authorization", "Bearer " + token}, 403, `scope="` + ordersWrite + `"`},
			"missing scope, 2":  {"/admin", []string{"Authorization", "Bearer " + token}, 403, `error="insufficient_scope"`},
			"missing scope, 3":  {"/Admin/all", []string{"Authorization", "Bearer " + token}, 403, `error="insufficient_scope"`},
			"missing scope, 4":  {"/%61DMIN/", []string{"Authorization", "Bearer " + token}, 403, `error="insufficient_scope"`},
			"an invented login": {"/orders", []string{"Cookie", "__Host-signet_gateway=sgg_AAAA", "Remote-User", "alice"}, 401, "Bearer realm="},
		} {
			t.Run(name, func(t *testing.T) {
				w.ask(http.MethodGet, c.path, nil, c.headers...).refused(c.status, c.challenge)
			})
		}
		if all := w.service.arrivals(); len(all) > 0 {
			t.Errorf("the service saw %+v", all)
		}
	})
}

func TestWhatTheClientSaysAboutItselfNeverArrives(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, token := w.token(time.Hour, ordersRead, ordersWrite)
		got := w.ask(http.MethodGet, "/orders", nil,
			"Authorization", "Bearer "+token,
			"Remote-User", "root", "Remote-Name", "Root", "Remote-Email", "root@example.com", "Remote-Groups", "administrator",
			"Remote_User", "root", "remote-email", "again@example.com",
			"X-Original-URL", "https://elsewhere.example/", "X-Original-Method", "OPTIONS",
			"X-Forwarded-For", "198.51.100.1", "X-Forwarded-Port", "81", "X-Forwarded-Prefix", "/elsewhere", "X-Forwarded-Server", "elsewhere",
			"Forwarded", "for=198.51.100.1;host=elsewhere.example", "X-Real-IP", "198.51.100.1", "X-Rewrite-URL", "/admin",
			"X-Forwarded-Host", "elsewhere.example", "X-Forwarded-Proto", "http", "X-Forwarded-Uri", "/public", "X-Forwarded-Method", "OPTIONS",
			"X-Signet-Api", "https://elsewhere.example", "X-Signet-Scope", "nothing",
			"Cookie", "theme=dark; __Host-signet_gateway=sgg_secret; lang=en",
		).arrived()
		if got.Header.Get("Remote-User") != "alice" || len(got.Header.Values("Remote-User")) != 1 {
			t.Errorf("Remote-User is %q", got.Header.Values("Remote-User"))
		}
		// Her address is not verified, so that Signet says nothing of it.
		for _, name := range []string{"Remote-Email", "Remote-Groups", "Remote-Name"} {
			for _, value := range got.Header.Values(name) {
				if value != "" && value != "alice" {
					t.Errorf("%s is %q", name, value)
				}
			}
		}
		for name, values := range got.Header {
			if strings.EqualFold(strings.ReplaceAll(name, "_", "-"), "Remote-User") && name != "Remote-User" {
				t.Errorf("the service sees %s: %q", name, values)
			}
		}
		for name, want := range map[string]string{
			"X-Forwarded-Host": "orders.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1",
			"X-Forwarded-Port": "", "X-Forwarded-Prefix": "", "X-Forwarded-Server": "", "Forwarded": "", "X-Original-Url": "", "X-Rewrite-Url": "",
		} {
			if all := got.Header.Values(name); len(all) > 1 || len(all) == 1 && all[0] != want {
				t.Errorf("%s is %q, want none but %q", name, all, want)
			}
		}
		cookies := got.Header.Get("Cookie")
		if strings.Contains(cookies, "sgg_") || !strings.Contains(cookies, "theme=dark") || !strings.Contains(cookies, "lang=en") {
			t.Errorf("the service sees the cookies %q", cookies)
		}
	})
}

// A client may name any host: the service is told the one that it serves.
func TestTheServiceIsToldItsOwnHost(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, token := w.token(time.Hour, ordersRead)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, orders+"/orders", nil)
		w.must(err)
		r.Host = "elsewhere.example"
		r.Header.Set("Authorization", "Bearer "+token)
		transport := w.transport()
		defer transport.CloseIdleConnections()
		res, err := transport.RoundTrip(r)
		w.must(err)
		defer res.Body.Close()
		for _, one := range w.service.arrivals() {
			if one.Host != "orders.example.com" {
				t.Errorf("the service is told %s", one.Host)
			}
		}
	})
}

// The address is the one that the proxy was called from, whatever the client says.
func TestATokenForSomeAddressesOnly(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		from := func(network string) string {
			_, secret, err := w.APITokens.Create(t.Context(), w.alice, apitoken.New{
				Name: network, API: orders, Scopes: authz.Scopes{ordersRead}, ExpiresAt: w.Clock.Now().Add(time.Hour),
				Networks: []netip.Prefix{netip.MustParsePrefix(network)},
			})
			w.must(err)
			return secret.Reveal()
		}
		w.get("/orders", from("127.0.0.0/8")).arrived()
		elsewhere := from("203.0.113.0/24")
		w.get("/orders", elsewhere).refused(http.StatusUnauthorized, "may not be used from this address")
		w.ask(http.MethodGet, "/orders", nil, "Authorization", "Bearer "+elsewhere, "X-Forwarded-For", "203.0.113.7", "X-Real-IP", "203.0.113.7", "Forwarded", "for=203.0.113.7").
			refused(http.StatusUnauthorized, "may not be used from this address")
	})
}

func TestBodiesGoToTheServiceOnly(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, token := w.token(time.Hour, ordersRead)
		large := strings.Repeat("0123456789abcdef", 20_000) // more than Signet takes of any request
		if got := w.ask(http.MethodPost, "/orders", strings.NewReader(large), "Authorization", "Bearer "+token).arrived(); got.Body != large || got.Method != http.MethodPost {
			t.Errorf("%d bytes arrived by %s", len(got.Body), got.Method)
		}
		chunked := struct{ *bytes.Buffer }{bytes.NewBufferString(large)} // of no known length
		if got := w.ask(http.MethodPut, "/orders/1", chunked, "Authorization", "Bearer "+token).arrived(); got.Body != large || got.Method != http.MethodPut {
			t.Errorf("%d chunked bytes arrived by %s", len(got.Body), got.Method)
		}
		w.ask(http.MethodPost, "/orders", strings.NewReader(large)).refused(http.StatusUnauthorized, "Bearer")
	})
}

func TestPathsThatCanBeReadInTwoWaysAreRefused(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, token := w.token(time.Hour, ordersRead)
		for _, path := range []string{"/orders/%2e%2e/admin/all", "/orders/..%2fadmin/all", "/orders%5c..%5cadmin", "/.signet-check/", "/.signet-check/orders:read"} {
			a := w.get(path, token)
			if a.status == http.StatusOK {
				for _, one := range w.service.arrivals() {
					if strings.Contains(one.URI, "%2e") || strings.Contains(one.URI, "%2f") || strings.Contains(one.URI, "%5c") {
						t.Errorf("%s arrived as %s", path, one.URI)
					}
				}
			}
		}
	})
}

// What some services read as a place that needs a scope, and the proxy does not.
func TestAPlaceThatNeedsAScopeIsReachedByNoOtherName(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, reads := w.token(time.Hour, ordersRead)
		_, writes := w.token(time.Hour, ordersRead, ordersWrite)
		for _, path := range []string{
			"/admin;a/x", "/admin;/x", "/;a/admin/x", "/admin;a", "/admin%3Ba/x", "/ADMIN;a/x", "/x/..;/admin/x",
			"//admin/x", "/admin//x", "///admin",
		} {
			for _, token := range []string{reads, writes} {
				if a := w.get(path, token); a.status != http.StatusForbidden {
					t.Errorf("%s: status %d: %s", path, a.status, a.body)
				}
			}
		}
		for _, path := range []string{
			"/admin", "/admin/", "/admin/x", "/ADMIN", "/Admin/x", "/%61dmin/x", "/admin./x", "/admin%20/x", "/administrator",
		} {
			w.get(path, reads).refused(http.StatusForbidden, `scope="`+ordersWrite+`"`)
		}
		for _, one := range w.service.arrivals() {
			t.Errorf("the service saw %s", one.URI)
		}
		for _, path := range []string{"/admin", "/admin/x?y=z;a//b", "/ADMIN/x"} {
			if got := w.get(path, writes).arrived(); got.URI != path {
				t.Errorf("%s arrived as %s", path, got.URI)
			}
		}
		w.get("/orders/admin/x", reads).arrived()
	})
}

func TestNobodyPassesWhileSignetIsDown(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, token := w.token(time.Hour, ordersRead)
		w.get("/orders", token).arrived()
		before := len(w.service.arrivals())
		w.checks.CloseClientConnections()
		w.checks.Close()
		for range 3 {
			a := w.get("/orders", token)
			if again := a.header.Get("Retry-After"); a.status != http.StatusBadGateway && (a.status != http.StatusServiceUnavailable || again == "") {
				t.Errorf("status %d without Signet, Retry-After %q", a.status, again)
			}
			if a := w.ask(http.MethodGet, "/orders", nil, "Remote-User", "alice"); a.status < 500 {
				t.Errorf("status %d without Signet and a token", a.status)
			}
		}
		if len(w.service.arrivals()) != before {
			t.Error("a request came through without Signet")
		}
	})
}

// An outage is told as one, and not as a mistake of who asks or of the settings.
func TestWhileSignetCannotTellClientsAreToldToComeBack(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, known := w.token(time.Hour, ordersRead)
		_, unknown := w.token(time.Hour, ordersRead)
		w.get("/orders", known).arrived()
		w.must(w.Store.Close())
		before := len(w.service.arrivals())
		for _, path := range []string{"/orders", "/admin/x"} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
				a := w.ask(method, path, nil, "Authorization", "Bearer "+unknown)
				if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
					t.Errorf("%s %s: status %d with Retry-After %q: %s", method, path, a.status, a.header.Get("Retry-After"), a.body)
				}
			}
		}
		if len(w.service.arrivals()) != before {
			t.Error("a request came through without an answer")
		}
		w.get("/orders", known).arrived()
		w.get("/orders", "x").refused(http.StatusUnauthorized, "invalid_token")
		w.get("/admin/x", known).refused(http.StatusForbidden, "insufficient_scope")
	})
}

func TestAnUnregisteredAPIIsAMistakeOfTheSettings(t *testing.T) {
	behindEach(t, func(t *testing.T, w *world) {
		_, token := w.token(time.Hour, ordersRead)
		w.must(w.APIs.Delete(t.Context(), orders, 0))
		if a := w.get("/orders", token); a.status != http.StatusInternalServerError {
			t.Errorf("status %d: %s", a.status, a.body)
		}
		w.logs("no registered API has an identifier that")
		if len(w.service.arrivals()) > 0 {
			t.Error("the request came through")
		}
	})
}

// logs waits for a line, which is written when the answer is on its way already.
func (w *world) logs(text string) {
	w.t.Helper()
	w.until("the log says "+text, func() bool { return strings.Contains(w.Log.String(), text) })
}

// A proxy that is not listed as trusted lets nobody through.
func TestTheWordOfAStrangerIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, put := range proxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, webtest.With(trustNobody))
			put(w)
			_, token := w.token(time.Hour, ordersRead)
			if a := w.get("/orders", token); a.status != http.StatusInternalServerError {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			w.logs("none of the trusted proxies")
			if len(w.service.arrivals()) > 0 || w.Site.Ignored() != 1 {
				t.Errorf("%d came through, %d ignored", len(w.service.arrivals()), w.Site.Ignored())
			}
		})
	}
}
