package gateway_test

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
)

// registered is what the tables are about.
func registered() []*authz.API {
	scopes := []authz.APIScope{{Name: "read"}, {Name: "write"}}
	var out []*authz.API
	for _, identifier := range []string{
		"https://shop.example", "https://shop.example/orders", "https://shop.example/orders/admin/", "https://shop.example:8443",
		"https://twice.example/a", "https://TWICE.example:443/a/", "https://user@odd.example", "https://query.example?x",
		"https://dots.example/a/../b", "urn:example:reports", "http://127.0.0.1:9000", "http://[::1]:9000", "https://w%C3%BCrzburg.example/caf%C3%A9",
	} {
		out = append(out, &authz.API{Identifier: identifier, Scopes: scopes})
	}
	return append(out,
		&authz.API{Identifier: "https://app.example", Scopes: scopes, BrowserSignIn: true},
		&authz.API{Identifier: "https://app.example/plain", Scopes: scopes},
		&authz.API{Identifier: "https://sso.example"},
		&authz.API{Identifier: "urn:example:people", Scopes: scopes, BrowserSignIn: true},
		&authz.API{Identifier: "https://app.example/a;b", Scopes: scopes, BrowserSignIn: true},
	)
}

func TestWhichAPIAURLIsFor(t *testing.T) {
	t.Parallel()
	catalogue := gateway.NewCatalogue(registered())
	const shop, ordersAPI, admin = "https://shop.example", "https://shop.example/orders", "https://shop.example/orders/admin/"
	for _, c := range []struct{ url, want string }{
		{"https://shop.example", shop},
		{"https://shop.example/", shop},
		{"https://shop.example/?a=/orders", shop},
		{"https://shop.example/orders", ordersAPI},
		{"https://shop.example/orders/", ordersAPI},
		{"https://shop.example/orders?next=/../admin", ordersAPI},
		{"https://shop.example/orders/7/lines", ordersAPI},
		{"https://shop.example/orders/admin", admin},
		{"https://shop.example/orders/admin/7", admin},
		{"https://shop.example/orders/admins", ordersAPI},
		{"https://shop.example/ordersandmore", shop},
		{"https://shop.example/Orders", shop},
		{"https://shop.example/%6Frders/7", ordersAPI},
		{"https://shop.example/orders/7;a=b", ordersAPI},
		{"https://shop.example/orders/...", ordersAPI},
		{"https://shop.example/orders/..a", ordersAPI},
		{"https://shop.example/orders/.hidden", ordersAPI},
		{"https://shop.example/orders//7", ordersAPI},
		{"HTTPS://SHOP.Example:443/orders", ordersAPI},
		{"https://shop.example./orders", ordersAPI},
		{"https://shop.example:/orders", ordersAPI},
		{"https://shop.example:8443/orders", "https://shop.example:8443"},
		{"http://127.0.0.1:9000/x", "http://127.0.0.1:9000"},
		{"http://[::1]:9000/x", "http://[::1]:9000"},

		{"http://shop.example/orders", "misconfigured"},
		{"https://shop.example:80/orders", "misconfigured"},
		{"https://other.example/orders", "misconfigured"},
		{"https://notshop.example/orders", "misconfigured"},
		{"https://shop.example.evil.example/", "misconfigured"},
		{"https://twice.example/a/7", "misconfigured"},
		{"https://query.example/", "misconfigured"},
		{"https://dots.example/b", "misconfigured"},
		{"https://odd.example/", "misconfigured"},
		{"/orders", "misconfigured"},
		{"https:///orders", "misconfigured"},
		{"urn:example:reports", "misconfigured"},

		{"https://alice@shop.example/orders", "forbidden"},
		{"https://shop.example/orders/../admin", "forbidden"},
		{"https://shop.example/orders/..", "forbidden"},
		{"https://shop.example/orders/./7", "forbidden"},
		{"https://shop.example/orders/%2e%2e/x", "forbidden"},
		{"https://shop.example/orders/.%2E/x", "forbidden"},
		{"https://shop.example/orders/7%2ejson", "forbidden"},
		{"https://shop.example/x%2Forders", "forbidden"},
		{"https://shop.example/orders%2fadmin", "forbidden"},
		{"https://shop.example/orders%5cadmin", "forbidden"},
		{`https://shop.example/orders\admin`, "forbidden"},
		{"https://shop.example/orders/..;/admin", "forbidden"},
		{"https://shop.example/orders/..%3b/admin", "forbidden"},
		{"https://shop.example/orders%00", "forbidden"},
		{"https://shop.example/orders%0d%0a", "forbidden"},
		{"https://shop.example/orders%7f", "forbidden"},
		{"https://shop.example//orders/7", "forbidden"},
		{"https://shop.example/orders//admin", "forbidden"},
		{"https://shop.example/orders;x=1/7", "forbidden"},
		{"ftp://shop.example/orders", "forbidden"},
	} {
		t.Run(c.url, func(t *testing.T) {
			t.Parallel()
			v := gateway.Decide(gateway.Facts{Method: "GET", URL: parse(c.url)}, catalogue, nil, nil)
			got := v.Outcome.String()
			if v.Outcome == gateway.Unauthenticated {
				got = strings.TrimSuffix(strings.TrimPrefix(v.Challenge, `Bearer realm="`), `"`)
			}
			if got != c.want {
				t.Errorf("%s (%s), want %s", got, v.Reason, c.want)
			}
		})
	}
}

// Where the proxy says at each place which scopes it needs, a path that it may take for another
// place than the service does is refused; elsewhere only one that another API could be read in.
func TestPathsWhereTheScopesDependOnThem(t *testing.T) {
	t.Parallel()
	catalogue := gateway.NewCatalogue(registered())
	const refused, allowed = gateway.Forbidden, gateway.Allow
	for _, c := range []struct {
		path           string
		always, byPath gateway.Outcome
	}{
		{"/", allowed, allowed},
		{"/admin", allowed, allowed},
		{"/admin/", allowed, allowed},
		{"/a,b/c=d/e:f@g/..h/i..", allowed, allowed},
		{"/caf%C3%A9/%20", allowed, allowed},
		{"/search?q=a;b//c/../d", allowed, allowed},
		{"/admin;a/x", allowed, refused},
		{"/admin;", allowed, refused},
		{"/admin%3Ba/x", allowed, refused},
		{"//admin/x", allowed, refused},
		{"/admin//x", allowed, refused},
		{"/admin//", allowed, refused},
		{"/proxy/https://elsewhere.example/", allowed, refused},
		{"/x/../admin", refused, refused},
		{"/x%2Fadmin", refused, refused},
		{"/x/%2e%2e/admin", refused, refused},
	} {
		t.Run(c.path, func(t *testing.T) {
			t.Parallel()
			f := gateway.Facts{Method: "GET", URL: parse("https://sso.example" + c.path), Authorization: []string{"Bearer abc"}}
			who := alice("https://sso.example")
			if v := gateway.Decide(f, catalogue, who, nil); v.Outcome != c.always {
				t.Errorf("%v (%s), want %v", v.Outcome, v.Reason, c.always)
			}
			f.ByPath = true
			if v := gateway.Decide(f, catalogue, who, nil); v.Outcome != c.byPath || v.Challenge != "" {
				t.Errorf("with scopes by path %v (%s) and the challenge %q, want %v", v.Outcome, v.Reason, v.Challenge, c.byPath)
			}
			f.API = "https://sso.example" // which the path is no part of
			if v := gateway.Decide(f, catalogue, who, nil); v.Outcome != c.byPath {
				t.Errorf("with scopes by path at a named API %v (%s), want %v", v.Outcome, v.Reason, c.byPath)
			}
		})
	}
}

func TestAPIThatTheProxyNames(t *testing.T) {
	t.Parallel()
	catalogue := gateway.NewCatalogue(registered())
	for _, c := range []struct {
		name, api string
		url       *url.URL
		want      gateway.Outcome
	}{
		{"no place on the web", "urn:example:reports", parse("https://shop.example/orders"), gateway.Unauthenticated},
		{"without a URL", "urn:example:reports", nil, gateway.Unauthenticated},
		{"one of two at a place", "https://twice.example/a", parse("https://twice.example/a"), gateway.Unauthenticated},
		{"with a path that is no part of the choice", "https://shop.example", parse("https://shop.example/x%2Fy"), gateway.Unauthenticated},
		{"other spelling", "https://twice.example:443/a", parse("https://twice.example/a"), gateway.Misconfigured},
		{"not registered", "https://other.example", parse("https://shop.example/orders"), gateway.Misconfigured},
		{"neither name nor URL", "", nil, gateway.Misconfigured},
		{"URL without a host", "", &url.URL{Path: "/orders"}, gateway.Misconfigured},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := gateway.Decide(gateway.Facts{API: c.api, URL: c.url}, catalogue, nil, nil)
			if v.Outcome != c.want {
				t.Errorf("%v (%s), want %v", v.Outcome, v.Reason, c.want)
			}
			if c.want == gateway.Misconfigured && !strings.Contains(v.Reason, "proxy") {
				t.Errorf("reason %q does not say where to look", v.Reason)
			}
		})
	}
}

// alice may read at one API.
func alice(api string) *gateway.Identity {
	return &gateway.Identity{
		User: &authz.User{Username: "alice"}, ClientID: "app", Audience: []string{api},
		Granted: authz.Scopes{"read", "write"}, Scopes: authz.Scopes{"read"},
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	catalogue := gateway.NewCatalogue(registered())
	const shop, app = "https://shop.example", "https://app.example"
	const plainChallenge = `Bearer realm="https://shop.example"`
	bearer := func(f *gateway.Facts) { f.Authorization = []string{"Bearer abc.def"} }
	cookie := func(f *gateway.Facts) { f.SessionCookie = "sgg_x" }
	at := func(raw string) func(f *gateway.Facts) { return func(f *gateway.Facts) { f.URL = parse(raw) } }
	type facts = []func(f *gateway.Facts)
	for _, c := range []struct {
		name      string
		facts     facts
		who       *gateway.Identity
		err       error
		want      gateway.Outcome
		challenge string // what it has to contain
	}{
		{"good token", facts{bearer}, alice(shop), nil, gateway.Allow, ""},
		{"lower-case scheme", facts{auth("bearer abc")}, alice(shop), nil, gateway.Allow, ""},
		{"more spaces than one", facts{auth("Bearer   abc")}, alice(shop), nil, gateway.Allow, ""},
		{"no credential", nil, alice(shop), nil, gateway.Unauthenticated, plainChallenge},
		{"unsupported scheme", facts{auth("Basic YTpi")}, alice(shop), nil, gateway.Unauthenticated, plainChallenge},
		{"empty header", facts{auth("")}, alice(shop), nil, gateway.Unauthenticated, plainChallenge},
		{"scheme without a token", facts{auth("Bearer")}, alice(shop), nil, gateway.Unauthenticated, "invalid_token"},
		{"scheme and a space", facts{auth("Bearer ")}, alice(shop), nil, gateway.Unauthenticated, "invalid_token"},
		{"two headers", facts{auth("Bearer abc", "Bearer abc")}, alice(shop), nil, gateway.Unauthenticated, "invalid_token"},
		{"a header that two were joined to", facts{auth("Bearer abc, Bearer abc")}, alice(shop), nil, gateway.Unauthenticated, "invalid_token"},
		{"two headers without a token", facts{auth("Basic YTpi", "")}, alice(shop), nil, gateway.Unauthenticated, "invalid_token"},
		{"token with a quote", facts{auth(`Bearer a"b`)}, alice(shop), nil, gateway.Unauthenticated, "invalid_token"},
		{"token of nothing but padding", facts{auth("Bearer ==")}, alice(shop), nil, gateway.Unauthenticated, "invalid_token"},
		{"token that is too long", facts{auth("Bearer " + strings.Repeat("a", 16385))}, alice(shop), nil, gateway.Unauthenticated, "invalid_token"},
		{"refused", facts{bearer}, nil, gateway.ErrRefused, gateway.Unauthenticated, `error="invalid_token"`},
		{"refused for a reason", facts{bearer}, nil, fmt.Errorf("expired: %w", gateway.ErrRefused), gateway.Unauthenticated, "invalid_token"},
		{"refused with an identity", facts{bearer}, alice(shop), gateway.ErrRefused, gateway.Unauthenticated, "invalid_token"},
		{"outage", facts{bearer}, nil, errors.New("no database"), gateway.Unavailable, ""},
		{"outage with an identity", facts{bearer}, alice(shop), errors.New("no database"), gateway.Unavailable, ""},
		{"lookup that gave nothing", facts{bearer}, nil, nil, gateway.Unavailable, ""},
		{"token for another API", facts{bearer}, alice(app), nil, gateway.Unauthenticated, "invalid_token"},
		{"token for no API", facts{bearer}, &gateway.Identity{Scopes: authz.Scopes{"read"}}, nil, gateway.Unauthenticated, "invalid_token"},
		{"scope that it has", facts{bearer, needs("read")}, alice(shop), nil, gateway.Allow, ""},
		{"scope that was taken away", facts{bearer, needs("write")}, alice(shop), nil, gateway.Forbidden, `error="insufficient_scope", error_description="The request needs the scope write.", scope="write"`},
		{"one scope of two", facts{bearer, needs("read", "write")}, alice(shop), nil, gateway.Forbidden, `scope="read write"`},
		{"scope of no API", facts{bearer, needs("raed")}, alice(shop), nil, gateway.Misconfigured, ""},
		{"all scopes taken away", facts{bearer}, stripped(shop), nil, gateway.Forbidden, "insufficient_scope"},
		{"never had a scope", facts{bearer}, without(shop), nil, gateway.Allow, ""},
		{"scopes of another API only", facts{bearer}, elsewhere(shop), nil, gateway.Forbidden, "insufficient_scope"},
		{"scopes of another API only, at one without any", facts{bearer, at("https://sso.example")}, elsewhere("https://sso.example"), nil, gateway.Allow, ""},

		{"cookie where nobody signs in", facts{cookie}, alice(shop), nil, gateway.Unauthenticated, plainChallenge},
		{"cookie", facts{at(app), cookie}, alice(app), nil, gateway.Allow, ""},
		{"cookie and unsupported scheme", facts{at(app), cookie, auth("Basic YTpi")}, alice(app), nil, gateway.Allow, ""},
		{"bad token and good cookie", facts{at(app), cookie, auth("Bearer")}, alice(app), nil, gateway.Unauthenticated, "invalid_token"},
		{"cookie below an API of its own", facts{at(app + "/plain/x"), cookie}, alice(app + "/plain"), nil, gateway.Unauthenticated, "/plain"},
		{"script whose cookie has ended", facts{at(app), cookie}, nil, gateway.ErrRefused, gateway.Unauthenticated, `Bearer realm="https://app.example"`},
		{"person whose cookie has ended", facts{at(app), cookie, person("GET")}, nil, gateway.ErrRefused, gateway.SignIn, ""},
		{"person without a cookie", facts{at(app), person("GET")}, nil, nil, gateway.SignIn, ""},
		{"person who looks at the head", facts{at(app), person("HEAD")}, nil, nil, gateway.SignIn, ""},
		{"person who sends a form", facts{at(app), person("POST")}, nil, nil, gateway.Unauthenticated, ""},
		{"person with a bad token", facts{at(app), person("GET"), bearer}, nil, gateway.ErrRefused, gateway.Unauthenticated, "invalid_token"},
		{"person during an outage", facts{at(app), cookie, person("GET")}, nil, errors.New("no database"), gateway.Unavailable, ""},
		{"person without the scope", facts{at(app), cookie, person("GET"), needs("write")}, alice(app), nil, gateway.Forbidden, "insufficient_scope"},
		{"person where nobody signs in", facts{person("GET")}, nil, nil, gateway.Unauthenticated, plainChallenge},
		{"person at an API without a place", facts{person("GET"), named("urn:example:people")}, nil, nil, gateway.Unauthenticated, ""},
		{"person at an API whose place is ambiguous", facts{at(app), person("GET"), named(app + "/a;b")}, nil, nil, gateway.Unauthenticated, ""},
		{"person at another host than the API", facts{person("GET"), named(app)}, nil, nil, gateway.Unauthenticated, ""},
		{"check of what belongs to us", facts{at(app + "/.signet/callback"), cookie}, alice(app), nil, gateway.Misconfigured, ""},
		{"the like of what belongs to us", facts{at(app + "/.signets"), cookie}, alice(app), nil, gateway.Allow, ""},

		{"inside of its networks", facts{bearer, calls("192.0.2.9")}, limited(), nil, gateway.Allow, ""},
		{"inside as IPv6", facts{bearer, calls("::ffff:192.0.2.9")}, limited(), nil, gateway.Allow, ""},
		{"with a zone", facts{bearer, calls("fe80::1%eth0")}, limited(), nil, gateway.Allow, ""},
		{"outside of its networks", facts{bearer, calls("192.0.3.9")}, limited(), nil, gateway.Unauthenticated, "invalid_token"},
		{"from nowhere", facts{bearer}, limited(), nil, gateway.Unauthenticated, "invalid_token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := gateway.Facts{Method: "GET", URL: parse(shop + "/7")}
			for _, change := range c.facts {
				change(&f)
			}
			v := gateway.Decide(f, catalogue, c.who, c.err)
			if v.Outcome != c.want {
				t.Fatalf("%v (%s), want %v", v.Outcome, v.Reason, c.want)
			}
			if !strings.Contains(v.Challenge, c.challenge) || (v.Challenge != "") != (c.want == gateway.Unauthenticated || c.want == gateway.Forbidden) {
				t.Errorf("challenge %s, want one with %s", v.Challenge, c.challenge)
			}
			if c.challenge == plainChallenge && v.Challenge != plainChallenge {
				t.Errorf("challenge %s, want no error code", v.Challenge)
			}
			if (v.Location != "") != (c.want == gateway.SignIn) || (v.Headers != nil) != (c.want == gateway.Allow) || v.Token != "" {
				t.Errorf("verdict %+v", v)
			}
		})
	}
}

func auth(values ...string) func(*gateway.Facts) {
	return func(f *gateway.Facts) { f.Authorization = values }
}

func needs(scopes ...string) func(*gateway.Facts) {
	return func(f *gateway.Facts) { f.Scopes = scopes }
}

func person(method string) func(*gateway.Facts) {
	return func(f *gateway.Facts) { f.Browser, f.Method = true, method }
}

func named(api string) func(*gateway.Facts) { return func(f *gateway.Facts) { f.API = api } }

func calls(address string) func(*gateway.Facts) {
	return func(f *gateway.Facts) { f.Address = netip.MustParseAddr(address) }
}

func stripped(api string) *gateway.Identity {
	who := alice(api)
	who.Scopes = nil
	return who
}

func without(api string) *gateway.Identity {
	who := stripped(api)
	who.Granted = authz.Scopes{"openid"}
	return who
}

func elsewhere(api string) *gateway.Identity {
	who := stripped(api)
	who.Granted = authz.Scopes{"openid", "list"}
	return who
}

func limited() *gateway.Identity {
	who := alice("https://shop.example")
	who.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fe80::/10")}
	return who
}

func TestZeroVerdictLetsNobodyThrough(t *testing.T) {
	t.Parallel()
	if got := (gateway.Verdict{}).Outcome; got != gateway.Unavailable || got == gateway.Allow {
		t.Errorf("the zero verdict is %v", got)
	}
	if got := gateway.Outcome(99).String(); got != "unknown" {
		t.Errorf("outcome 99 is %q", got)
	}
}

func TestHeadersSayNothingThatIsNotMeant(t *testing.T) {
	t.Parallel()
	catalogue := gateway.NewCatalogue(registered())
	for _, c := range []struct {
		name string
		user authz.User // the zero one: a client acts for itself
		want map[string]string
	}{
		{"client", authz.User{}, map[string]string{"Remote-User": "", "Remote-Name": "", "Remote-Email": "", "Remote-Groups": ""}},
		{"plain", authz.User{Username: "alice", Email: "a@b.example", EmailVerified: true, Profile: authz.Profile{Name: "Alice Liddell"}, Roles: []string{"x", "y"}},
			map[string]string{"Remote-User": "alice", "Remote-Name": "Alice Liddell", "Remote-Email": "a@b.example", "Remote-Groups": "x,y"}},
		{"address that is not verified", authz.User{Username: "alice", Email: "root@b.example"},
			map[string]string{"Remote-User": "alice", "Remote-Name": "alice", "Remote-Email": "", "Remote-Groups": ""}},
		{"line breaks", authz.User{Username: "a", Profile: authz.Profile{Name: "x\r\nRemote-User: root"}},
			map[string]string{"Remote-User": "a", "Remote-Name": "x%0D%0ARemote-User: root", "Remote-Email": "", "Remote-Groups": ""}},
		{"beyond ASCII", authz.User{Username: "zoë", Profile: authz.Profile{Name: "100 % Zoë"}},
			map[string]string{"Remote-User": "zo%C3%AB", "Remote-Name": "100 %25 Zo%C3%AB", "Remote-Email": "", "Remote-Groups": ""}},
		{"role with a comma", authz.User{Username: "a", Roles: []string{"x,administrator", "y"}},
			map[string]string{"Remote-User": "a", "Remote-Name": "a", "Remote-Email": "", "Remote-Groups": "x%2Cadministrator,y"}},
		{"spaces at the ends", authz.User{Username: "a", Profile: authz.Profile{Name: "  b c "}},
			map[string]string{"Remote-User": "a", "Remote-Name": "%20%20b c%20", "Remote-Email": "", "Remote-Groups": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			who := alice("https://shop.example")
			if who.User, who.ClientID = &c.user, "alice"; c.user.Username == "" {
				who.User = nil
			}
			f := gateway.Facts{URL: parse("https://shop.example"), Authorization: []string{"Bearer abc"}}
			got := gateway.Decide(f, catalogue, who, nil).Headers
			for name, want := range c.want {
				if value, ok := got[name]; !ok || value != want {
					t.Errorf("%s: %q, want %q", name, value, want)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("headers %v", got)
			}
		})
	}
}

func TestSignInGoesBackToWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	catalogue := gateway.NewCatalogue(registered())
	f := gateway.Facts{Method: "GET", URL: parse("https://APP.example:443/a?b=c&d=%2F#e"), Browser: true}
	v := gateway.Decide(f, catalogue, nil, nil)
	const want = "https://app.example/.signet/sign-in?api=https%3A%2F%2Fapp.example&return_to=https%3A%2F%2Fapp.example%2Fa%3Fb%3Dc%26d%3D%252F"
	if v.Location != want {
		t.Errorf("location %s, want %s", v.Location, want)
	}
}
