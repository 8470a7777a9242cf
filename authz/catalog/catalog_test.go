package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

const issuer = "https://signet.example"

// world is a catalogue on a real store, with a clock that stands still.
type world struct {
	*catalog.Service
	store  *storage.Store
	clock  authztest.Clock
	events authztest.Events
}

func newWorld(t *testing.T, options ...storage.Option) *world {
	t.Helper()
	return newWorldOn(storagetest.New(t, options...))
}

func newWorldOn(store catalog.Store) *world {
	w := &world{}
	w.store, _ = store.(*storage.Store)
	w.Service = catalog.New(catalog.Config{Store: store, Issuer: issuer, Audit: &w.events, Now: w.clock.Now})
	return w
}

func (w *world) last() string {
	e := w.events.Last()
	return e.Kind + " " + e.Detail["api"]
}

const ordersURI = "https://orders.example"

// orders is an API with nothing wrong.
func orders(change ...func(*authz.API)) authz.API {
	a := authz.API{Identifier: ordersURI, Name: "Orders", Scopes: []authz.APIScope{
		{Name: "orders:read", Description: "See your orders"},
		{Name: "orders:write", Description: "Change your orders"},
	}}
	for _, c := range change {
		c(&a)
	}
	return a
}

func (w *world) create(t *testing.T, a authz.API) *authz.API {
	t.Helper()
	made, err := w.Create(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func field(err error) string {
	if invalid, ok := errors.AsType[*authz.InvalidError](err); ok {
		return invalid.Field
	}
	return ""
}

func TestCreateAndChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storage.WithMaxConns(1))
	made := w.create(t, orders())
	if made.Version != 1 || !made.CreatedAt.Equal(w.clock.Now()) || w.last() != authz.EventAPICreated+" "+ordersURI {
		t.Errorf("made %+v, recorded %s", made, w.last())
	}
	if _, err := w.Create(t.Context(), orders()); !errors.Is(err, authz.ErrConflict) {
		t.Errorf("a taken identifier: %v", err)
	}
	w.clock.Advance(time.Hour)
	next := orders(func(a *authz.API) { a.Identifier, a.Name, a.BrowserSignIn, a.Scopes = "ignored", "Orders 2", true, nil })
	changed, err := w.Update(t.Context(), ordersURI, 1, next)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := w.Get(t.Context(), ordersURI)
	if err != nil || kept.Name != "Orders 2" || !kept.BrowserSignIn || len(kept.Scopes) != 0 || kept.Version != 2 ||
		changed.Version != 2 || !kept.CreatedAt.Equal(made.CreatedAt) || !kept.UpdatedAt.Equal(w.clock.Now()) {
		t.Errorf("kept %+v, changed to %+v, %v", kept, changed, err)
	}
	if w.last() != authz.EventAPIChanged+" "+ordersURI {
		t.Errorf("recorded %s", w.last())
	}
	if _, err := w.Update(t.Context(), ordersURI, 1, next); !errors.Is(err, authz.ErrStale) {
		t.Errorf("of the version before: %v", err)
	}
	if _, err := w.Update(t.Context(), ordersURI, 0, next); err != nil {
		t.Errorf("of whichever version: %v", err)
	}
	if _, err := w.Update(t.Context(), ordersURI, 0, authz.API{}); field(err) != "name" {
		t.Errorf("to what no API may be: %v", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, orders())
	if err := w.Delete(t.Context(), ordersURI, 0); err != nil || w.last() != authz.EventAPIDeleted+" "+ordersURI {
		t.Errorf("%v, recorded %s", err, w.last())
	}
	for _, identifier := range []string{ordersURI, issuer, "", "x", "https://a\x00.example", "https://\xff.example"} {
		if err := w.Delete(t.Context(), identifier, 0); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("Delete(%q) gave %v", identifier, err)
		}
		if _, err := w.Get(t.Context(), identifier); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("Get(%q) gave %v", identifier, err)
		}
		if _, err := w.Update(t.Context(), identifier, 0, orders()); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("Update(%q) gave %v", identifier, err)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"urn:c", "urn:a", "urn:b"} {
		w.create(t, orders(func(a *authz.API) { a.Identifier = id }))
	}
	for _, c := range []struct {
		after string
		limit int
		want  string
	}{{"", 2, "urn:a urn:b"}, {"urn:b", 1 << 40, "urn:c"}, {"", 0, "urn:a"}} {
		list, err := w.List(t.Context(), c.after, c.limit)
		var got []string
		for _, a := range list {
			got = append(got, a.Identifier)
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("List(%q, %d) gave %v, %v", c.after, c.limit, got, err)
		}
	}
	if _, err := w.List(t.Context(), "\x00", 1); field(err) != "after" {
		t.Errorf("got %v", err)
	}
}

func TestWhatNoAPIMayBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.store.InsertClient(t.Context(), &authz.Client{ID: "acme", CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(), Version: 1}); err != nil {
		t.Fatal(err)
	}
	called := func(identifier string) func(*authz.API) { return func(a *authz.API) { a.Identifier = identifier } }
	with := func(name, description string) func(*authz.API) {
		return func(a *authz.API) { a.Scopes = append(a.Scopes, authz.APIScope{Name: name, Description: description}) }
	}
	for _, c := range []struct {
		name, field string
		change      func(*authz.API)
	}{
		{"nothing wrong", "", func(*authz.API) {}},
		{"a path and a query", "", called("https://orders.example/v1?x=1")},
		{"http on an intranet", "", called("http://orders.internal:8080")},
		{"a URN", "", called("urn:example:orders")},
		{"no identifier", "identifier", called("")},
		{"a relative one", "identifier", called("/orders")},
		{"a name", "identifier", called("orders")},
		{"a scheme alone", "identifier", called("https:")},
		{"no host", "identifier", called("https:///orders")},
		{"a fragment", "identifier", called("https://orders2.example#x")},
		{"an empty fragment", "identifier", called("https://orders2.example#")},
		{"a user name", "identifier", called("https://me@orders2.example")},
		{"a space", "identifier", called("https://orders2.example/a b")},
		{"a foreign letter", "identifier", called("https://оrders2.example")},
		{"an endless identifier", "identifier", called("https://orders2.example/" + strings.Repeat("a", 1024))},
		{"the issuer", "identifier", called(issuer)},
		{"the issuer with a slash", "identifier", called(issuer + "/")},

		{"no name", "name", func(a *authz.API) { a.Name = "" }},
		{"a name that turns the text around", "name", func(a *authz.API) { a.Name = "\u202eredrO" }},
		{"a long name", "name", func(a *authz.API) { a.Name = strings.Repeat("a", 201) }},

		{"a scope that is none", "scopes", with("a b", "x")},
		{"a scope twice", "scopes", with("orders:read", "x")},
		{"a scope of OpenID Connect", "scopes", with("email", "See your email address")},
		{"a scope of the server", "scopes", with("signet:admin", "Harmless")},
		{"a scope as the server's might be", "scopes", with("signet:new", "Harmless")},
		{"every scope", "scopes", with("*", "Everything")},
		{"a scope without a sentence", "scopes", with("orders:all", "")},
		{"a sentence that turns the text around", "scopes", with("orders:all", "See \u202e")},
		{"a sentence of two lines", "scopes", with("orders:all", "See\nNothing else")},
		{"too many scopes", "scopes", func(a *authz.API) {
			for range 201 {
				a.Scopes = append(a.Scopes, authz.APIScope{Name: "x", Description: "x"})
			}
		}},

		{"all that there is to be told", "", func(a *authz.API) { a.Identifier, a.Claims = "urn:curious", authz.APIClaims() }},
		{"a claim of OpenID Connect that there is not", "claims", func(a *authz.API) { a.Claims = []string{"roles", "phone_number"} }},
		{"a claim in another case", "claims", func(a *authz.API) { a.Claims = []string{"Email"} }},
		{"claims of one's own", "", func(a *authz.API) {
			a.Identifier, a.Claims = "urn:own", []string{"roles", "department", "https://acme.example/team"}
		}},
		{"too many claims", "claims", func(a *authz.API) {
			for i := range 65 {
				a.Claims = append(a.Claims, fmt.Sprint("c", i))
			}
		}},
		{"a claim that means something else", "claims", func(a *authz.API) { a.Claims = []string{"sub"} }},
		{"a claim twice", "claims", func(a *authz.API) { a.Claims = []string{"email", "email"} }},

		{"a negative lifetime", "access_token_lifetime", func(a *authz.API) { a.AccessTokenLifetime = -1 }},
		{"too short a lifetime", "access_token_lifetime", func(a *authz.API) { a.AccessTokenLifetime = 9 }},
		{"too long a lifetime", "access_token_lifetime", func(a *authz.API) { a.AccessTokenLifetime = 86401 }},
		{"an owner", "", func(a *authz.API) { a.Identifier, a.OwnerClientID = "urn:owned", "acme" }},
		{"an unknown owner", "owner_client_id", func(a *authz.API) { a.OwnerClientID = "nobody" }},
		{"an owner that no database takes", "owner_client_id", func(a *authz.API) { a.OwnerClientID = "a\x00" }},
	} {
		_, err := w.Create(t.Context(), orders(c.change))
		if field(err) != c.field || (c.field == "") != (err == nil) {
			t.Errorf("%s: got %v, want an error about %q", c.name, err, c.field)
		}
	}
}

func TestAnOwnerThatIsGoneDoesNotStopOtherChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, orders())
	orphan, err := w.Get(t.Context(), ordersURI)
	if err != nil {
		t.Fatal(err)
	}
	orphan.OwnerClientID = "gone"
	if err := w.store.UpdateAPI(t.Context(), orphan); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Update(t.Context(), ordersURI, 0, *orphan); err != nil {
		t.Error(err)
	}
}

func FuzzIdentifier(f *testing.F) {
	for _, s := range []string{ordersURI, issuer, issuer + "/", "urn:x", "https://a#", "https://\x00", "%zz", "a:"} {
		f.Add(s)
	}
	w := newWorldOn(storagetest.New(f))
	f.Fuzz(func(t *testing.T, identifier string) {
		a, err := w.Create(t.Context(), orders(func(a *authz.API) { a.Identifier = identifier }))
		switch {
		case err != nil && field(err) == "" && !errors.Is(err, authz.ErrConflict):
			t.Errorf("%q is an outage: %v", identifier, err)
		case err == nil && (a.Identifier != identifier || strings.Contains(identifier, "#") || !strings.Contains(identifier, ":")):
			t.Errorf("took %q", identifier)
		}
	})
}
