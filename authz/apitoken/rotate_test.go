package apitoken_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/storage"
)

const day = 24 * time.Hour

func TestReplacedTokenGoesOnForTheOverlap(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		n := w.good()
		n.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		old, oldToken := w.create(n)
		w.clock.Advance(10 * day)
		fresh, secret, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: old.ID, Overlap: day})
		if err != nil {
			t.Fatal(err)
		}
		got := w.stored(fresh.ID)
		if got.Name != old.Name || got.API != old.API || got.Scopes.String() != old.Scopes.String() || !slices.Equal(got.Networks, old.Networks) {
			t.Errorf("replaced by %+v, want the like of %+v", got, old)
		}
		if want := w.clock.Now().Add(30 * day); !got.ExpiresAt.Equal(want) {
			t.Errorf("the new token ends at %v, want %v", got.ExpiresAt, want)
		}
		if got.StatusIndex == old.StatusIndex || got.ID == old.ID {
			t.Error("the new token has the place or the id of the old one")
		}
		for _, token := range []string{oldToken, secret.Reveal()} {
			if _, err := w.service.Find(ctx, token); err != nil {
				t.Errorf("during the overlap: %v", err)
			}
		}
		w.clock.Advance(day)
		if _, err := w.service.Find(ctx, oldToken); !errors.Is(err, apitoken.ErrInvalid) {
			t.Errorf("after the overlap: %v, want invalid", err)
		}
		if _, err := w.service.Find(ctx, secret.Reveal()); err != nil {
			t.Error(err)
		}
		w.recordedRotation(old.ID, fresh.ID)
	})
}

func (w *world) recordedRotation(old, fresh string) {
	w.t.Helper()
	recorded := w.events.Of(authz.EventAPITokenRotated)
	if len(recorded) != 1 || recorded[0].Detail["token"] != fresh || recorded[0].Detail["replaces"] != old {
		w.t.Errorf("recorded %+v", recorded)
	}
}

func TestOverlapNeverLengthensALife(t *testing.T) {
	t.Parallel()
	w := alone(t)
	old, _ := w.create(w.good())
	w.clock.Advance(29 * day)
	if _, _, err := w.service.Rotate(context.Background(), w.alice.ID, apitoken.Rotation{ID: old.ID, Overlap: 7 * day}); err != nil {
		t.Fatal(err)
	}
	if got := w.stored(old.ID).ExpiresAt; !got.Equal(old.ExpiresAt) {
		t.Errorf("the old token ends at %v, want %v as before", got, old.ExpiresAt)
	}
}

// However often it is asked for, and by how many at once, a token has one successor.
func TestTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		for _, overlap := range []time.Duration{0, day} {
			before := w.listed()
			old, _ := w.create(w.good())
			var group sync.WaitGroup
			var replaced atomic.Int32
			for range 8 {
				group.Go(func() {
					_, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: old.ID, Overlap: overlap})
					switch {
					case err == nil:
						replaced.Add(1)
					case !errors.Is(err, apitoken.ErrReplaced):
						t.Errorf("refused with %v", err)
					}
				})
			}
			group.Wait()
			if replaced.Load() != 1 || w.listed() != before+2 {
				t.Errorf("%d of 8 requests at once replaced the token, and %d are listed", replaced.Load(), w.listed()-before)
			}
			got := w.stored(old.ID)
			if successor := w.stored(got.ReplacedBy); successor.Name != old.Name || !successor.Live(w.clock.Now()) {
				t.Errorf("replaced by %+v", successor)
			}
			if revoked := got.RevokeReason == authz.RevokedReplaced; revoked != (overlap == 0) || revoked == got.RevokedAt.IsZero() {
				t.Errorf("with an overlap of %v the old token is %+v", overlap, got)
			}
			w.clock.Advance(2 * day)
			if _, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: old.ID}); !errors.Is(err, apitoken.ErrReplaced) {
				t.Errorf("later: %v", err)
			}
		}
	})
}

// listed counts the tokens of alice, with those that have ended.
func (w *world) listed() int {
	w.t.Helper()
	all, err := w.service.List(context.Background(), w.alice.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all)
}

func TestALiveTokensNameIsTaken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		n := w.good()
		first, _ := w.create(n)
		again := func() error {
			same := n
			same.Name, same.ExpiresAt = " "+n.Name+" ", w.clock.Now().Add(30*day)
			_, token, err := w.service.Create(ctx, w.alice, same)
			if (err == nil) == (token == "") {
				t.Errorf("token %v with error %v", token, err)
			}
			return err
		}
		if err := again(); !errors.Is(err, authz.ErrConflict) {
			t.Errorf("a second of the name: %v", err)
		}
		if _, _, err := w.service.Create(ctx, w.bob, n); err != nil {
			t.Errorf("another person's name: %v", err)
		}
		fresh, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: first.ID, Overlap: day})
		if err != nil {
			t.Fatal(err)
		}
		if err := again(); !errors.Is(err, authz.ErrConflict) {
			t.Errorf("the successor has the name: %v", err)
		}
		if err := w.service.Revoke(ctx, w.alice.ID, fresh.ID); err != nil {
			t.Fatal(err)
		}
		if err := again(); err != nil {
			t.Errorf("a replaced token keeps the name: %v", err)
		}
		w.clock.Advance(30 * day)
		if err := again(); err != nil {
			t.Errorf("an expired token keeps the name: %v", err)
		}
	})
}

func TestOfRequestsAtOnceOneGetsTheName(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		n := w.good()
		var group sync.WaitGroup
		var made atomic.Int32
		for range 8 {
			group.Go(func() {
				_, _, err := w.service.Create(context.Background(), w.alice, n)
				switch {
				case err == nil:
					made.Add(1)
				case !errors.Is(err, authz.ErrConflict):
					t.Errorf("refused with %v", err)
				}
			})
		}
		group.Wait()
		if made.Load() != 1 || w.listed() != 1 {
			t.Errorf("%d of 8 requests at once made a token, and %d are listed", made.Load(), w.listed())
		}
	})
}

// interrupted lets something happen between the read of a token and what follows from it.
type interrupted struct {
	*storage.Store
	happens func()
}

func (s interrupted) APIToken(ctx context.Context, id string) (*authz.APIToken, error) {
	v, err := s.Store.APIToken(ctx, id)
	s.happens()
	return v, err
}

func TestReplacementThatComesTooLateLeavesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		for _, overlap := range []time.Duration{0, day} {
			old, _ := w.create(w.good())
			before, err := w.service.List(ctx, w.alice.ID)
			if err != nil {
				t.Fatal(err)
			}
			late := apitoken.NewService(apitoken.Config{
				Store: interrupted{w.store, func() {
					if err := w.service.Revoke(ctx, w.alice.ID, old.ID); err != nil {
						t.Error(err)
					}
				}},
				Catalog: w.apis, Status: &places{store: w.store}, Audit: &w.events, Now: w.clock.Now, Random: rand.Reader,
			})
			if _, _, err := late.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: old.ID, Overlap: overlap}); !errors.Is(err, authz.ErrNotFound) {
				t.Errorf("error %v, want not found", err)
			}
			if after, err := w.service.List(ctx, w.alice.ID); err != nil || len(after) != len(before) {
				t.Errorf("%d tokens, %v; want %d as before", len(after), err, len(before))
			}
		}
	})
}

func TestTokenThatCannotBeReplaced(t *testing.T) {
	t.Parallel()
	w := alone(t)
	ctx := context.Background()
	live, _ := w.create(w.good())
	revoked, _ := w.create(w.good())
	if err := w.service.Revoke(ctx, w.alice.ID, revoked.ID); err != nil {
		t.Fatal(err)
	}
	short := w.good()
	short.ExpiresAt = w.clock.Now().Add(time.Minute)
	expired, _ := w.create(short)
	w.clock.Advance(time.Hour)
	for _, c := range []struct {
		name, user, id string
		overlap        time.Duration
		invalid        bool
	}{
		{"somebody else's", w.bob.ID, live.ID, day, false},
		{"nobody's", "", live.ID, day, false},
		{"revoked", w.alice.ID, revoked.ID, day, false},
		{"expired", w.alice.ID, expired.ID, day, false},
		{"expired, without an overlap", w.alice.ID, expired.ID, 0, false},
		{"unknown", w.alice.ID, authz.APITokenID(make([]byte, 32)), day, false},
		{"no id", w.alice.ID, "x'; DROP", day, false},
		{"overlap below nothing", w.alice.ID, live.ID, -1, true},
		{"overlap too long", w.alice.ID, live.ID, 31 * day, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, token, err := w.service.Rotate(ctx, c.user, apitoken.Rotation{ID: c.id, Overlap: c.overlap})
			var invalid *authz.InvalidError
			if token != "" || errors.As(err, &invalid) != c.invalid || errors.Is(err, authz.ErrNotFound) == c.invalid {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestWhoHasFiftyTokensCanStillReplaceThem(t *testing.T) {
	t.Parallel()
	w := alone(t)
	ctx := context.Background()
	all := make([]*authz.APIToken, apitoken.MaxLive)
	for i := range all {
		all[i], _ = w.create(w.good())
	}
	var last *authz.APIToken
	for _, v := range all {
		var err error
		if last, _, err = w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: v.ID, Overlap: day}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: last.ID, Overlap: day}); err == nil {
		t.Error("replacing goes on for ever")
	}
	if after := w.stored(last.ID); !after.Live(w.clock.Now()) || after.ReplacedBy != "" {
		t.Errorf("a replacement that was refused left %+v", after)
	}
}
