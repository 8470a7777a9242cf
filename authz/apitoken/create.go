package apitoken

import (
	"context"
	"fmt"

	"github.com/signet-auth/signet/authz"
)

// Create makes a token for a person, and gives it in the clear, this once. What is wrong with
// what was asked for is an *InvalidError, too many tokens an *authz.InvalidError. A
// *BeyondError when the client behind it is not registered for that, authz.ErrConflict when
// the person has a live token with the name, authz.ErrNotFound when they or what asks in
// their name is gone.
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

// find reads a live token of a person.
func (s *Service) find(ctx context.Context, userID, id string) (*authz.APIToken, error) {
	v, err := s.own(ctx, userID, id)
	if err == nil && !v.Live(s.cfg.Now()) {
		return nil, errNone
	}
	return v, err
}

// own reads a token of a person, whatever its state.
func (s *Service) own(ctx context.Context, userID, id string) (*authz.APIToken, error) {
	if userID == "" || !validID(id) {
		return nil, errNone
	}
	v, err := s.cfg.Store.APIToken(ctx, id)
	if err != nil {
		return nil, err
	}
	if v.UserID != userID {
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
