package authz_test

import (
	"testing"

	"github.com/signet-auth/signet/authz"
)

func TestScopeLimits(t *testing.T) {
	t.Parallel()
	role := func(scopes ...string) authz.Role { return authz.Role{Scopes: scopes} }
	for _, tc := range []struct {
		name, asked string
		limits      authz.ScopeLimits
		want        string
	}{
		{"nothing bounds", "a b", authz.ScopeLimits{}, "a b"},
		{"the client bounds", "a b", authz.ScopeLimits{Client: authz.Scopes{"b", "c"}}, "b"},
		{"the APIs bound", "a b", authz.ScopeLimits{APIs: authz.Scopes{"a"}}, "a"},
		{"a client without scopes", "a b", authz.ScopeLimits{Client: authz.Scopes(nil).Bound()}, ""},
		{"consent bounds", "a b", authz.ScopeLimits{Consented: authz.Scopes{}}, ""},
		{"a role bounds", "a b", authz.ScopeLimits{Roles: []authz.Role{role("b")}}, "b"},
		{"roles add up", "a b c", authz.ScopeLimits{Roles: []authz.Role{role("a"), role("b")}}, "a b"},
		{"no role at all", "a b", authz.ScopeLimits{Roles: []authz.Role{}}, ""},
		{"OpenID needs no role", "openid profile email offline_access", authz.ScopeLimits{Roles: []authz.Role{}}, "openid profile email offline_access"},
		{"one's own account needs no role", "signet:account signet:admin", authz.ScopeLimits{Roles: []authz.Role{}}, "signet:account"},
		{"any scope is not the server's", "a signet:admin", authz.ScopeLimits{Roles: []authz.Role{role("*")}}, "a"},
		{"the server's by name", "signet:admin", authz.ScopeLimits{Roles: []authz.Role{role("signet:admin")}}, "signet:admin"},
		{"no wildcard in asking", "*", authz.ScopeLimits{Client: authz.Scopes{"a"}}, ""},
		{"no prefix", "orders", authz.ScopeLimits{Client: authz.Scopes{"orders:read"}}, ""},
		{"all together", "a b c d", authz.ScopeLimits{
			Client: authz.Scopes{"a", "b", "c"}, APIs: authz.Scopes{"b", "c", "d"},
			Roles: []authz.Role{role("*")}, Consented: authz.Scopes{"a", "c"},
		}, "c"},
	} {
		if got := tc.limits.Decide(authz.ParseScopes(tc.asked)).String(); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestParseScopes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", " a  b a ": "a b", "b a": "b a", "a\tb\nc": "a b c"} {
		if got := authz.ParseScopes(text).String(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
