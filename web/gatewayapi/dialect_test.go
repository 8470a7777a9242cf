package gatewayapi_test

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/web/webtest"
)

// dialect is how a proxy asks about GET https://orders.example.com + target.
type dialect struct {
	path   func(target, options string) string
	header func(target, options string) http.Header
	signIn int
}

// dialects are all of them, those included whose proxies are not on this machine.
var dialects = map[string]dialect{
	"nginx": {
		path: func(_, options string) string { return "/gateway/nginx?" + options },
		header: func(target, _ string) http.Header {
			return http.Header{"X-Original-Url": {orders + target}, "X-Original-Method": {"GET"}}
		},
		signIn: http.StatusUnauthorized,
	},
	"forward-auth": {
		path: func(_, options string) string { return "/gateway/forward-auth?" + options },
		header: func(target, _ string) http.Header {
			return http.Header{
				"X-Forwarded-Method": {"GET"}, "X-Forwarded-Proto": {"https"},
				"X-Forwarded-Host": {"orders.example.com"}, "X-Forwarded-Uri": {target},
			}
		},
		signIn: http.StatusFound,
	},
	"envoy": {
		path: func(target, _ string) string { return "/gateway/envoy" + target },
		header: func(_, options string) http.Header {
			h := http.Header{"X-Forwarded-Proto": {"https"}, "Host": {"orders.example.com"}}
			query, _ := url.ParseQuery(options)
			for name, header := range map[string]string{"api": "X-Signet-Api", "scope": "X-Signet-Scope"} {
				if query.Has(name) {
					h[header] = query[name]
				}
			}
			return h
		},
		signIn: http.StatusFound,
	},
}

// signingIn is how a proxy passes a browser on that is sent to sign in.
var signingIn = dialect{
	path: func(string, string) string { return "/.signet/sign-in" },
	header: func(string, string) http.Header {
		return http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"orders.example.com"}}
	},
}

// check asks as a proxy would, with the client's headers as pairs.
func (w *world) check(d dialect, target, options string, headers ...string) *answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.checks.URL+d.path(target, options), nil)
	w.must(err)
	maps.Copy(r.Header, d.header(target, options))
	r.Host = r.Header.Get("Host")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := w.checks.Client().Transport.RoundTrip(r)
	w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	return &answer{t: w.t, status: res.StatusCode, header: res.Header, body: string(body)}
}

func inEach(t *testing.T, test func(t *testing.T, w *world, d dialect)) {
	t.Parallel()
	for name, d := range dialects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t), d)
		})
	}
}

func TestVerdictsInEachDialect(t *testing.T) {
	inEach(t, func(t *testing.T, w *world, d dialect) {
		_, token := w.token(time.Hour, ordersRead)
		bearer := []string{"Authorization", "Bearer " + token}
		for name, c := range map[string]struct {
			target, options string
			headers         []string
			status          int
			has             map[string]string
		}{
			"allow":               {"/orders?a=b", "", bearer, 200, map[string]string{"Remote-User": "alice", "Authorization": "Bearer ey"}},
			"allow with a scope":  {"/orders", "scope=" + ordersRead, bearer, 200, map[string]string{"Remote-User": "alice"}},
			"allow a named API":   {"/orders", "api=" + url.QueryEscape(orders), bearer, 200, map[string]string{"Remote-User": "alice"}},
			"no credential":       {"/orders", "", nil, 401, map[string]string{"Www-Authenticate": "Bearer realm="}},
			"bad credential":      {"/orders", "", []string{"Authorization", "Bearer x"}, 401, map[string]string{"Www-Authenticate": "invalid_token"}},
			"missing scope":       {"/orders", "scope=" + ordersWrite, bearer, 403, map[string]string{"Www-Authenticate": "insufficient_scope"}},
			"one of two scopes":   {"/orders", "scope=" + ordersRead + "+" + ordersWrite, bearer, 403, map[string]string{"Www-Authenticate": "insufficient_scope"}},
			"unknown scope":       {"/orders", "scope=orders:raed", bearer, 500, nil},
			"unknown API":         {"/orders", "api=https%3A%2F%2Fordres.example.com", bearer, 500, nil},
			"scope twice":         {"/orders", "scope=" + ordersRead + "&scope=" + ordersWrite, bearer, 500, nil},
			"a dot segment":       {"/orders/../admin", "", bearer, 403, nil},
			"a parameter":         {"/orders;a/x//y", "", bearer, 200, nil},
			"by path, none here":  {"/orders/x/", "scope=", bearer, 200, nil},
			"by path, parameter":  {"/orders;a/x", "scope=", bearer, 403, nil},
			"by path, empty part": {"//orders/x", "scope=", bearer, 403, nil},
			"by path, all of it":  {"/orders//x", "scope=" + ordersRead, bearer, 403, nil},
			"by path, named API":  {"/orders;a/x", "scope=&api=" + url.QueryEscape(orders), bearer, 403, nil},
			"a browser":           {"/orders", "", []string{"Accept", "text/html"}, d.signIn, map[string]string{"Location": orders + "/.signet/sign-in?api="}},
			"a browser's request": {"/orders", "", []string{"Accept", "text/html", "Sec-Fetch-Mode", "cors"}, 401, map[string]string{"Www-Authenticate": "Bearer"}},
		} {
			t.Run(name, func(t *testing.T) {
				a := w.check(d, c.target, c.options, c.headers...)
				if a.status != c.status {
					t.Errorf("status %d, want %d: %s", a.status, c.status, a.body)
				}
				for header, part := range c.has {
					if !strings.Contains(a.header.Get(header), part) {
						t.Errorf("%s is %q and lacks %s", header, a.header.Get(header), part)
					}
				}
				if a.status != http.StatusOK && (a.header.Get("Authorization") != "" || a.header.Get("Remote-User") != "") {
					t.Errorf("a refusal with %v", a.header)
				}
				if cache := a.header.Get("Cache-Control"); !strings.Contains(cache, "no-store") {
					t.Errorf("Cache-Control %q", cache)
				}
			})
		}
	})
}

// An upgrade to WebSocket begins as a request over http or https, and some proxies say so.
func TestWebSocketsAreRequestsToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, token := w.token(time.Hour, ordersRead)
	d := dialects["forward-auth"]
	wss := dialect{path: d.path, header: func(target, options string) http.Header {
		h := d.header(target, options)
		h.Set("X-Forwarded-Proto", "wss")
		return h
	}}
	if a := w.check(wss, "/orders", "", "Authorization", "Bearer "+token); a.status != http.StatusOK {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

// Every header is there, so that the proxy has something to put in place of the client's.
func TestAllowNamesEveryHeader(t *testing.T) {
	inEach(t, func(t *testing.T, w *world, d dialect) {
		_, token := w.token(time.Hour, ordersRead)
		a := w.check(d, "/orders", "", "Authorization", "Bearer "+token, "Remote-Email", "root@example.com")
		for _, name := range []string{"Authorization", "Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"} {
			if len(a.header.Values(name)) != 1 {
				t.Errorf("%s: %q", name, a.header.Values(name))
			}
		}
		if a.header.Get("Remote-Email") != "" || a.body != "" {
			t.Errorf("an unverified address %q, and %q", a.header.Get("Remote-Email"), a.body)
		}
	})
}

func TestAnOutageIsNeitherAllowedNorRefused(t *testing.T) {
	inEach(t, func(t *testing.T, w *world, d dialect) {
		_, token := w.token(time.Hour, ordersRead)
		_, cached := w.token(time.Hour, ordersRead)
		if a := w.check(d, "/orders", "", "Authorization", "Bearer "+cached); a.status != http.StatusOK {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		w.must(w.Store.Close())
		a := w.check(d, "/orders", "", "Authorization", "Bearer "+token)
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
			t.Errorf("status %d, Retry-After %q: %s", a.status, a.header.Get("Retry-After"), a.body)
		}
		if a := w.check(d, "/orders", "", "Authorization", "Bearer "+cached); a.status != http.StatusOK {
			t.Errorf("a check that is remembered: status %d: %s", a.status, a.body)
		}
		if a := w.check(d, "/orders", "", "Authorization", "Bearer "+cached[:len(cached)-3]+"zzz"); a.status != http.StatusUnauthorized {
			t.Errorf("a token with a wrong checksum: status %d: %s", a.status, a.body)
		}
	})
}

func TestNobodyElseIsBelieved(t *testing.T) {
	t.Parallel()
	for name, d := range dialects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, webtest.With(trustNobody))
			_, token := w.token(time.Hour, ordersRead)
			for range 3 {
				a := w.check(d, "/orders", "", "Authorization", "Bearer "+token)
				if a.status != http.StatusInternalServerError || a.header.Get("Authorization") != "" {
					t.Errorf("status %d: %s", a.status, a.body)
				}
			}
			if w.Site.Ignored() != 3 {
				t.Errorf("%d were ignored", w.Site.Ignored())
			}
			w.logs("none of the trusted proxies")
			if a := w.check(signingIn, "", ""); a.status != http.StatusNotFound {
				t.Errorf("signing in by way of a stranger: status %d", a.status)
			}
		})
	}
}

// What is wrong with the settings of a proxy is said in the log, and to nobody else.
func TestMistakesInTheSettingsAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, token := w.token(time.Hour, ordersRead)
	for name, c := range map[string]struct {
		path    string
		headers []string
		says    string
	}{
		"nginx sends no URL":     {"/gateway/nginx", []string{"X-Original-Method", "GET"}, "does not send X-Original-Url"},
		"nginx sends a path":     {"/gateway/nginx", []string{"X-Original-Method", "GET", "X-Original-URL", "/orders"}, "must pass on the whole URL"},
		"nginx adds to a client": {"/gateway/nginx", []string{"X-Original-Method", "GET", "X-Original-URL", orders + "/", "X-Original-URL", orders + "/public"}, "sends X-Original-Url more than once"},
		"no method":              {"/gateway/nginx", []string{"X-Original-URL", orders + "/"}, "does not send X-Original-Method"},
		"an empty method":        {"/gateway/nginx", []string{"X-Original-URL", orders + "/", "X-Original-Method", ""}, "sends an empty X-Original-Method"},
		"an unknown option":      {"/gateway/nginx?scopes=a", []string{"X-Original-URL", orders + "/", "X-Original-Method", "GET"}, `unknown option \"scopes\"`},
		"no host":                {"/gateway/forward-auth", []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Uri", "/"}, "does not send X-Forwarded-Host"},
		"two hosts":              {"/gateway/forward-auth", []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "a.example, orders.example.com", "X-Forwarded-Uri", "/"}, "not one host"},
		"two schemes":            {"/gateway/forward-auth", []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https,http", "X-Forwarded-Host", "orders.example.com", "X-Forwarded-Uri", "/"}, "neither http nor https"},
		"no path":                {"/gateway/forward-auth", []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "orders.example.com", "X-Forwarded-Uri", "orders"}, "not the path of a URL"},
		"no word for a method":   {"/gateway/forward-auth", []string{"X-Forwarded-Method", "GET, HEAD", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "orders.example.com", "X-Forwarded-Uri", "/"}, "not a method"},
		"an option twice":        {"/gateway/nginx?scope=a&scope=b", []string{"X-Original-URL", orders + "/", "X-Original-Method", "GET"}, "has the option scope more than once"},
		"the client's own query": {"/gateway/forward-auth?page=2", []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "orders.example.com", "X-Forwarded-Uri", "/?page=2"}, "end the address in its settings with a question mark"},
		"the client's own API":   {"/gateway/forward-auth?api=" + url.QueryEscape(orders), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "elsewhere.example", "X-Forwarded-Uri", "/?api=" + url.QueryEscape(orders)}, "end the uri in the proxy's settings with a question mark"},
		"Envoy without a scheme": {"/gateway/envoy/orders", nil, "add it to the headers that go into the check"},
		"Envoy with two scopes":  {"/gateway/envoy/orders", []string{"X-Forwarded-Proto", "https", "X-Signet-Scope", "a", "X-Signet-Scope", "b"}, "X-Signet-Scope more than once"},
		"Envoy with two APIs":    {"/gateway/envoy/orders", []string{"X-Forwarded-Proto", "https", "X-Signet-Api", orders, "X-Signet-Api", "b"}, "X-Signet-Scope more than once"},
	} {
		t.Run(name, func(t *testing.T) {
			d := dialect{
				path:   func(string, string) string { return c.path },
				header: func(string, string) http.Header { return http.Header{} },
			}
			a := w.check(d, "", "", append(c.headers, "Authorization", "Bearer "+token)...)
			if a.status != http.StatusInternalServerError || strings.Contains(a.body, c.says) {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			w.logs(c.says)
		})
	}
}
