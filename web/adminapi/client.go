package adminapi

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
)

func (a *API) listClients(c *call) (*reply, error) {
	after, limit, err := c.window()
	if err != nil {
		return nil, err
	}
	found, err := a.Clients.List(c.ctx(), after, limit+1)
	if err != nil {
		return nil, asParameter(err)
	}
	return ok(part(found, limit, a.clientDocument, func(one *authz.Client) string { return one.ID }), 0), nil
}

func (a *API) clientDocument(c *authz.Client) Client { return ClientDocument(c, a.Now()) }

// createClient is RFC 7591 §3.1 for administrators: they may choose the id, and the secret
// does not end by itself.
func (a *API) createClient(c *call) (*reply, error) {
	var in newClientInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	m := in.metadata()
	if err := c.mayHave(m, a.implied(m)); err != nil {
		return nil, err
	}
	made, secret, err := a.Clients.Create(c.ctx(), registration.New{
		ID: in.ID, Metadata: m, WaivePKCE: !m.RequirePKCE,
	})
	if errors.Is(err, authz.ErrConflict) {
		return nil, conflict("The client_id is taken, or of a client that was deleted and is still being removed, which takes minutes: choose another.")
	}
	if err != nil {
		return nil, err
	}
	return created(clientPath(made.ID), a.clientDocument(made).WithSecret(secret), made.Version), nil
}

// implied gives the scopes that a client would have: those it names, and those of the
// server itself when it names this API and none of them, which stands for all.
func (a *API) implied(m authz.ClientMetadata) authz.Scopes {
	own := authz.ServerScopes()
	if slices.Contains(m.APIs, a.Issuer) && len(m.Scope.Within(own)) == 0 {
		return reach(m).With(own)
	}
	return reach(m)
}

// reach gives the scopes that a client has, and those that it can swap its tokens for.
func reach(m authz.ClientMetadata) authz.Scopes {
	out := m.Scope
	for _, rule := range m.TokenExchange {
		out = out.With(rule.Scopes)
	}
	return out
}

// mayHave says whether the caller may make or change a client with this metadata, which
// would have these scopes. One that needs nobody's consent gets what everybody could allow,
// and sends it where its redirect URIs say.
func (c *call) mayHave(m authz.ClientMetadata, scopes authz.Scopes) error {
	if m.FirstParty && !c.caller.Scopes.Has(authz.ScopeAdmin) {
		return challenge(http.StatusForbidden, "insufficient_scope",
			"A client with first_party needs nobody's consent: it takes the scope "+authz.ScopeAdmin+".", authz.ScopeAdmin)
	}
	return c.mayTouch(scopes)
}

func clientPath(id string) string { return "/api/v1/clients/" + url.PathEscape(id) }

func (a *API) client(c *call) (*authz.Client, error) {
	id, err := c.segment("id")
	if err != nil {
		return nil, err
	}
	return a.Clients.Get(c.ctx(), id)
}

func (a *API) showClient(c *call) (*reply, error) {
	found, err := a.client(c)
	if err != nil {
		return nil, err
	}
	return ok(a.clientDocument(found), found.Version), nil
}

func (a *API) changeClient(c *call) (*reply, error) {
	found, err := a.clientToChange(c)
	if err != nil {
		return nil, err
	}
	var in clientInput
	if err := c.change(a.clientDocument(found), clientReadOnly(), &in); err != nil {
		return nil, err
	}
	m := in.metadata()
	if err := c.mayHave(m, a.implied(m)); err != nil {
		return nil, err
	}
	changed, err := a.Clients.Update(c.ctx(), found.ID, found.Version, m)
	if err != nil {
		return nil, err
	}
	return ok(a.clientDocument(changed), changed.Version), nil
}

// clientToChange finds a client that the caller has seen as it is and may change.
func (a *API) clientToChange(c *call) (*authz.Client, error) {
	found, err := a.client(c)
	if err != nil {
		return nil, err
	}
	if err := mustMatch(c.r, found.Version); err != nil {
		return nil, err
	}
	return found, c.mayHave(found.Metadata, reach(found.Metadata))
}

func (a *API) deleteClient(c *call) (*reply, error) {
	found, err := a.clientToChange(c)
	if err != nil {
		return nil, err
	}
	if err := a.Clients.Delete(c.ctx(), found.ID, found.Version); err != nil {
		return nil, err
	}
	return noContent(), nil
}

type rotation struct {
	OverlapSeconds int64 `json:"overlap_seconds"`
}

// rotateSecret gives a client a new secret. It needs no If-Match: two rotations are two
// secrets, and neither undoes the other.
func (a *API) rotateSecret(c *call) (*reply, error) {
	found, err := a.client(c)
	if err != nil {
		return nil, err
	}
	if err := c.mayHave(found.Metadata, reach(found.Metadata)); err != nil {
		return nil, err
	}
	var in rotation
	if err := c.readIfAny(&in); err != nil {
		return nil, err
	}
	const most = int64(10 * 365 * 24 * time.Hour / time.Second) // more would not fit a time.Duration one day
	if in.OverlapSeconds < 0 || in.OverlapSeconds > most {
		return nil, authz.Invalid("overlap_seconds", "must be between 0 and 90 days")
	}
	secret, err := a.Clients.RotateSecret(c.ctx(), found.ID, time.Duration(in.OverlapSeconds)*time.Second)
	if err != nil {
		return nil, renamed(err, "overlap", "overlap_seconds")
	}
	if found, err = a.Clients.Get(c.ctx(), found.ID); err != nil {
		return nil, err
	}
	return created("", a.clientDocument(found).WithSecret(secret), found.Version), nil
}

func (a *API) disableClient(c *call) (*reply, error) { return a.switchClient(c, true) }
func (a *API) enableClient(c *call) (*reply, error)  { return a.switchClient(c, false) }

func (a *API) switchClient(c *call, disabled bool) (*reply, error) {
	found, err := a.client(c)
	if err != nil {
		return nil, err
	}
	if err := c.mayHave(found.Metadata, reach(found.Metadata)); err != nil {
		return nil, err
	}
	if err := a.Clients.SetDisabled(c.ctx(), found.ID, disabled); err != nil {
		return nil, err
	}
	return a.showClient(c)
}
