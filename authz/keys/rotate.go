package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	pollPeriod = 5 * time.Second
	// followTime is for how long after a rotation another replica may still sign with the
	// old key, and by how much their clocks may differ.
	followTime = 10 * time.Minute
)

// ErrTooYoung means that the next key has not been published for long enough: services that
// keep the key set would refuse what it signs.
var ErrTooYoung = errors.New("next key is not published for long enough")

// Run keeps the ring up to date until ctx ends: every five seconds it does what Tend does,
// and logs what fails.
func (r *Ring) Run(ctx context.Context) {
	tick := time.NewTicker(pollPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if r.Reload(ctx) != nil {
			continue // it has logged that
		}
		r.idle.Note(ctx, r.tend(ctx))
	}
}

// Tend does what is due: it reads the keys, makes missing ones, rotates those that have
// signed for long enough and deletes those whose time is over.
func (r *Ring) Tend(ctx context.Context) error {
	if err := r.Reload(ctx); err != nil {
		return err
	}
	return r.tend(ctx)
}

func (r *Ring) tend(ctx context.Context) error {
	errs := []error{r.fill(ctx)}
	for _, alg := range r.cfg.Algorithms {
		if r.due(alg) {
			errs = append(errs, r.rotate(ctx, alg, r.retire, authz.Event{Actor: "system"}))
		}
	}
	errs = append(errs, r.forget(ctx))
	return errors.Join(errs...)
}

// Rotate makes the next key sign now, for one of Algorithms or, with "", for all. When
// another replica rotates at the same moment, one rotation happens and both succeed.
//
// A next key that was not published for PublishAhead gives ErrTooYoung and nothing is
// rotated. force rotates all the same, for an emergency: until they fetch the key set again,
// services refuse the new tokens; a good verifier fetches at once when it meets an unknown
// kid, though not more often than every half a minute.
//
// The old key stays published, because what it signed is still about: see Withdraw for one
// that is stolen.
func (r *Ring) Rotate(ctx context.Context, alg string, force bool) error {
	algs, err := r.chosen(alg)
	if err != nil {
		return err
	}
	for _, alg := range algs {
		if err := r.ripe(alg); err != nil && !force {
			return fmt.Errorf("rotate %s key: %w", alg, err)
		}
	}
	for _, alg := range algs {
		detail := map[string]string{"forced": strconv.FormatBool(force)}
		if err := r.rotate(ctx, alg, r.retire, authz.Event{Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}

// chosen gives the algorithm that is named, or all.
func (r *Ring) chosen(alg string) ([]string, error) {
	switch {
	case alg == "":
		return r.cfg.Algorithms, nil
	case !slices.Contains(r.cfg.Algorithms, alg):
		return nil, fmt.Errorf("rotate key: algorithm %q has no keys here", alg)
	}
	return []string{alg}, nil
}

// due reports whether the active key has signed for long enough and the next may follow.
func (r *Ring) due(alg string) bool {
	active, ok := r.snap.Load().active[alg]
	return ok && active.age(r.cfg.Now(), active.ActivatedAt) >= r.cfg.RotateEvery && r.ripe(alg) == nil
}

// ripe is nil when the next key has been published for long enough.
func (r *Ring) ripe(alg string) error {
	next, ok := r.snap.Load().next[alg]
	if !ok {
		return ErrTooYoung
	}
	if age := next.age(r.cfg.Now(), next.CreatedAt); age < r.cfg.PublishAhead {
		return fmt.Errorf("%w: for %s, needs %s", ErrTooYoung, age.Round(time.Second), r.cfg.PublishAhead)
	}
	return nil
}

// move makes the next key sign in the place of the old one, in the database.
type move func(ctx context.Context, old, next string, fresh authz.SigningKey, now time.Time) error

// retire keeps the old key for as long as something that it signed may be about.
func (r *Ring) retire(ctx context.Context, old, next string, fresh authz.SigningKey, now time.Time) error {
	return r.cfg.Store.RotateSigningKey(ctx, old, next, fresh, now, now.Add(r.cfg.KeepRetired+followTime))
}

// rotate moves on from the keys of the snapshot. Whoever finds them moved already has been
// overtaken, and only reads what is there now.
func (r *Ring) rotate(ctx context.Context, alg string, move move, e authz.Event) error {
	s := r.snap.Load()
	old, next := s.active[alg], s.next[alg]
	if old == nil || next == nil {
		return fmt.Errorf("rotate %s key: no next key", alg)
	}
	now := r.cfg.Now()
	fresh, err := newRow(alg, authz.KeyNext, r.cfg.Master, r.cfg.Random, now)
	if err != nil {
		return fmt.Errorf("rotate %s key: %w", alg, err)
	}
	err = move(ctx, old.KID, next.KID, fresh, now)
	switch {
	case errors.Is(err, authz.ErrNotFound), errors.Is(err, authz.ErrConflict):
		return r.Reload(ctx)
	case err != nil:
		return fmt.Errorf("rotate %s key: %w", alg, err)
	}
	e.Kind = authz.EventKeyRotated
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	e.Detail["alg"], e.Detail["retired"], e.Detail["active"], e.Detail["next"] = alg, old.KID, next.KID, fresh.KID
	r.cfg.Audit.Record(ctx, e)
	return r.Reload(ctx)
}

// fill makes the active and next keys that are missing. Another replica may make them at
// the same time; the database takes one of each.
func (r *Ring) fill(ctx context.Context) error {
	s, made := r.snap.Load(), false
	for _, alg := range r.cfg.Algorithms {
		for _, missing := range []struct {
			state authz.KeyState
			there bool
		}{{authz.KeyActive, s.active[alg] != nil}, {authz.KeyNext, s.next[alg] != nil}} {
			if missing.there {
				continue
			}
			if err := r.insert(ctx, alg, missing.state); err != nil {
				return err
			}
			made = true
		}
	}
	if !made {
		return nil
	}
	return r.Reload(ctx)
}

func (r *Ring) insert(ctx context.Context, alg string, state authz.KeyState) error {
	row, err := newRow(alg, state, r.cfg.Master, r.cfg.Random, r.cfg.Now())
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	if err := r.cfg.Store.InsertSigningKey(ctx, row); err != nil && !errors.Is(err, authz.ErrConflict) {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	return nil
}

// forget deletes retired keys whose last token has expired. The database is asked only when
// there is one.
func (r *Ring) forget(ctx context.Context) error {
	now := r.cfg.Now()
	over := func(k *key) bool { return k.State == authz.KeyRetired && k.ExpiresAt.Before(now) }
	if !slices.ContainsFunc(r.snap.Load().list, over) {
		return nil
	}
	if _, err := r.cfg.Store.DeleteExpiredKeys(ctx, now); err != nil {
		return fmt.Errorf("forget keys: %w", err)
	}
	return r.Reload(ctx)
}
