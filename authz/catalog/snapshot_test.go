package catalog_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/storage"
)

func (w *world) all(t *testing.T) *catalog.Snapshot {
	t.Helper()
	s, err := w.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) knows(t *testing.T, identifier string) bool {
	t.Helper()
	_, ok := w.all(t).API(identifier)
	return ok
}

func TestTheServerIsAnAPIToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, orders())
	own, ok := w.all(t).API(issuer)
	if !ok || !own.ScopeNames().Contains(authz.ServerScopes()) {
		t.Errorf("got %+v", own)
	}
	var got []string
	for _, a := range w.all(t).APIs() {
		got = append(got, a.Identifier)
	}
	if want := ordersURI + " " + issuer; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, orders())
	w.create(t, orders(func(a *authz.API) {
		a.Identifier, a.Scopes = "urn:bakery", []authz.APIScope{{Name: "orders:read", Description: "See what you baked"}}
	}))
	for _, c := range []struct {
		scope     string
		resources []string
		want      string
	}{
		{"orders:read", []string{ordersURI}, "See your orders"},
		{"orders:read", []string{"urn:bakery"}, "See what you baked"},
		{"orders:read", []string{"urn:bakery", ordersURI}, "See what you baked"},
		{"orders:write", []string{"urn:bakery", ordersURI}, "Change your orders"},
		{"orders:write", []string{"urn:bakery"}, "orders:write"},
		{"orders:write", []string{"urn:gone"}, "orders:write"},
		{"signet:account", []string{issuer}, "See and change your own account: apps, sessions and API tokens"},
		{"email", nil, "See your email address"},
		{"email", []string{ordersURI}, "See your email address"},
		{"unknown", nil, "unknown"},
	} {
		if got := w.all(t).Describe(c.scope, c.resources); got != c.want {
			t.Errorf("%s at %v: %q, want %q", c.scope, c.resources, got, c.want)
		}
	}
	for _, scope := range authz.OIDCScopes() {
		if w.all(t).Describe(scope, nil) == scope {
			t.Errorf("%s has no sentence", scope)
		}
	}
}

func TestAllIsSecondsOldAtMost(t *testing.T) {
	t.Parallel()
	reads := 0
	w := newWorld(t, storage.WithStatementCounter(func(statement string) {
		if strings.Contains(statement, "FROM apis WHERE identifier >") {
			reads++
		}
	}))
	for range 100 {
		w.all(t)
	}
	if reads != 1 {
		t.Errorf("read %d times", reads)
	}
	w.create(t, orders())
	if !w.knows(t, ordersURI) {
		t.Error("who made it does not know it")
	}
	other := newWorldOn(w.store) // another process, of which this one does not hear
	if err := other.Delete(t.Context(), ordersURI, 0); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(10*time.Second - 1)
	if !w.knows(t, ordersURI) {
		t.Error("it knew before it could")
	}
	w.clock.Advance(1)
	if w.knows(t, ordersURI) {
		t.Error("it does not know after ten seconds")
	}
	other.create(t, orders())
	w.Invalidate() // it hears of it
	if !w.knows(t, ordersURI) {
		t.Error("it does not know after it heard")
	}
	w.clock.Advance(-time.Hour) // the clock is set back
	w.all(t)
	if reads != 5 {
		t.Errorf("read %d times, want 5", reads)
	}
}

func TestAllReadsEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 1000
	err := w.store.InTx(t.Context(), func(ctx context.Context) error {
		for i := range many {
			a := orders(func(a *authz.API) { a.Identifier = fmt.Sprintf("urn:%04d", i) })
			a.CreatedAt, a.UpdatedAt = w.clock.Now(), w.clock.Now()
			if err := w.store.InsertAPI(ctx, &a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(w.all(t).APIs()); got != many+1 {
		t.Errorf("read %d", got)
	}
}

func TestAllIsAnErrorWhenItCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := w.All(t.Context()); err == nil {
		t.Errorf("got %v", s)
	}
	if _, err := w.Create(t.Context(), orders()); err == nil || field(err) != "" {
		t.Errorf("an outage looks like %v", err)
	}
}
