package registration_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	const all = "openid profile email offline_access"
	for _, c := range []struct {
		name   string
		new    registration.New
		secret bool
		want   string // metadata as JSON
	}{
		{"web", registration.New{Metadata: webApp()}, true,
			`{"client_name":"Acme Calendar","application_type":"web","redirect_uris":["https://calendar.example/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"client_secret_basic","scope":"` + all + `","id_token_signed_response_alg":"RS256","require_pkce":true,"rotate_refresh_tokens":false}`},
		{"native", registration.New{DefaultIDTokenAlg: authz.AlgES256, Metadata: authz.ClientMetadata{
			Name: "Acme CLI", Type: authz.ClientNative, RedirectURIs: []string{"http://127.0.0.1/callback", "com.acme.cli:/callback"}}}, false,
			`{"client_name":"Acme CLI","application_type":"native","redirect_uris":["http://127.0.0.1/callback","com.acme.cli:/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none","scope":"` + all + `","id_token_signed_response_alg":"ES256","require_pkce":true,"rotate_refresh_tokens":true}`},
		{"service", registration.New{DefaultIDTokenAlg: authz.AlgES256, Metadata: authz.ClientMetadata{
			Name: "Acme Robot", Type: authz.ClientService, APIs: []string{orders}}}, true,
			`{"client_name":"Acme Robot","application_type":"service","grant_types":["client_credentials"],"token_endpoint_auth_method":"client_secret_basic","scope":"orders:read orders:write","apis":["https://orders.example"],"default_api":"https://orders.example","require_pkce":true,"rotate_refresh_tokens":false}`},
		{"scopes of its APIs are its own to choose", registration.New{Metadata: authz.ClientMetadata{
			Name: "Acme Robot", Type: authz.ClientService, APIs: []string{orders, parcels}, Scope: authz.Scopes{"orders:read"}}}, true,
			`{"client_name":"Acme Robot","application_type":"service","grant_types":["client_credentials"],"token_endpoint_auth_method":"client_secret_basic","scope":"orders:read","apis":["https://orders.example","https://parcels.example"],"require_pkce":true,"rotate_refresh_tokens":false}`},
		{"no scope named is all of them", registration.New{Metadata: webApp(func(m *authz.ClientMetadata) { m.APIs = []string{parcels} })}, true,
			`{"client_name":"Acme Calendar","application_type":"web","redirect_uris":["https://calendar.example/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"client_secret_basic","scope":"` + all + ` parcels:read","apis":["https://parcels.example"],"default_api":"https://parcels.example","id_token_signed_response_alg":"RS256","require_pkce":true,"rotate_refresh_tokens":false}`},
		{"to name a scope of OpenID Connect is to choose as well", registration.New{Metadata: webApp(func(m *authz.ClientMetadata) {
			m.APIs, m.Scope = []string{parcels}, authz.Scopes{"openid"}
		})}, true,
			`{"client_name":"Acme Calendar","application_type":"web","redirect_uris":["https://calendar.example/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"client_secret_basic","scope":"openid","apis":["https://parcels.example"],"default_api":"https://parcels.example","id_token_signed_response_alg":"RS256","require_pkce":true,"rotate_refresh_tokens":false}`},
		{"what is asked for stays", registration.New{ID: "acme", WaivePKCE: true, Metadata: webApp(func(m *authz.ClientMetadata) {
			m.AuthMethod, m.RotateRefreshTokens, m.IDTokenAlg = authz.AuthSecretPost, true, authz.AlgES256
			m.Scope = authz.Scopes{"openid"}
		})}, true,
			`{"client_name":"Acme Calendar","application_type":"web","redirect_uris":["https://calendar.example/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"client_secret_post","scope":"openid","id_token_signed_response_alg":"ES256","require_pkce":false,"rotate_refresh_tokens":true}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			created, secret := w.create(t, c.new)
			kept := w.client(t, created.ID)
			for _, client := range []*authz.Client{created, kept} {
				if got, err := json.Marshal(client.Metadata); err != nil || string(got) != c.want {
					t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
				}
			}
			if c.secret != authz.WellFormed(authz.PrefixClientSecret, secret.Reveal()) || c.secret != (secret != "") {
				t.Errorf("secret: %q", secret.Reveal())
			}
			if c.secret && !w.accepts(t, created.ID, secret) {
				t.Error("the secret is not the client's")
			}
			if e := w.events.Last(); e.Kind != authz.EventClientCreated || e.ClientID != created.ID {
				t.Errorf("recorded %+v", e)
			}
		})
	}
}

// Whoever names the server's own API has not asked to run the server.
func TestTheServersOwnScopesAreNeverADefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const issuer = "https://signet.example"
	own := authz.ServerAPI(issuer)
	own.CreatedAt, own.UpdatedAt = w.clock.Now(), w.clock.Now()
	if err := w.store.InsertAPI(t.Context(), &own); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ asked, want string }{
		{"", ""},
		{"signet:clients:read", "signet:clients:read"},
	} {
		made, _ := w.create(t, registration.New{Metadata: authz.ClientMetadata{
			Name: "Robot", Type: authz.ClientService, APIs: []string{issuer}, Scope: authz.ParseScopes(c.asked),
		}})
		if got := made.Metadata.Scope.String(); got != c.want {
			t.Errorf("asked for %q, got %q", c.asked, got)
		}
	}
}

func TestClientIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		id string
		ok bool
	}{
		{"acme-calendar", true}, {"A.b_C-9", true}, {strings.Repeat("a", 128), true},
		{strings.Repeat("a", 129), false}, {"usr_acme", false}, {"USR_acme", false}, {"tok_acme", false}, {"Tok_acme", false}, {"tokens", true}, {"cli", false}, {"system", false},
		{"a b", false}, {"a:b", false}, {"a/b", false}, {"ä", false}, {"a\x00", false}, {"a%41", false},
	} {
		_, _, err := w.Create(t.Context(), registration.New{ID: c.id, Metadata: webApp()})
		if c.ok && err != nil || !c.ok && field(err) != "client_id" {
			t.Errorf("%q: %v", c.id, err)
		}
	}
	if _, _, err := w.Create(t.Context(), registration.New{ID: "acme-calendar", Metadata: webApp()}); !errors.Is(err, authz.ErrConflict) {
		t.Errorf("a taken id: %v", err)
	}
	made, _ := w.create(t, registration.New{Metadata: webApp()})
	if !strings.HasPrefix(made.ID, authz.PrefixClient) {
		t.Errorf("made the id %s", made.ID)
	}
}

func TestGetAndList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"c", "a", "b"} {
		w.create(t, registration.New{ID: id, Metadata: webApp()})
	}
	for _, id := range []string{"", "d", "a\x00", "\xff", strings.Repeat("a", 1000)} {
		if _, err := w.Get(t.Context(), id); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("Get(%q) gave %v", id, err)
		}
	}
	for _, c := range []struct {
		after string
		limit int
		want  string
	}{{"", 2, "a b"}, {"a", 2, "b c"}, {"b", 1000, "c"}, {"c", 1, ""}, {"", 0, "a"}, {"", 1 << 40, "a b c"}} {
		list, err := w.List(t.Context(), c.after, c.limit)
		var ids []string
		for _, one := range list {
			ids = append(ids, one.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != c.want {
			t.Errorf("List(%q, %d) gave %s, %v", c.after, c.limit, got, err)
		}
	}
	if _, err := w.List(t.Context(), "\x00", 1); field(err) != "after" {
		t.Errorf("got %v", err)
	}
}
