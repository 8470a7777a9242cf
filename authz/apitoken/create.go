package apitoken

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Create makes a token for a person, and gives it in the clear, this once. What is wrong is
// an *authz.InvalidError that names the field: name, api, scopes, expires_at or networks. A
// *BeyondError when the client behind it is not registered for that, authz.ErrNotFound when
// the person or what asks in their name is gone.
func (s *Service) Create(ctx context.Context, owner *authz.User, n New) (*authz.APIToken, authz.Secret, error) {
	v, err := s.validate(ctx, owner, n)
	if err != nil {
		return nil, "", err
	}
	token, err := s.complete(ctx, v)
	if err != nil {
		return nil, "", err
	}
	room, err := s.cfg.Store.AddAPIToken(ctx, v, MaxLive)
	if err != nil {
		return nil, "", err
	}
	if !room {
		return nil, "", authz.Invalid("name", fmt.Sprintf("%d API tokens are all that one person may have: revoke one first", MaxLive))
	}
	s.record(ctx, authz.EventAPITokenCreated, v, map[string]string{"scopes": v.Scopes.String()})
	return v, token, nil
}

// complete gives a token its secret, its identifier and its place in the status lists.
func (s *Service) complete(ctx context.Context, v *authz.APIToken) (authz.Secret, error) {
	token, err := authz.NewSecret(authz.PrefixAPIToken, s.cfg.Random)
	if err != nil {
		return "", err
	}
	v.Hash = token.Hash()
	v.ID = authz.APITokenID(v.Hash)
	if v.StatusIndex, err = s.cfg.Status.Allocate(ctx, v.ExpiresAt); err != nil {
		return "", fmt.Errorf("allocate status of API token: %w", err)
	}
	return token, nil
}

const (
	// maxOverlap is how long a token that was replaced may go on working.
	maxOverlap = 30 * 24 * time.Hour
	// maxLiveReplaced leaves room to replace tokens for who has as many as they may make.
	maxLiveReplaced = 2 * MaxLive

	// ReasonReplaced is the revoke reason of a token that was replaced without an overlap.
	ReasonReplaced = "replaced"
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
// what it was. authz.ErrNotFound when the person has no such live token, ErrMaker when a
// token is to replace one that it comes from, otherwise errors as of Create.
func (s *Service) Rotate(ctx context.Context, userID string, r Rotation) (*authz.APIToken, authz.Secret, error) {
	if r.Overlap < 0 || r.Overlap > maxOverlap {
		return nil, "", authz.Invalid("overlap", "must be between 0 and 30 days")
	}
	old, err := s.find(ctx, userID, r.ID)
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

// replace adds the new token and ends the old one, both or none. The owner's row comes
// first, as it does for whoever disables or deletes them.
func (s *Service) replace(ctx context.Context, old, fresh *authz.APIToken, overlap time.Duration) error {
	store, now := s.cfg.Store, fresh.CreatedAt
	return store.InTx(ctx, func(ctx context.Context) error {
		room, err := store.AddAPIToken(ctx, fresh, maxLiveReplaced)
		if err != nil {
			return err
		}
		if !room {
			return authz.Invalid("id", "you have too many API tokens: revoke one first")
		}
		if overlap > 0 {
			return store.ShortenAPIToken(ctx, old.ID, old.UserID, now, now.Add(overlap))
		}
		n, err := store.RevokeAPIToken(ctx, old.ID, old.UserID, ReasonReplaced, now)
		if err == nil && n == 0 {
			return errNone
		}
		return err
	})
}

// find reads a live token of a person.
func (s *Service) find(ctx context.Context, userID, id string) (*authz.APIToken, error) {
	if userID == "" || !validID(id) {
		return nil, errNone
	}
	v, err := s.cfg.Store.APIToken(ctx, id)
	if err != nil {
		return nil, err
	}
	if v.UserID != userID || !v.Live(s.cfg.Now()) {
		return nil, errNone
	}
	return v, nil
}

var errNone = fmt.Errorf("find API token: %w", authz.ErrNotFound)

// record notes what happened to a token, and never the token.
func (s *Service) record(ctx context.Context, kind string, v *authz.APIToken, detail map[string]string) {
	detail["token"], detail["name"], detail["api"] = v.ID, v.Name, v.API
	if v.MadeBy != "" {
		detail["made_by"] = v.MadeBy
	}
	s.cfg.Audit.Record(ctx, authz.Event{Kind: kind, UserID: v.UserID, ClientID: authz.ClientFrom(ctx), Detail: detail})
}
