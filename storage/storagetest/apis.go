package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testAPIs(ctx context.Context, t *testing.T, s store) {
	orders := &authz.API{
		Identifier: "https://orders.example", Name: "Orders", OwnerClientID: "app", BrowserSignIn: true,
		Scopes: []authz.APIScope{{Name: "orders:read", Description: "See your orders"}}, Claims: []string{"email"},
		AccessTokenLifetime: 300, CreatedAt: noon(), UpdatedAt: noon(), Version: 1,
	}
	plain := &authz.API{Identifier: "https://a.example", CreatedAt: noon(), UpdatedAt: noon(), Version: 1}
	must(t, s.InsertAPI(ctx, orders))
	must(t, s.InsertAPI(ctx, plain))
	refused(t, "insert taken identifier", s.InsertAPI(ctx, plain), authz.ErrConflict)

	defer s.bystander(ctx, t, "apis", plain.Identifier)()
	got, err := s.API(ctx, orders.Identifier)
	must(t, err)
	same(t, "api", got, orders)
	_, err = s.API(ctx, "https://none.example")
	refused(t, "read missing", err, authz.ErrNotFound)

	page, err := s.APIs(ctx, "", 1)
	must(t, err)
	same(t, "first page", page, []*authz.API{plain})
	page, err = s.APIs(ctx, plain.Identifier, 10)
	must(t, err)
	same(t, "next page", page, []*authz.API{orders})

	stale := *got
	got.Name, got.Scopes, got.Claims, got.BrowserSignIn = "Sales", nil, nil, false
	got.OwnerClientID, got.AccessTokenLifetime, got.UpdatedAt = "other", 60, noon().Add(time.Second)
	must(t, s.UpdateAPI(ctx, got))
	if got.Version != 2 {
		t.Errorf("the update left version %d", got.Version)
	}
	again, err := s.API(ctx, got.Identifier)
	must(t, err)
	same(t, "updated api", again, got)
	refused(t, "update a stale one", s.UpdateAPI(ctx, &stale), authz.ErrStale)
	stale.Identifier = "https://none.example"
	refused(t, "update missing", s.UpdateAPI(ctx, &stale), authz.ErrNotFound)

	testDisownAPIs(ctx, t, s)
	refused(t, "delete a stale one", s.DeleteAPI(ctx, orders.Identifier, 2), authz.ErrStale)
	must(t, s.DeleteAPI(ctx, orders.Identifier, 3))
	refused(t, "delete twice", s.DeleteAPI(ctx, orders.Identifier, 3), authz.ErrNotFound)
	refused(t, "delete any version twice", s.DeleteAPI(ctx, orders.Identifier, 0), authz.ErrNotFound)
}

// testDisownAPIs finds one API that "other" owns, at version 2, and one without an owner.
func testDisownAPIs(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	n, err := s.DisownAPIs(ctx, "other", noon().Add(time.Minute))
	must(t, err)
	same(t, "disowned", n, int64(1))
	got, err := s.API(ctx, "https://orders.example")
	must(t, err)
	if got.OwnerClientID != "" || got.Version != 3 || !got.UpdatedAt.Equal(noon().Add(time.Minute)) {
		t.Errorf("disowned API: %+v", got)
	}
}
