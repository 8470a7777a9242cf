package parts_test

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/keys"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/parts"
	"github.com/signet-auth/signet/web/webtest"
)

const orders = "https://orders.example"

// What one process has changed, another that is told of it knows at once.
func TestChanged(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		ctx := t.Context()
		one := webtest.Start(t, open())
		two := webtest.Start(t, open(), webtest.With(func(c *parts.Config) { c.Issuer = one.Issuer }))
		one.API(authz.API{Identifier: orders, Name: "Orders", Scopes: []authz.APIScope{{Name: "orders:read", Description: "See your orders"}}})
		service := one.App("service", "", func(m *authz.ClientMetadata) {
			m.Type, m.RedirectURIs, m.Scope, m.APIs = authz.ClientService, nil, authz.Scopes{"orders:read"}, []string{orders}
		})
		status := func() int {
			return service.Token(url.Values{"grant_type": {authz.GrantClientCredentials}, "resource": {orders}}).Status
		}
		if got := status(); got != http.StatusOK {
			t.Fatalf("status %d", got)
		}
		for _, table := range []string{"clients", ""} {
			if err := two.Clients.SetDisabled(ctx, "service", true); err != nil {
				t.Fatal(err)
			}
			one.Changed(ctx, table, "service")
			if got := status(); got != http.StatusUnauthorized {
				t.Errorf("told of %q: a disabled client gets %d", table, got)
			}
			if err := two.Clients.SetDisabled(ctx, "service", false); err != nil {
				t.Fatal(err)
			}
			one.Changed(ctx, table, "service")
			if got := status(); got != http.StatusOK {
				t.Errorf("told of %q: an enabled client gets %d", table, got)
			}
		}
		if err := two.APIs.Delete(ctx, orders, 0); err != nil {
			t.Fatal(err)
		}
		one.Changed(ctx, "apis", orders)
		if got := status(); got != http.StatusBadRequest {
			t.Errorf("an API that is gone: status %d", got)
		}
	})
}

// When a signing key is withdrawn, what it has signed is refused, and what is still published
// is signed by another.
func TestAWithdrawnKeyVouchesForNothing(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		ctx := t.Context()
		one := webtest.Start(t, open())
		two := webtest.Start(t, open(), webtest.With(func(c *parts.Config) { c.Issuer = one.Issuer }))
		service := one.App("service", "", func(m *authz.ClientMetadata) {
			m.Type, m.RedirectURIs, m.Scope = authz.ClientService, nil, nil
		})
		token := service.Token(url.Values{"grant_type": {authz.GrantClientCredentials}}).AccessToken
		list := func() string {
			t.Helper()
			a, err := one.Statuses.Serve(ctx, 0, "", 0)
			if err != nil {
				t.Fatal(err)
			}
			return string(a.Body)
		}
		old := list()
		if err := two.Keys.Withdraw(ctx, ""); err != nil {
			t.Fatal(err)
		}
		one.Changed(ctx, "signing_keys", "")
		for name, jws := range map[string]string{"the access token": token, "the old list": old} {
			if _, _, err := one.Keys.Verify(jws); !errors.Is(err, keys.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", name, err)
			}
		}
		if _, _, err := one.Keys.Verify(list()); err != nil {
			t.Errorf("the list that is given now: %v", err)
		}
	})
}

// While the database is away everything is tried again each second, and told once a minute.
func TestAnOutageIsToldOnceAMinute(t *testing.T) {
	t.Parallel()
	store := storagetest.New(t)
	server := webtest.Start(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	lines := func() (n int) {
		for line := range strings.Lines(server.Log.String()) {
			if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, `"level":"WARN"`) {
				n++
			}
		}
		return n
	}
	for range 30 {
		server.Unwatched(errors.New("connection refused"))
		server.Changed(t.Context(), "", "")
	}
	if n := lines(); n != 2 { // no changes are heard of, and no keys can be read
		t.Errorf("%d lines about the first half minute:\n%s", n, server.Log)
	}
	server.Clock.Advance(time.Minute)
	for range 30 {
		server.Unwatched(errors.New("connection refused"))
	}
	if n := lines(); n != 3 || !strings.Contains(server.Log.String(), `"failures_since":29`) {
		t.Errorf("%d lines after a minute:\n%s", n, server.Log)
	}
}

// Two processes that start on an empty database at once agree on its keys and roles.
func TestStartTogether(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		master, err := keys.NewMaster(webtest.MasterKey())
		if err != nil {
			t.Fatal(err)
		}
		type result struct {
			parts *parts.Parts
			err   error
		}
		results := make(chan result, 4)
		for range cap(results) {
			c := parts.Config{
				Issuer: "https://id.example", Store: open(), Master: master,
				Log: slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Reader,
			}
			go func() {
				p, err := parts.New(t.Context(), c)
				results <- result{p, err}
			}()
		}
		first := ""
		for range cap(results) {
			got := <-results
			if err := got.err; err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(got.parts.Ready(t.Context()), got.parts.Keys.Reload(t.Context())); err != nil {
				t.Error(err)
			}
			body, _, _ := got.parts.Keys.JWKS()
			if first == "" {
				first = string(body)
			} else if string(body) != first {
				t.Errorf("another key set:\n%s\n%s", body, first)
			}
		}
	})
}
