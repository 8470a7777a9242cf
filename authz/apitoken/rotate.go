package apitoken

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	// maxOverlap is how long a token that was replaced may go on working.
	maxOverlap = 30 * 24 * time.Hour
	// maxLiveReplaced leaves room to replace tokens for who has as many as they may make.
	maxLiveReplaced = 2 * MaxLive
)

// Rotation asks to replace a token.
type Rotation struct {
	ID      string        // of the token
	By      string        // what asks, as in New.MadeBy; a token may replace itself
	Overlap time.Duration // how long the old token goes on working; 0: it ends at once
}

// Rotate replaces a live token of a person by a new one with the same name, API, scopes and
// networks, which lives as long from now on as the old one was made for. The old one ends
// with the overlap, if not before, and what it made ends with it. The new one is made by
// what asks and bound by it as in Create, but a token that replaces itself stays made by
// what it was. authz.ErrNotFound when the person has no such live token, ErrReplaced when it
// was replaced before, ErrMaker when a token is to replace one that it comes from, otherwise
// errors as of Create.
func (s *Service) Rotate(ctx context.Context, userID string, r Rotation) (*authz.APIToken, authz.Secret, error) {
	if r.Overlap < 0 || r.Overlap > maxOverlap {
		return nil, "", authz.Invalid("overlap", "must be between 0 and 30 days")
	}
	old, err := s.replaceable(ctx, userID, r.ID)
	if err != nil {
		return nil, "", err
	}
	v, err := s.successor(ctx, old, r.By)
	if err != nil {
		return nil, "", err
	}
	token, err := s.complete(ctx, v)
	if err != nil {
		return nil, "", err
	}
	if err := s.replace(ctx, old, v, r.Overlap); err != nil {
		return nil, "", err
	}
	s.record(ctx, authz.EventAPITokenRotated, v, map[string]string{"replaces": old.ID})
	return v, token, nil
}

// successor gives the token that is to replace another, without its secret.
func (s *Service) successor(ctx context.Context, old *authz.APIToken, by string) (*authz.APIToken, error) {
	if by == old.ID {
		by = old.MadeBy
	}
	m, err := s.maker(ctx, old.UserID, by)
	if err != nil {
		return nil, err
	}
	if slices.Contains(m.chain, old.ID) {
		return nil, ErrMaker
	}
	if err := s.beyond(m, old.API, ""); err != nil {
		return nil, err
	}
	allowed := authz.ScopeLimits{Client: s.scopes(m, old.API)}.Decide(old.Scopes)
	if more := old.Scopes.Without(allowed); len(more) > 0 {
		return nil, s.beyond(m, old.API, more[0])
	}
	now := s.cfg.Now().UTC()
	v := &authz.APIToken{
		UserID: old.UserID, MadeBy: by, Name: old.Name, API: old.API, Scopes: old.Scopes,
		CreatedAt: now, ExpiresAt: now.Add(min(old.ExpiresAt.Sub(old.CreatedAt), s.cfg.MaxLifetime)),
	}
	if !m.ends.IsZero() && m.ends.Before(v.ExpiresAt) {
		v.ExpiresAt = m.ends
	}
	v.Networks, err = m.limit(old.Networks)
	return v, err
}

// replace ends the old token and adds the new one, both or none. The old one comes first: it
// holds the name no more, and nothing is made by what ends with it.
func (s *Service) replace(ctx context.Context, old, fresh *authz.APIToken, overlap time.Duration) error {
	store, now := s.cfg.Store, fresh.CreatedAt
	err := store.InTx(ctx, func(ctx context.Context) error {
		if err := store.ReplaceAPIToken(ctx, old.ID, old.UserID, fresh.ID, now); err != nil {
			return err
		}
		if err := s.endReplaced(ctx, old, now, overlap); err != nil {
			return err
		}
		room, err := store.AddAPIToken(ctx, fresh, maxLiveReplaced)
		if err == nil && !room {
			return authz.Invalid("id", "you have too many API tokens: revoke one first")
		}
		return err
	})
	if errors.Is(err, authz.ErrNotFound) { // somebody was faster
		_, err = s.replaceable(ctx, old.UserID, old.ID)
		return cmp.Or(err, errNone)
	}
	return err
}

func (s *Service) endReplaced(ctx context.Context, old *authz.APIToken, now time.Time, overlap time.Duration) error {
	if overlap > 0 {
		return s.cfg.Store.ShortenAPIToken(ctx, old.ID, old.UserID, now, now.Add(overlap))
	}
	_, err := s.cfg.Store.RevokeAPIToken(ctx, old.ID, old.UserID, authz.RevokedReplaced, now)
	return err
}

// replaceable reads a live token of a person that was not replaced yet.
func (s *Service) replaceable(ctx context.Context, userID, id string) (*authz.APIToken, error) {
	v, err := s.own(ctx, userID, id)
	switch {
	case err != nil:
		return nil, err
	case v.ReplacedBy != "":
		return nil, ErrReplaced
	case !v.Live(s.cfg.Now()):
		return nil, errNone
	}
	return v, nil
}
