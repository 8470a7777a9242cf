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

func TestTokenReplacedAtOnceIsRevoked(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		old, _ := w.create(w.good())
		var group sync.WaitGroup
		var replaced atomic.Int32
		for range 4 {
			group.Go(func() {
				_, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: old.ID, Overlap: 0})
				switch {
				case err == nil:
					replaced.Add(1)
				case !errors.Is(err, authz.ErrNotFound):
					t.Errorf("refused with %v", err)
				}
			})
		}
		group.Wait()
		if replaced.Load() != 1 {
			t.Errorf("%d of 4 requests at once replaced the token", replaced.Load())
		}
		if got := w.stored(old.ID); got.RevokeReason != apitoken.ReasonReplaced || got.RevokedAt.IsZero() {
			t.Errorf("the old token is %+v, want revoked", got)
		}
		all, err := w.service.List(ctx, w.alice.ID)
		if err != nil || len(all) != 2 {
			t.Errorf("%d tokens, %v; want the old and one new", len(all), err)
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
	var last *authz.APIToken
	for range apitoken.MaxLive {
		last, _ = w.create(w.good())
	}
	for range apitoken.MaxLive {
		if _, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: last.ID, Overlap: day}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.service.Rotate(ctx, w.alice.ID, apitoken.Rotation{ID: last.ID, Overlap: day}); err == nil {
		t.Error("replacing goes on for ever")
	}
	if before := w.stored(last.ID); !before.Live(w.clock.Now()) {
		t.Error("a replacement that was refused ended the old token")
	}
}
