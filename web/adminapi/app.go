package adminapi

import (
	"cmp"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz/consent"
)

// App is what may act for a person, as programs see it.
type App struct {
	ClientID   string    `json:"client_id"`
	Name       string    `json:"client_name"`
	URI        string    `json:"client_uri,omitempty"`
	FirstParty bool      `json:"first_party"`
	Scopes     []string  `json:"scopes"`
	APIs       []string  `json:"apis"`
	Since      time.Time `json:"since"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"` // absent: not since it was allowed
}

// AppDocument shows what a person has allowed to an app.
func AppDocument(a consent.App) App {
	m := a.Client.Metadata
	return App{
		ClientID: a.Client.ID, Name: m.Name, URI: m.ClientURI, FirstParty: m.FirstParty,
		Scopes: append([]string{}, a.Scopes...), APIs: append([]string{}, a.Resources...),
		Since: a.Since.UTC(), LastUsedAt: utc(a.LastUsed),
	}
}

// listApps pages in memory and by client_id: an app that is used while somebody reads stays
// where it is.
func (a *API) listApps(c *call) (*reply, error) {
	after, limit, err := c.window()
	if err != nil {
		return nil, err
	}
	all, err := a.Consents.Apps(c.ctx(), c.caller.UserID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b consent.App) int { return cmp.Compare(a.Client.ID, b.Client.ID) })
	for len(all) > 0 && all[0].Client.ID <= after {
		all = all[1:]
	}
	return ok(part(all, limit, AppDocument, func(one consent.App) string { return one.Client.ID }), 0), nil
}

// revokeApp takes back all that the person who asks has allowed to an app. Twice is fine.
func (a *API) revokeApp(c *call) (*reply, error) {
	id, err := c.segment("id")
	if err != nil {
		return nil, err
	}
	if _, err := a.Clients.Get(c.ctx(), id); err != nil {
		return nil, err
	}
	if err := a.Consents.Revoke(c.ctx(), c.caller.UserID, id); err != nil {
		return nil, err
	}
	return noContent(), nil
}
