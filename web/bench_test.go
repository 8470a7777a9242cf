package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

// BenchmarkServer is what a token costs that touches no database, and a page that asks nobody,
// in the server as a whole: routing, limits, headers and the log line around the endpoint.
func BenchmarkServer(b *testing.B) {
	s := webtest.Start(b, storagetest.New(b), webtest.With(func(c *parts.Config) { c.Log = slog.New(slog.DiscardHandler) }))
	s.API(authz.API{
		Identifier: ordersAPI, Name: "Orders", Scopes: []authz.APIScope{{Name: "orders:read", Description: "See your orders"}},
	})
	service := s.App("service", "", func(m *authz.ClientMetadata) {
		m.Type, m.RedirectURIs, m.Scope, m.APIs = authz.ClientService, nil, authz.Scopes{"orders:read"}, []string{ordersAPI}
	})
	form := url.Values{"grant_type": {authz.GrantClientCredentials}}.Encode()
	for name, request := range map[string]func() *http.Request{
		"client_credentials": func() *http.Request {
			r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(service.ID, service.Secret.Reveal())
			return r
		},
		"login page": func() *http.Request { return httptest.NewRequest(http.MethodGet, "/login", nil) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rec := httptest.NewRecorder()
				s.Site.ServeHTTP(rec, request())
				if rec.Code != http.StatusOK {
					b.Fatalf("%d %s", rec.Code, rec.Body)
				}
			}
		})
	}
}
