package adminapi

import (
	"net/url"

	"github.com/signet-auth/signet/authz"
)

func (a *API) listAPIs(c *call) (*reply, error) {
	after, limit, err := c.window()
	if err != nil {
		return nil, err
	}
	found, err := a.APIs.List(c.ctx(), after, limit+1)
	if err != nil {
		return nil, asParameter(err)
	}
	return ok(part(found, limit, APIDocument, func(one *authz.API) string { return one.Identifier }), 0), nil
}

func (a *API) createAPI(c *call) (*reply, error) {
	var in newAPIInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	made, err := a.APIs.Create(c.ctx(), in.api(in.Identifier))
	if err != nil {
		return nil, err
	}
	return created("/api/v1/apis/"+url.PathEscape(made.Identifier), APIDocument(made), made.Version), nil
}

func (a *API) registeredAPI(c *call) (*authz.API, error) {
	identifier, err := c.segment("id")
	if err != nil {
		return nil, err
	}
	return a.APIs.Get(c.ctx(), identifier)
}

func (a *API) showAPI(c *call) (*reply, error) {
	found, err := a.registeredAPI(c)
	if err != nil {
		return nil, err
	}
	return ok(APIDocument(found), found.Version), nil
}

func (a *API) changeAPI(c *call) (*reply, error) {
	found, err := a.apiToChange(c)
	if err != nil {
		return nil, err
	}
	var in apiFields
	if err := c.change(APIDocument(found), apiReadOnly(), &in); err != nil {
		return nil, err
	}
	changed, err := a.APIs.Update(c.ctx(), found.Identifier, found.Version, in.api(found.Identifier))
	if err != nil {
		return nil, err
	}
	return ok(APIDocument(changed), changed.Version), nil
}

func (a *API) apiToChange(c *call) (*authz.API, error) {
	found, err := a.registeredAPI(c)
	if err != nil {
		return nil, err
	}
	return found, mustMatch(c.r, found.Version)
}

func (a *API) deleteAPI(c *call) (*reply, error) {
	found, err := a.apiToChange(c)
	if err != nil {
		return nil, err
	}
	if err := a.APIs.Delete(c.ctx(), found.Identifier, found.Version); err != nil {
		return nil, err
	}
	return noContent(), nil
}
