package gatewayapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/web/gatewayapi"
)

// check is the request of a proxy as it arrives: what a header may not hold is not there.
func check(target string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RequestURI = target
	if u, err := url.ParseRequestURI(target); err == nil {
		r.URL = u
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], strings.Map(printable, headers[i+1]))
	}
	return r
}

func printable(c rune) rune {
	if c < ' ' || c == 0x7f {
		return -1
	}
	return c
}

// Whatever a client asks for, the host is the one that stands in nginx's settings, and the
// path is what it asked for.
func FuzzNginxFacts(f *testing.F) {
	for _, target := range []string{
		"", "/", "/orders?page=2", "/orders/../admin", "//evil.example/x", "/%2e%2e/x", "/a#b", "/a?b#c", "/a;b=c", `/\evil.example`,
		"@evil.example/", ":80/", ".evil.example/", "/%zz", "/é", "?x", "/a b",
	} {
		f.Add(target, "GET")
	}
	f.Fuzz(func(t *testing.T, target, method string) {
		r := check("/gateway/nginx?scope=orders:read", "X-Original-Url", "https://orders.example.com"+target, "X-Original-Method", method)
		facts, err := gatewayapi.NginxFacts(r)
		if err != nil {
			return
		}
		if !strings.HasPrefix(target, "/") {
			return // nginx takes no such target: what is before the path is its own
		}
		if facts.URL.Scheme != "https" || facts.URL.Host != "orders.example.com" || facts.URL.User != nil || facts.URL.Fragment != "" {
			t.Errorf("%q is read as %s", target, facts.URL)
		}
		path, query, _ := strings.Cut(strings.Map(printable, target), "?")
		if decoded, err := url.PathUnescape(path); err != nil || facts.URL.Path != decoded || facts.URL.RawQuery != query {
			t.Errorf("%q is read as path %q and query %q", target, facts.URL.Path, facts.URL.RawQuery)
		}
		if facts.Scopes.String() != "orders:read" || facts.API != "" || facts.Method == "" {
			t.Errorf("%q changes what the settings demand: %+v", target, facts)
		}
	})
}

// The four headers make one URL, and none of them can be read as a part of another.
func FuzzForwardAuthFacts(f *testing.F) {
	f.Add("GET", "https", "orders.example.com", "/orders?page=2", "scope=orders:read")
	f.Add("POST", "wss", "127.0.0.1:8080", "//evil.example/..", "api=https://orders.example.com")
	f.Add("GET", "http", "[::1]:80", "/a?api=x", "api=x")
	f.Add("GET", "https", "a@b", "/", "")
	f.Add("GET", "https", "a/b", "/", "scope=a&scope=b")
	f.Add("G T", "javascript", "a,b", "*", "x=%")
	f.Add("GET", "https", "a?b#c", "https://evil.example/", "")
	f.Fuzz(func(t *testing.T, method, proto, host, uri, query string) {
		r := check("/gateway/forward-auth", "X-Forwarded-Method", method, "X-Forwarded-Proto", proto, "X-Forwarded-Host", host, "X-Forwarded-Uri", uri)
		r.URL.RawQuery = query
		facts, err := gatewayapi.ForwardAuthFacts(r)
		if err != nil {
			return
		}
		u := facts.URL
		if (u.Scheme != "https" && u.Scheme != "http") || u.Host != r.Header.Get("X-Forwarded-Host") || u.User != nil || u.Fragment != "" || u.Opaque != "" {
			t.Errorf("read as %s", u)
		}
		if again, err := url.ParseRequestURI(u.String()); err != nil || again.Host != u.Host || again.Path != u.Path {
			t.Errorf("%s is another URL when it is read again: %v, %v", u, again, err)
		}
		if strings.ContainsAny(u.Host, "/?#@, ") || !strings.HasPrefix(u.Path, "/") {
			t.Errorf("host %q, path %q", u.Host, u.Path)
		}
		want, _ := url.ParseQuery(query)
		if facts.API != want.Get("api") || (facts.API != "" && query == u.RawQuery) {
			t.Errorf("the client has chosen the API %q", facts.API)
		}
	})
}

// Envoy's own path is no part of the client's, and its options are not the client's query.
func FuzzEnvoyFacts(f *testing.F) {
	for _, target := range []string{"/gateway/envoy/orders?x=1", "/gateway/envoy", "/gateway/envoy//x", "/gateway/envoy/?api=x&scope=y", "/gateway/envoyx", "http://x/gateway/envoy/", "*"} {
		f.Add(target, "orders.example.com", "https")
	}
	f.Fuzz(func(t *testing.T, target, host, proto string) {
		r := check(target, "X-Forwarded-Proto", proto)
		r.Host = host
		facts, err := gatewayapi.EnvoyFacts(r)
		if err != nil {
			return
		}
		if facts.API != "" || len(facts.Scopes) > 0 || facts.URL.Host != host || !strings.HasPrefix(facts.URL.Path, "/") {
			t.Errorf("%q at %q is read as %+v", target, host, facts)
		}
	})
}
