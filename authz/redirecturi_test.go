package authz_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestCheckRedirectURI(t *testing.T) {
	t.Parallel()
	for uri, good := range map[string]bool{
		"https://app.example/callback":                     true,
		"https://app.example:8443/cb?x=1":                  true,
		"http://127.0.0.1/callback":                        true,
		"http://127.0.0.1:51234/callback":                  true,
		"http://[::1]:1/":                                  true,
		"http://localhost:3000/callback":                   true,
		"com.example.app:/callback":                        true,
		"com.example.app://callback":                       true,
		"http://app.example/callback":                      false,
		"http://127.0.0.1.evil.example/":                   false,
		"http://localhost.evil.example/":                   false,
		"javascript:alert(1)":                              false,
		"data:text/html,x":                                 false,
		"vbscript:x":                                       false,
		"myapp://callback":                                 false,
		"https://app.example/callback#frag":                false,
		"https://app.example/callback#":                    false,
		"https://user@app.example/":                        false,
		"https:///callback":                                false,
		"https:app.example":                                false,
		"//app.example/":                                   false,
		"/callback":                                        false,
		"":                                                 false,
		"https://app.example/a b":                          false,
		"https://app.example\\@evil.example/":              false,
		"https://app.example/\u202e":                       false,
		"https://app.example/\r\nX: y":                     false,
		"https://app.example/" + strings.Repeat("x", 3000): false,
	} {
		if err := authz.CheckRedirectURI(uri); (err == nil) != good {
			t.Errorf("%.60q: %v", uri, err)
		}
	}
}

func TestMatchRedirectURI(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, registered, asked string
		match                   bool
	}{
		{"equal", "https://app.example/cb", "https://app.example/cb", true},
		{"another path", "https://app.example/cb", "https://app.example/cb/", false},
		{"another port", "https://app.example/cb", "https://app.example:443/cb", false},
		{"another case", "https://app.example/cb", "https://App.example/cb", false},
		{"encoded", "https://app.example/cb", "https://app.example/%63b", false},
		{"loopback, any port", "http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", true},
		{"loopback, another port", "http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", true},
		{"IPv6 loopback", "http://[::1]/cb", "http://[::1]:5000/cb", true},
		{"localhost", "http://localhost/cb", "http://localhost:5000/cb", true},
		{"localhost is not 127.0.0.1", "http://localhost/cb", "http://127.0.0.1/cb", false},
		{"loopback, another path", "http://127.0.0.1/cb", "http://127.0.0.1:5000/other", false},
		{"loopback, encoded path", "http://127.0.0.1/a/b", "http://127.0.0.1:1/a%2Fb", false},
		{"loopback with a query", "http://127.0.0.1/cb", "http://127.0.0.1:5000/cb?x=1", false},
		{"loopback with a question mark", "http://127.0.0.1/cb", "http://127.0.0.1:5000/cb?", false},
		{"loopback with a user", "http://127.0.0.1/cb", "http://evil@127.0.0.1:5000/cb", false},
		{"loopback over https", "http://127.0.0.1/cb", "https://127.0.0.1:5000/cb", false},
		{"https loopback, another port", "https://127.0.0.1/cb", "https://127.0.0.1:5000/cb", false},
		{"private scheme", "com.example.app:/cb", "com.example.app:/cb", true},
		{"nothing", "https://app.example/cb", "", false},
	} {
		if got := authz.MatchRedirectURI([]string{"https://first.example/", tc.registered}, tc.asked); got != tc.match {
			t.Errorf("%s: %q for %q: %t", tc.name, tc.asked, tc.registered, got)
		}
	}
}

// Whatever is asked for, what matches goes to the host and path that were registered.
func FuzzRedirectURI(f *testing.F) {
	registered := []string{"https://app.example/cb", "http://127.0.0.1/cb", "http://localhost/cb?x=1", "com.example.app:/cb"}
	for _, r := range registered {
		f.Add(r)
		f.Add(r + "#")
		f.Add(strings.Replace(r, "127.0.0.1", "127.0.0.1:65535", 1))
		f.Add(strings.Replace(r, "://", "://evil@", 1))
	}
	f.Add("http://127.0.0.1:80@evil.example/cb")
	f.Add("http://127.0.0.1:\\@evil.example/cb")
	f.Fuzz(func(t *testing.T, asked string) {
		if !authz.MatchRedirectURI(registered, asked) {
			return
		}
		if err := authz.CheckRedirectURI(asked); err != nil {
			t.Fatalf("%q matches and could not be registered: %v", asked, err)
		}
		u, err := url.Parse(asked)
		if err != nil {
			t.Fatal(err)
		}
		switch u.Hostname() {
		case "app.example", "127.0.0.1", "localhost", "":
		default:
			t.Errorf("%q goes to %q", asked, u.Hostname())
		}
		if u.EscapedPath() != "/cb" && u.Opaque == "" {
			t.Errorf("%q goes to the path %q", asked, u.EscapedPath())
		}
	})
}
