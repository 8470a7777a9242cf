package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

// identify asks who shows a credential, and what they may do at the API today.
func (s *Service) identify(ctx context.Context, q *question, now time.Time) (who *Identity, session *authz.Session, err error) {
	switch q.credential.kind {
	case kindAPIToken:
		who, err = s.cfg.Tokens.APIToken(ctx, q.credential.value)
	case kindAccessToken:
		who, err = s.cfg.AccessTokens.AccessToken(ctx, q.credential.value)
	case kindSession:
		who, session, err = s.session(ctx, q, now)
	default:
		err = ErrRefused
	}
	if err != nil {
		return nil, nil, err
	}
	if who.Ends.Sub(now) < time.Second {
		return nil, nil, ErrRefused // nothing shorter can be written into a token
	}
	narrowed := *who
	narrowed.Scopes, err = s.narrow(ctx, q.target, who)
	return &narrowed, session, err
}

// session asks about the cookie of a browser.
func (s *Service) session(ctx context.Context, q *question, now time.Time) (*Identity, *authz.Session, error) {
	api := q.target.api.Identifier
	grantID, ok := s.OpenSession(api, q.credential.value)
	if !ok {
		return nil, nil, ErrRefused
	}
	g, session, u, err := s.cfg.Sessions.GrantWithSession(ctx, grantID, now)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return nil, nil, ErrRefused
	case err != nil:
		return nil, nil, fmt.Errorf("read session at gateway: %w", err)
	case g.ClientID != ClientID(api):
		return nil, nil, ErrRefused
	}
	return &Identity{
		User: u, ClientID: g.ClientID, Audience: g.Resources, Granted: g.Scopes,
		Ends:   slices.MinFunc([]time.Time{g.ExpiresAt, session.ExpiresAt, session.IdleExpiresAt}, time.Time.Compare),
		Origin: g.ID, Status: g.StatusIndex, SessionID: session.ID,
		AuthTime: g.AuthTime, ACR: g.ACR, AMR: g.AMR,
	}, session, nil
}

// narrow decides what a credential may do at an API at this moment.
func (s *Service) narrow(ctx context.Context, t *target, who *Identity) (authz.Scopes, error) {
	limits := authz.ScopeLimits{APIs: t.scopes}
	if who.User != nil {
		roles, err := s.cfg.Roles(ctx, who.User.Roles)
		if err != nil {
			return nil, fmt.Errorf("look up roles: %w", err)
		}
		if limits.Roles = roles; roles == nil {
			limits.Roles = []authz.Role{} // nil would stand for no person, whom no role limits
		}
	}
	return limits.Decide(who.Granted), nil
}

// still reports that nothing has changed about who shows a credential but that it may be
// good for longer.
func (w *Identity) still(now *Identity) bool {
	then := *w
	then.Ends = now.Ends
	return reflect.DeepEqual(&then, now) && !now.Ends.Before(w.Ends)
}
