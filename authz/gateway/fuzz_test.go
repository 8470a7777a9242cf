package gateway_test

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
)

// FuzzCatalogue holds the API that is found for a URL against another way to find it: the
// path as a server reads it that decodes, resolves, merges slashes and drops parameters.
func FuzzCatalogue(f *testing.F) {
	for _, seed := range []string{
		"https://shop.example/orders/7", "https://shop.example/%6frders/admin/", "https://shop.example//orders", "https://shop.example/orders;a/admin",
		"https://shop.example/orders/%2e%2e/x", "HTTPS://shop.EXAMPLE.:443/", "http://[::1]:9000/", "https://a@shop.example/orders",
		`https://shop.example/orders\..\admin`, "https://shop.example/orders/..;/admin", "https://shop.example:8443", "//shop.example/orders",
	} {
		f.Add(seed)
	}
	apis := registered()
	catalogue := gateway.NewCatalogue(apis)
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		if err != nil {
			return
		}
		v := gateway.Decide(gateway.Facts{Method: "GET", URL: u}, catalogue, nil, nil)
		if v.Outcome != gateway.Unauthenticated {
			if v.Outcome != gateway.Misconfigured && v.Outcome != gateway.Forbidden {
				t.Fatalf("%q: %v", raw, v.Outcome)
			}
			return
		}
		got := strings.TrimSuffix(strings.TrimPrefix(v.Challenge, `Bearer realm="`), `"`)
		if want := longest(apis, u); got != want {
			t.Errorf("%q is for %s, want %s", raw, got, want)
		}
	})
}

// longest finds the API in the slow and thorough way.
func longest(apis []*authz.API, u *url.URL) string {
	best, length := "", -1
	for _, api := range apis {
		identifier, err := url.Parse(api.Identifier)
		if err != nil || identifier.User != nil || identifier.RawQuery != "" || identifier.Host == "" {
			continue
		}
		top := strings.TrimSuffix(identifier.Path, "/")
		asked := asServed(u.Path)
		if host(identifier) == host(u) && (asked == top || strings.HasPrefix(asked, top+"/")) && len(top) > length {
			best, length = api.Identifier, len(top)
		}
	}
	return best
}

func asServed(p string) string {
	segments := strings.Split(strings.ReplaceAll(p, `\`, "/"), "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	if p = path.Clean("/" + strings.Join(segments, "/")); p == "/" {
		return ""
	}
	return p
}

func host(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + " " + strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")) + " " + port
}

// FuzzDecide holds what must be so whatever a request and a lookup say.
func FuzzDecide(f *testing.F) {
	f.Add("https://app.example/7", "", "read", "Bearer abc", "", "sgg_x", "GET", "Alice", "clerk", uint8(0xff), uint8(0))
	f.Add("https://shop.example/orders", "", "", "Bearer sgp_x", "Basic YTpi", "", "POST", "x\r\ny", "a,b", uint8(0x0f), uint8(1))
	f.Add("https://app.example/.signet/x", "https://app.example", "read write", "", "", "a.b", "HEAD", "Zoë", "", uint8(0xf0), uint8(2))
	f.Add("https://app.example/a?b=c", "", "", "", "", "", "GET", " ", "", uint8(0x55), uint8(3))
	f.Add("https://shop.example/a;b//c", "https://shop.example", "", "Bearer abc", "", "", "GET", "alice", "", uint8(0x6a), uint8(0))
	apis := registered()
	catalogue := gateway.NewCatalogue(apis)
	f.Fuzz(func(t *testing.T, raw, api, scope, first, second, cookie, method, name, role string, bits, failure uint8) {
		u, err := url.Parse(raw)
		if err != nil {
			return
		}
		facts := gateway.Facts{
			Method: method, URL: u, API: api, Scopes: authz.ParseScopes(scope), SessionCookie: cookie,
			Browser: bits&1 != 0, ByPath: bits&64 != 0, Address: netip.AddrFrom4([4]byte{192, 0, 2, bits}),
		}
		for _, value := range []string{first, second} {
			if value != "" {
				facts.Authorization = append(facts.Authorization, value)
			}
		}
		who, lookup := someone(apis, name, role, bits), failures[failure%4]
		v := gateway.Decide(facts, catalogue, who, lookup)
		if again := gateway.Decide(facts, catalogue, who, lookup); !reflect.DeepEqual(v, again) {
			t.Fatalf("decided %+v, then %+v", v, again)
		}
		holdsInHeaders(t, v)
		switch v.Outcome {
		case gateway.Allow:
			if lookup != nil || who == nil {
				t.Error("allowed without an identity")
			}
			mayPass(t, apis, facts, who)
		case gateway.SignIn:
			goesHome(t, apis, facts, v.Location)
		case gateway.Unauthenticated:
			if !strings.HasPrefix(v.Challenge, "Bearer ") {
				t.Errorf("challenge %q", v.Challenge)
			}
		}
	})
}

var failures = []error{nil, nil, gateway.ErrRefused, errors.New("no database")}

// someone is an identity out of what the fuzzer makes up.
func someone(apis []*authz.API, name, role string, bits uint8) *gateway.Identity {
	who := &gateway.Identity{
		ClientID: name, Granted: authz.Scopes{"read", "write", "openid"}, Audience: []string{apis[int(bits)%len(apis)].Identifier},
	}
	if bits&2 != 0 {
		who.User = &authz.User{Username: name, Email: name, EmailVerified: bits&4 != 0, Roles: []string{role, name}}
	}
	if bits&8 != 0 {
		who.Scopes = authz.Scopes{"read"}
	}
	if bits&16 != 0 {
		who.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.128/25")}
	}
	if bits&32 != 0 {
		who.Audience = nil
		for _, api := range apis {
			who.Audience = append(who.Audience, api.Identifier)
		}
	}
	return who
}

// holdsInHeaders wants nothing in a header that could end it or that proxies read in
// different ways.
func holdsInHeaders(t *testing.T, v gateway.Verdict) {
	t.Helper()
	for _, value := range append([]string{v.Challenge, v.Location}, values(v.Headers)...) {
		for _, c := range []byte(value) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q in %q", c, value)
			}
		}
		if strings.TrimSpace(value) != value {
			t.Fatalf("spaces around %q", value)
		}
	}
	if strings.Count(v.Challenge, `"`)%2 != 0 {
		t.Fatalf("challenge %s", v.Challenge)
	}
}

func values(m map[string]string) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// mayPass wants all conditions to hold of a request that is let through.
func mayPass(t *testing.T, apis []*authz.API, f gateway.Facts, who *gateway.Identity) {
	t.Helper()
	i := slices.IndexFunc(apis, func(a *authz.API) bool {
		return a.Identifier == f.API || f.API == "" && a.Identifier == longest(apis, f.URL)
	})
	if i < 0 {
		t.Fatal("allowed for no API")
	}
	api := apis[i]
	bearer := len(f.Authorization) == 1 && len(f.Authorization[0]) > 7 && strings.EqualFold(f.Authorization[0][:7], "bearer ")
	switch {
	case len(f.Authorization) > 1, !bearer && (f.SessionCookie == "" || !api.BrowserSignIn):
		t.Error("allowed without a credential")
	case !slices.Contains(who.Audience, api.Identifier):
		t.Error("allowed with a token for another API")
	case !who.Scopes.Contains(f.Scopes), !api.ScopeNames().Contains(f.Scopes), len(who.Scopes) == 0 && len(api.Scopes) > 0:
		t.Error("allowed without the scope")
	case f.ByPath && strings.Trim(asServed(f.URL.Path), "/") != strings.Trim(f.URL.Path, "/"):
		t.Error("allowed by a path that is read in two ways")
	case len(who.Networks) > 0 && !who.Networks[0].Contains(f.Address):
		t.Error("allowed from outside of the networks")
	}
}

// goesHome wants a person to be sent to no other host than that of an API.
func goesHome(t *testing.T, apis []*authz.API, f gateway.Facts, location string) {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil || u.Path != gateway.SignInPath || !f.Browser || f.Method != http.MethodGet && f.Method != http.MethodHead {
		t.Fatalf("%s of %q sent to %q", f.Method, f.URL, location)
	}
	back, err := url.Parse(u.Query().Get("return_to"))
	if err != nil || back.Host != u.Host || back.Scheme != u.Scheme || back.User != nil || host(u) != host(f.URL) {
		t.Fatalf("back from %q to %q", u, back)
	}
	if !slices.ContainsFunc(apis, func(a *authz.API) bool { return a.BrowserSignIn && a.Identifier == u.Query().Get("api") }) {
		t.Fatalf("sign-in to %q", u.Query().Get("api"))
	}
}
