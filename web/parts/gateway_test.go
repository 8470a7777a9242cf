package parts_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

// A token that services handed on rests on each of their clients, and on the app that the
// person allowed: whichever is disabled, by whatever replica, the next check knows.
func TestEveryClientBehindATokenCountsAtTheGateway(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		s := webtest.Start(t, open(), webtest.With(trustLoopback))
		replica := webtest.Start(t, open(), webtest.With(func(c *parts.Config) { c.Issuer = s.Issuer }))
		s.Person("alice", passwords)
		token := exchangedTwice(s)
		for _, id := range []string{"app", "first", "second"} {
			for _, c := range []struct {
				disabled bool
				want     int
			}{{false, http.StatusOK}, {true, http.StatusUnauthorized}, {false, http.StatusOK}} {
				if err := replica.Clients.SetDisabled(t.Context(), id, c.disabled); err != nil {
					t.Fatal(err)
				}
				s.Changed(t.Context(), "clients", id)
				for range 2 {
					if got := atGateway(t, s, token); got != c.want {
						t.Errorf("%s disabled %t: status %d, want %d", id, c.disabled, got, c.want)
					}
				}
			}
		}
	})
}

// So it is with an API token that an app has made, and what was made with that, before they
// are revoked one by one.
func TestAnAPITokenRestsOnTheAppThatMadeIt(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		s := webtest.Start(t, open(), webtest.With(trustLoopback))
		alice := s.Person("alice", passwords)
		s.API(authz.API{Identifier: orders, Name: "Orders", Scopes: []authz.APIScope{{Name: "orders:read", Description: "See them"}}})
		s.App("helper", "https://helper.example/cb")
		now := s.Clock.Now()
		secret, err := authz.NewSecret(authz.PrefixAPIToken, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for id, v := range []*authz.APIToken{{ID: "tok_helper", Hash: []byte{1}, MadeBy: "helper"}, {ID: authz.APITokenID(secret.Hash()), Hash: secret.Hash(), MadeBy: "tok_helper"}} {
			v.UserID, v.Name, v.API, v.Scopes, v.CreatedAt, v.ExpiresAt = alice.ID, fmt.Sprint(id), orders, authz.Scopes{"orders:read"}, now, now.Add(time.Hour)
			if err := s.Store.InsertAPIToken(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
		if got := atGateway(t, s, secret.Reveal()); got != http.StatusOK {
			t.Fatalf("status %d", got)
		}
		app, err := s.Store.Client(t.Context(), "helper")
		if err != nil {
			t.Fatal(err)
		}
		app.DisabledAt = now
		if err := s.Store.UpdateClient(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		s.Changed(t.Context(), "clients", "helper")
		if got := atGateway(t, s, secret.Reveal()); got != http.StatusUnauthorized {
			t.Errorf("the app is disabled: status %d", got)
		}
	})
}

func trustLoopback(c *parts.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// exchangedTwice gives a token for orders that alice's app got for parcels, and that two
// services exchanged one after the other.
func exchangedTwice(s *webtest.Server) string {
	scopes := authz.Scopes{"parcels:read", "orders:read"}
	for api, scope := range map[string]string{parcels: "parcels:read", orders: "orders:read"} {
		s.API(authz.API{Identifier: api, Name: api, Scopes: []authz.APIScope{{Name: scope, Description: "See them"}}})
	}
	app := s.App("app", "https://app.example/cb", func(m *authz.ClientMetadata) {
		m.Scope, m.APIs = m.Scope.With(authz.Scopes{"parcels:read"}), []string{parcels}
	})
	consent := s.Browser().Open(app.Ask("openid parcels:read", "resource", parcels)).
		Fill("username", "alice").Fill("password", passwords).Press("sign-in")
	token := app.Redeem(consent.Press("allow")).AccessToken
	for _, step := range []struct{ id, from, to, scope string }{
		{"first", parcels, orders, "orders:read"}, {"second", orders, orders, "orders:read"},
	} {
		service := s.App(step.id, "", func(m *authz.ClientMetadata) {
			m.Type, m.RedirectURIs, m.Scope, m.APIs = authz.ClientService, nil, scopes, []string{orders, parcels}
			m.GrantTypes = []string{authz.GrantTokenExchange, authz.GrantClientCredentials}
			m.TokenExchange = []authz.ExchangeRule{{From: step.from, To: step.to, Scopes: authz.Scopes{step.scope}}}
		})
		token = service.Token(url.Values{
			"grant_type": {authz.GrantTokenExchange}, "subject_token": {token},
			"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "resource": {step.to},
		}).AccessToken
	}
	return token
}

// atGateway shows a token for orders at the check of a proxy.
func atGateway(t *testing.T, s *webtest.Server, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Issuer+"/gateway/nginx", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Original-Url", orders+"/7")
	r.Header.Set("X-Original-Method", http.MethodGet)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}
