package registration_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
)

type metadata = authz.ClientMetadata

func TestWhatNoClientMayBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := func(n int, pattern string) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf(pattern, i))
		}
		return out
	}
	service := func(m *metadata) { *m = metadata{Name: "Robot", Type: authz.ClientService} }
	public := func(m *metadata) { m.AuthMethod = authz.AuthNone }
	for _, c := range []struct {
		name   string
		field  string // "": may be
		change func(*metadata)
	}{
		{"nothing wrong", "", func(*metadata) {}},
		{"a name in another script", "", func(m *metadata) { m.Name = "تقویم می\u200cخواهم 日历 👩\u200d💻" }},
		{"no name", "client_name", func(m *metadata) { m.Name = "" }},
		{"a name of spaces", "client_name", func(m *metadata) { m.Name = "  " }},
		{"a name in spaces", "client_name", func(m *metadata) { m.Name = " Acme" }},
		{"the longest name", "", func(m *metadata) { m.Name = strings.Repeat("ö", 200) }},
		{"a longer name", "client_name", func(m *metadata) { m.Name = strings.Repeat("ö", 201) }},
		{"a name of two lines", "client_name", func(m *metadata) { m.Name = "Acme\nGoogle" }},
		{"a name that turns the text around", "client_name", func(m *metadata) { m.Name = "Acme \u202egnp.elgooG" }},
		{"a name with a bidi isolate", "client_name", func(m *metadata) { m.Name = "Acme \u2066x\u2069" }},
		{"a name with an invisible mark", "client_name", func(m *metadata) { m.Name = "Ac\u200bme" }},
		{"a name with a right-to-left mark", "client_name", func(m *metadata) { m.Name = "Acme\u200f" }},
		{"a name with a tag", "client_name", func(m *metadata) { m.Name = "Acme\U000e0041" }},
		{"a name that is no text", "client_name", func(m *metadata) { m.Name = "Acme\xff" }},
		{"a name with a zero byte", "client_name", func(m *metadata) { m.Name = "Ac\x00me" }},

		{"an unknown type", "application_type", func(m *metadata) { m.Type = "browser" }},
		{"a native app with a secret", "", func(m *metadata) { m.Type, m.AuthMethod = authz.ClientNative, authz.AuthSecretBasic }},
		{"a public web app", "", public},

		{"no redirect URI", "redirect_uris", func(m *metadata) { m.RedirectURIs = nil }},
		{"an http redirect URI", "redirect_uris", func(m *metadata) { m.RedirectURIs = []string{"http://acme.example/"} }},
		{"a redirect URI with a fragment", "redirect_uris", func(m *metadata) { m.RedirectURIs = []string{"https://acme.example/#x"} }},
		{"a script as redirect URI", "redirect_uris", func(m *metadata) { m.RedirectURIs = []string{"javascript:alert(1)"} }},
		{"one redirect URI twice", "redirect_uris", func(m *metadata) { m.RedirectURIs = []string{"https://a.example/", "https://a.example/"} }},
		{"too many redirect URIs", "redirect_uris", func(m *metadata) { m.RedirectURIs = many(101, "https://a.example/%d") }},
		{"a web app on this device", "", func(m *metadata) { m.RedirectURIs = []string{"http://localhost:3000/callback"} }},
		{"a web app with a private-use scheme", "redirect_uris", func(m *metadata) { m.RedirectURIs = []string{"com.acme.app:/x"} }},
		{"a service with a redirect URI", "redirect_uris", func(m *metadata) { service(m); m.RedirectURIs = []string{"https://a.example/"} }},
		{"a bad logout URI", "post_logout_redirect_uris", func(m *metadata) { m.PostLogoutRedirectURIs = []string{"http://acme.example/"} }},
		{"a logout URI twice", "post_logout_redirect_uris", func(m *metadata) { m.PostLogoutRedirectURIs = []string{"https://a.example/", "https://a.example/"} }},
		{"a service with a logout URI", "post_logout_redirect_uris", func(m *metadata) { service(m); m.PostLogoutRedirectURIs = []string{"https://a.example/"} }},

		{"an unknown grant type", "grant_types", func(m *metadata) { m.GrantTypes = []string{"password"} }},
		{"the implicit grant", "grant_types", func(m *metadata) { m.GrantTypes = []string{"authorization_code", "implicit"} }},
		{"one grant type twice", "grant_types", func(m *metadata) { m.GrantTypes = []string{"authorization_code", "authorization_code"} }},
		{"a refresh token without a code", "grant_types", func(m *metadata) { m.GrantTypes, m.RedirectURIs = []string{"refresh_token"}, nil }},
		{"a web app that also acts for itself", "", func(m *metadata) { m.GrantTypes = []string{"authorization_code", "client_credentials"} }},
		{"a public client that acts for itself", "grant_types", func(m *metadata) { public(m); m.GrantTypes = []string{"authorization_code", "client_credentials"} }},
		{"a service with people", "grant_types", func(m *metadata) { m.Type = authz.ClientService; m.GrantTypes = []string{"authorization_code"} }},
		{"a token from the authorization endpoint", "response_types", func(m *metadata) { m.ResponseTypes = []string{"token"} }},
		{"a hybrid response type", "response_types", func(m *metadata) { m.ResponseTypes = []string{"code id_token"} }},

		{"an unknown authentication method", "token_endpoint_auth_method", func(m *metadata) { m.AuthMethod = "client_secret_jwt" }},
		{"an assertion algorithm without assertions", "token_endpoint_auth_signing_alg", func(m *metadata) { m.AuthAlg = authz.AlgES256 }},

		{"a scope that is none", "scope", func(m *metadata) { m.Scope = authz.Scopes{"openid", "a\"b"} }},
		{"a scope twice", "scope", func(m *metadata) { m.Scope = authz.Scopes{"openid", "openid"} }},
		{"too many scopes", "scope", func(m *metadata) { m.Scope = many(501, "s%d") }},
		{"scopes of its API and of OpenID Connect", "", func(m *metadata) { m.APIs, m.Scope = []string{orders}, authz.Scopes{"openid", "orders:read"} }},
		{"a scope of this server", "", func(m *metadata) { m.Scope = authz.Scopes{"openid", authz.ScopeClientsRead} }},
		{"a mistyped scope of its API", "scope", func(m *metadata) { m.APIs, m.Scope = []string{orders}, authz.Scopes{"orders:raed"} }},
		{"a mistyped scope beside a good one", "scope", func(m *metadata) { m.APIs, m.Scope = []string{orders}, authz.Scopes{"orders:read", "orders:wriet"} }},
		{"a scope of an API that it does not name", "scope", func(m *metadata) { m.APIs, m.Scope = []string{orders}, authz.Scopes{"parcels:read"} }},
		{"a default scope that it may not have", "default_scope", func(m *metadata) { m.Scope, m.DefaultScope = authz.Scopes{"openid"}, authz.Scopes{"email"} }},
		{"a default scope", "", func(m *metadata) { m.DefaultScope = authz.Scopes{"openid"} }},

		{"an API", "", func(m *metadata) { m.APIs, m.DefaultAPI = []string{orders, parcels}, parcels }},
		{"an unknown API", "apis", func(m *metadata) { m.APIs = []string{"https://unknown.example"} }},
		{"an API that is no URI", "apis", func(m *metadata) { m.APIs = []string{"orders"} }},
		{"an API that no database takes", "apis", func(m *metadata) { m.APIs = []string{"https://\x00.example"} }},
		{"one API twice", "apis", func(m *metadata) { m.APIs = []string{orders, orders} }},
		{"a default API that is not one of its APIs", "default_api", func(m *metadata) { m.APIs, m.DefaultAPI = []string{orders}, parcels }},

		{"an ID token algorithm without a key", "id_token_signed_response_alg", func(m *metadata) { m.IDTokenAlg = authz.AlgPS256 }},
		{"unsigned ID tokens", "id_token_signed_response_alg", func(m *metadata) { m.IDTokenAlg = "none" }},

		{"a negative lifetime", "access_token_lifetime", func(m *metadata) { m.AccessTokenLifetime = -1 }},
		{"an access token that ends on its way", "access_token_lifetime", func(m *metadata) { m.AccessTokenLifetime = 9 }},
		{"the shortest access token", "", func(m *metadata) { m.AccessTokenLifetime = 10 }},
		{"an ID token that ends on its way", "id_token_lifetime", func(m *metadata) { m.IDTokenLifetime = 1 }},
		{"a refresh token for a moment", "refresh_token_lifetime", func(m *metadata) { m.RefreshLifetime = 59 }},
		{"a refresh token that must be used at once", "refresh_token_idle_lifetime", func(m *metadata) { m.RefreshIdleLifetime = 1 }},
		{"the longest access token", "", func(m *metadata) { m.AccessTokenLifetime = 86400 }},
		{"a longer one", "access_token_lifetime", func(m *metadata) { m.AccessTokenLifetime = 86401 }},
		{"an endless ID token", "id_token_lifetime", func(m *metadata) { m.IDTokenLifetime = 1 << 62 }},
		{"a refresh token idle for ever", "refresh_token_idle_lifetime", func(m *metadata) { m.RefreshIdleLifetime = 1 << 40 }},
		{"an endless refresh token", "refresh_token_lifetime", func(m *metadata) { m.RefreshLifetime = 1 << 40 }},
		{"idle for longer than it lives", "refresh_token_idle_lifetime", func(m *metadata) { m.RefreshIdleLifetime, m.RefreshLifetime = 200, 100 }},

		{"links", "", func(m *metadata) {
			m.ClientURI, m.PolicyURI, m.TermsURI = "https://a.example", "https://a.example/p?x=1", "https://a.example/t"
		}},
		{"an http home page", "client_uri", func(m *metadata) { m.ClientURI = "http://acme.example" }},
		{"a script as policy", "policy_uri", func(m *metadata) { m.PolicyURI = "javascript:alert(1)" }},
		{"terms without a host", "tos_uri", func(m *metadata) { m.TermsURI = "https:///terms" }},
		{"a home page with a user name", "client_uri", func(m *metadata) { m.ClientURI = "https://google.com@evil.example/" }},
		{"a home page with a space", "client_uri", func(m *metadata) { m.ClientURI = "https://acme.example/ x" }},
		{"an endless link", "client_uri", func(m *metadata) { m.ClientURI = "https://acme.example/" + strings.Repeat("a", 2048) }},

		{"contacts", "", func(m *metadata) { m.Contacts = []string{"ops@acme.example", "+49 30 1234"} }},
		{"a contact twice", "contacts", func(m *metadata) { m.Contacts = []string{"a@b.example", "a@b.example"} }},
		{"a contact of two lines", "contacts", func(m *metadata) { m.Contacts = []string{"a\nb"} }},
		{"too many contacts", "contacts", func(m *metadata) { m.Contacts = many(21, "a%d@b.example") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := w.Create(t.Context(), registration.New{Metadata: webApp(c.change)})
			if field(err) != c.field || (c.field == "") != (err == nil) {
				t.Errorf("got %v, want an error about %q", err, c.field)
			}
		})
	}
}

// RFC 9700 §2.1.1: PKCE for every public client, and for each other that has no nonce.
func TestPKCEIsWaivedForConfidentialOpenIDClientsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name   string
		change func(*metadata)
		ok     bool
	}{
		{"confidential with openid", func(*metadata) {}, true},
		{"public with openid", func(m *metadata) { m.AuthMethod = authz.AuthNone }, false},
		{"confidential without openid", func(m *metadata) { m.Scope = authz.Scopes{"orders:read"} }, false},
		{"without a code", func(m *metadata) {
			*m = metadata{Name: "Robot", Type: authz.ClientService, Scope: authz.Scopes{"openid"}}
		}, false},
	} {
		_, _, err := w.Create(t.Context(), registration.New{WaivePKCE: true, Metadata: webApp(c.change)})
		if c.ok != (err == nil) || !c.ok && field(err) != "require_pkce" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
