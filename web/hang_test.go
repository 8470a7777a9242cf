package web_test

import (
	"context"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/storage/storagetest/postgrestest"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

// hanging is a server whose database can be had to hang, with all that requests need.
type hanging struct {
	*webtest.Server
	t       *testing.T
	network *postgrestest.Network
	app     *webtest.App
	service *webtest.App
	tokens  webtest.Tokens // of alice
	script  string         // her API token for orders
	admin   string         // and for the server itself
	browser *webtest.Browser
}

const ordersAPI = "https://orders.example"

func newHanging(t *testing.T) *hanging {
	t.Helper()
	n := postgrestest.NewNetwork(t, storagetest.URL(t, storagetest.Postgres))
	store := storagetest.Open(t, n.URL(), storage.WithTimeout(time.Hour)) // it is requests that are bounded here
	h := &hanging{t: t, network: n, Server: webtest.Start(t, store, webtest.With(func(c *parts.Config) {
		c.AnswerWithin = 4 * time.Second
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}))}
	alice := h.Person("alice", password)
	if err := h.People.GrantRole(t.Context(), alice.ID, authz.RoleAdministrator); err != nil {
		t.Fatal(err)
	}
	alice.Roles = []string{authz.RoleAdministrator}
	h.API(authz.API{
		Identifier: ordersAPI, Name: "Orders", BrowserSignIn: true,
		Scopes: []authz.APIScope{{Name: "orders:read", Description: "See your orders"}},
	})
	h.app = h.App("app", "https://app.example/callback", func(m *authz.ClientMetadata) {
		m.GrantTypes = []string{authz.GrantAuthorizationCode, authz.GrantRefreshToken}
		m.FirstParty = true
	})
	h.service = h.App("service", "", func(m *authz.ClientMetadata) {
		m.Type, m.RedirectURIs, m.Scope, m.APIs = authz.ClientService, nil, authz.Scopes{"orders:read"}, []string{ordersAPI}
	})
	h.browser = h.Browser()
	page := h.browser.Open(h.app.Ask("openid offline_access")).Fill("username", "alice").Fill("password", password).Press("sign-in")
	if h.tokens = h.app.Redeem(page); h.tokens.Status != http.StatusOK {
		t.Fatalf("tokens %+v", h.tokens)
	}
	made := func(api string, scopes ...string) string {
		_, secret, err := h.APITokens.Create(t.Context(), alice, apitoken.New{
			Name: "for " + api, API: api, Scopes: scopes, ExpiresAt: h.Clock.Now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		return secret.Reveal()
	}
	h.script, h.admin = made(ordersAPI, "orders:read"), made(h.Issuer, authz.ScopeAdmin)
	if got := h.service.Token(url.Values{"grant_type": {authz.GrantClientCredentials}}); got.Status != http.StatusOK {
		t.Fatalf("the service gets %+v", got) // and is in memory from now on
	}
	return h
}

// request is one for each edge of the server: pairs of headers after a method, a path and a form.
type request struct {
	method, path string
	form         url.Values
	headers      []string
}

func (h *hanging) send(ctx context.Context, q request) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, h.Issuer+q.path, strings.NewReader(q.form.Encode()))
	if err != nil {
		return nil, "", err
	}
	if q.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(q.headers); i += 2 {
		r.Header.Set(q.headers[i], q.headers[i+1])
	}
	res, err := h.Client().Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func basic(a *webtest.App) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(a.ID+":"+a.Secret.Reveal()))}
}

// edges are requests that need the database.
func (h *hanging) edges() map[string]request {
	app := basic(h.app)
	var cookies []string
	for _, c := range h.browser.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	session := []string{"Cookie", strings.Join(cookies, "; "), "Accept", "text/html"}
	guarded := []string{"X-Original-URL", ordersAPI + "/", "X-Original-Method", "GET", "Authorization", "Bearer " + h.script}
	forwarded := []string{
		"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "orders.example", "X-Forwarded-Uri", "/",
		"Authorization", "Bearer " + h.script,
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.tokens.RefreshToken}}
	code := url.Values{"grant_type": {"authorization_code"}, "client_id": {"another"}, "code": {"x"}}
	return map[string]request{
		"readyz":                   {"GET", "/readyz", nil, nil},
		"token":                    {"POST", "/oauth2/token", refresh, app},
		"token, unknown client":    {"POST", "/oauth2/token", code, nil},
		"introspection":            {"POST", "/oauth2/introspect", url.Values{"token": {h.tokens.AccessToken}}, app},
		"revocation":               {"POST", "/oauth2/revoke", url.Values{"token": {h.tokens.AccessToken}}, app},
		"userinfo":                 {"GET", "/oauth2/userinfo", nil, []string{"Authorization", "Bearer " + h.tokens.AccessToken}},
		"authorize":                {"GET", strings.TrimPrefix(h.app.Ask("openid"), h.Issuer), nil, nil},
		"authorize, signed in":     {"GET", strings.TrimPrefix(h.app.Ask("openid"), h.Issuer), nil, session},
		"login page for an app":    {"GET", "/login?interaction=nothing", nil, nil},
		"a page, signed in":        {"GET", "/account/apps", nil, session},
		"a form, signed in":        {"POST", "/account/sessions/end-others", url.Values{"csrf": {"x"}}, session},
		"REST":                     {"GET", "/api/v1/clients", nil, []string{"Authorization", "Bearer " + h.admin}},
		"gateway check, nginx":     {"GET", "/gateway/nginx", nil, guarded},
		"gateway check, forwarded": {"GET", "/gateway/forward-auth", nil, forwarded},
		"sign in at the gateway":   {"GET", "/.signet/sign-in", nil, forwarded[:len(forwarded)-2]},
	}
}

// A database that hangs is an outage like one that is gone, on every edge: 503 and when to
// come back, and what needs no database goes on.
func TestADatabaseThatHangsIsAnOutage(t *testing.T) {
	t.Parallel()
	h := newHanging(t)
	etag := ask(t, h.Server, "GET", "/status-lists/0", nil).Header.Get("ETag")
	edges := h.edges()
	lists := map[string]request{
		"status list":            {"GET", "/status-lists/0", nil, nil},
		"status list, held back": {"GET", "/status-lists/0?wait=1", nil, []string{"If-None-Match", etag}},
	}
	login := h.Browser().Open("/login")
	h.network.Silence()
	h.Clock.Advance(5 * time.Second) // nothing was read a moment ago
	var all sync.WaitGroup
	outage := func(edges map[string]request) {
		for name, q := range edges {
			all.Go(func() {
				res, body, err := h.send(t.Context(), q)
				if err != nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
					t.Errorf("%s: %v, want 503 with Retry-After: %v %s", name, err, res, body)
				}
				if err == nil && res.Header.Get("WWW-Authenticate")+res.Header.Get("Location") != "" {
					t.Errorf("%s: an outage looks like a refusal: %v", name, res.Header)
				}
			})
		}
	}
	outage(edges)
	for name, q := range map[string]request{
		"healthz": {"GET", "/healthz", nil, nil}, "keys": {"GET", "/.well-known/jwks.json", nil, nil},
		"discovery": {"GET", "/.well-known/openid-configuration", nil, nil}, "login page": {"GET", "/login", nil, nil},
		"client credentials": {"POST", "/oauth2/token", url.Values{"grant_type": {authz.GrantClientCredentials}}, basic(h.service)},
	} {
		all.Go(func() {
			if res, body, err := h.send(t.Context(), q); err != nil || res.StatusCode != http.StatusOK {
				t.Errorf("%s needs no database: %v %v %s", name, err, res, body)
			}
		})
	}
	all.Wait()
	h.Clock.Advance(10 * time.Second) // and no list either
	outage(lists)
	all.Wait()
	maps.Copy(edges, lists)
	if p := login.Fill("username", "alice").Fill("password", password).Press("sign-in"); p.Status != http.StatusServiceUnavailable ||
		p.Header.Get("Retry-After") == "" || !p.Has("error-id") {
		t.Errorf("signing in: %d %v", p.Status, p.Header)
	}
	h.network.Speak()
	for name, q := range edges {
		for {
			res, body, err := h.send(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusServiceUnavailable {
				break
			}
			if t.Context().Err() != nil {
				t.Fatalf("%s does not come back: %s", name, body)
			}
		}
	}
}
