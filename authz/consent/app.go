package consent

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

// App is a client that may do something on a person's behalf.
type App struct {
	Client    *authz.Client // ID and Metadata
	Scopes    authz.Scopes  // what it may do
	Resources []string      // at which APIs
	Since     time.Time
	LastUsed  time.Time // zero: no grant of it lives that was ever used
}

// Apps lists the clients that a person has allowed something, the one used last first: those
// they consented to, and those that have a grant without having had to ask.
func (s *Service) Apps(ctx context.Context, userID string) ([]App, error) {
	consents, err := s.cfg.Store.Consents(ctx, userID)
	if err != nil {
		return nil, err
	}
	grants, err := s.cfg.Store.GrantsOfUser(ctx, userID, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	found := make(map[string]*App)
	for _, c := range consents {
		if len(c.Scopes) > 0 {
			found[c.ClientID] = &App{Scopes: c.Scopes, Resources: c.Resources, Since: c.CreatedAt}
		}
	}
	for _, g := range grants {
		if found[g.ClientID] == nil {
			found[g.ClientID] = &App{Since: g.CreatedAt}
		}
		found[g.ClientID].add(g)
	}
	return s.named(ctx, found)
}

// add counts a grant in.
func (a *App) add(g *authz.Grant) {
	a.Scopes = a.Scopes.With(g.Scopes)
	a.Resources = authz.Scopes(a.Resources).With(g.Resources)
	if g.CreatedAt.Before(a.Since) {
		a.Since = g.CreatedAt
	}
	if g.LastUsedAt.After(a.LastUsed) {
		a.LastUsed = g.LastUsedAt
	}
}

// named adds who each app is. One that was deleted meanwhile has nothing any more.
func (s *Service) named(ctx context.Context, found map[string]*App) ([]App, error) {
	apps := make([]App, 0, len(found))
	for id, app := range found {
		client, err := s.cfg.Clients.Get(ctx, id)
		switch {
		case errors.Is(err, authz.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		}
		app.Client = client
		apps = append(apps, *app)
	}
	slices.SortFunc(apps, func(a, b App) int {
		return cmp.Or(b.LastUsed.Compare(a.LastUsed), b.Since.Compare(a.Since), cmp.Compare(a.Client.ID, b.Client.ID))
	})
	return apps, nil
}
