package directory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// The audit log says which claims are others now, and not what they say.
func TestClaimsAreSetChangedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(t, directory.New{Username: "alice", Claims: authz.UserClaims{"department": "sales", "desk": json.Number("7")}})
	want := func(step string, got *authz.User, err error, claims authz.UserClaims, recorded string) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got.Claims, claims) {
			t.Errorf("%s: %v, %v", step, got, err)
		}
		kept, err := w.Get(t.Context(), u.ID)
		if err != nil || len(kept.Claims)+len(claims) > 0 && !reflect.DeepEqual(kept.Claims, claims) {
			t.Errorf("%s: kept %v, %v", step, kept, err)
		}
		if e := w.events.Last(); e.Detail["claims"] != recorded || e.UserID != u.ID {
			t.Errorf("%s: recorded %v", step, e)
		}
	}
	want("created", u, nil, authz.UserClaims{"department": "sales", "desk": json.Number("7")}, "department desk")
	set, err := w.SetClaims(t.Context(), u.ID, authz.UserClaims{"department": "law", "teams": []string{"a"}})
	want("set", set, err, authz.UserClaims{"department": "law", "desk": json.Number("7"), "teams": []string{"a"}}, "department teams")
	gone, err := w.RemoveClaim(t.Context(), u.ID, "desk")
	want("removed", gone, err, authz.UserClaims{"department": "law", "teams": []string{"a"}}, "desk")
	gone, err = w.RemoveClaim(t.Context(), u.ID, "desk")
	want("removed twice", gone, err, authz.UserClaims{"department": "law", "teams": []string{"a"}}, "")
	same, err := w.Update(t.Context(), u.ID, 0, directory.Change{Email: new("alice@example.com")})
	want("something else", same, err, authz.UserClaims{"department": "law", "teams": []string{"a"}}, "")
	none, err := w.Update(t.Context(), u.ID, 0, directory.Change{Claims: &authz.UserClaims{}})
	want("replaced by none", none, err, authz.UserClaims{}, "department teams")
}

func TestClaimsThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := authz.UserClaims{"sub": "usr_root"}
	if _, err := w.Create(t.Context(), directory.New{Username: "bob", Claims: bad}); field(err) != "claims" {
		t.Errorf("created: %v", err)
	}
	u := w.create(t, directory.New{Username: "alice"})
	if _, err := w.SetClaims(t.Context(), u.ID, bad); field(err) != "claims" {
		t.Errorf("set: %v", err)
	}
	if _, err := w.Update(t.Context(), u.ID, 0, directory.Change{Claims: &bad}); field(err) != "claims" {
		t.Errorf("replaced: %v", err)
	}
	if _, err := w.SetClaims(t.Context(), "usr_nobody", authz.UserClaims{"a": "b"}); !errors.Is(err, authz.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if kept, err := w.Get(t.Context(), u.ID); err != nil || len(kept.Claims) != 0 || kept.Version != 1 {
		t.Errorf("a refused claim was written: %+v, %v", kept, err)
	}
}

// A name may get a meaning in a later version: whoever has such a claim can be changed all the
// same, and no other is set under it.
func TestAClaimThatWasGoodBeforeIsInNobodysWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(t, directory.New{Username: "alice"})
	u.Claims = authz.UserClaims{"sub": "old", "department": "law"}
	if err := w.store.UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Update(t.Context(), u.ID, 0, directory.Change{Email: new("alice@example.com")}); err != nil {
		t.Errorf("another address: %v", err)
	}
	if _, err := w.SetClaims(t.Context(), u.ID, authz.UserClaims{"department": "sales"}); err != nil {
		t.Errorf("another claim: %v", err)
	}
	if _, err := w.SetClaims(t.Context(), u.ID, authz.UserClaims{"sub": "new"}); field(err) != "claims" {
		t.Errorf("that claim: %v", err)
	}
	if _, err := w.RemoveClaim(t.Context(), u.ID, "sub"); err != nil {
		t.Errorf("without it: %v", err)
	}
}

// Who sets one claim takes none away that another has set meanwhile.
func TestClaimsThatAreSetAtOnceAreAllKept(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		one, two := newWorldOn(open()), newWorldOn(open())
		u := one.create(t, directory.New{Username: "alice"})
		var all sync.WaitGroup
		for i, w := range []*world{one, two, one, two} {
			all.Go(func() {
				if _, err := w.SetClaims(t.Context(), u.ID, authz.UserClaims{fmt.Sprint("c", i): true}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if kept, err := one.Get(t.Context(), u.ID); err != nil || len(kept.Claims) != 4 {
			t.Errorf("%v, %v", kept.Claims, err)
		}
	})
}
