package registration_test

import (
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
)

// Who may swap tokens for which others is policy that an administrator writes down, and
// that must mean something (RFC 8693).
func TestExchangeRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := func(rules ...authz.ExchangeRule) metadata {
		return metadata{
			Name: "Orders", Type: authz.ClientService, TokenExchange: rules,
			GrantTypes: []string{authz.GrantClientCredentials, authz.GrantTokenExchange},
		}
	}
	rule := func(from, to string, scopes ...string) authz.ExchangeRule {
		return authz.ExchangeRule{From: from, To: to, Scopes: scopes}
	}
	good := rule(orders, parcels, "parcels:read")
	without := service(good)
	without.GrantTypes = []string{authz.GrantClientCredentials}
	public := webApp(func(m *metadata) {
		m.AuthMethod, m.GrantTypes = authz.AuthNone, []string{authz.GrantAuthorizationCode, authz.GrantTokenExchange}
	})
	many := make([]authz.ExchangeRule, 101)
	for _, c := range []struct {
		name, field string
		client      metadata
	}{
		{"a rule", "", service(good)},
		{"there and back", "", service(good, rule(parcels, orders, "orders:read", "orders:write"))},
		{"within one API", "", service(rule(orders, orders, "orders:read"))},
		{"the grant without a rule", "", service()},
		{"an app of people that exchanges too", "", webApp(func(m *metadata) {
			m.GrantTypes, m.TokenExchange = []string{authz.GrantAuthorizationCode, authz.GrantTokenExchange}, []authz.ExchangeRule{good}
		})},
		{"a rule without the grant", "token_exchange", without},
		{"a public client", "grant_types", public},
		{"from nowhere", "token_exchange", service(rule("https://nowhere.example", parcels, "parcels:read"))},
		{"to nowhere", "token_exchange", service(rule(orders, "https://nowhere.example", "parcels:read"))},
		{"from no URI", "token_exchange", service(rule("orders", parcels, "parcels:read"))},
		{"to nothing", "token_exchange", service(rule(orders, "", "parcels:read"))},
		{"for nothing", "token_exchange", service(rule(orders, parcels))},
		{"for a scope of the other API", "token_exchange", service(rule(orders, parcels, "orders:read"))},
		{"for who somebody is", "token_exchange", service(rule(orders, parcels, "parcels:read", "openid"))},
		{"two rules for one exchange", "token_exchange", service(good, rule(orders, parcels, "parcels:read"))},
		{"too many rules", "token_exchange", service(many...)},
	} {
		_, _, err := w.Create(t.Context(), registration.New{Metadata: c.client})
		if field(err) != c.field || (c.field == "") != (err == nil) {
			t.Errorf("%s: got %v, want an error about %q", c.name, err, c.field)
		}
	}
}

// A rule whose API is gone gives nothing, and stands in the way of nothing.
func TestARuleMayOutliveItsAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.create(t, registration.New{Metadata: metadata{
		Name: "Orders", Type: authz.ClientService, GrantTypes: []string{authz.GrantTokenExchange},
		TokenExchange: []authz.ExchangeRule{{From: orders, To: parcels, Scopes: authz.Scopes{"parcels:read"}}},
	}})
	if err := w.store.DeleteAPI(t.Context(), parcels, 0); err != nil {
		t.Fatal(err)
	}
	next := c.Metadata
	next.Name = "Orders service"
	if _, err := w.Update(t.Context(), c.ID, 0, next); err != nil {
		t.Errorf("another change: %v", err)
	}
	next.TokenExchange[0].Scopes = authz.Scopes{"parcels:read", "parcels:write"}
	if _, err := w.Update(t.Context(), c.ID, 0, next); field(err) != "token_exchange" {
		t.Errorf("a changed rule for an API that is gone: %v", err)
	}
}
