package adminapi

import (
	"time"

	"github.com/signet-auth/signet/authz"
)

// RegisteredAPI is an API as programs see it.
type RegisteredAPI struct {
	Identifier string `json:"identifier"`
	apiFields
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// apiFields are what can change about an API.
type apiFields struct {
	Name                string           `json:"name"`
	Scopes              []authz.APIScope `json:"scopes"`
	OwnerClientID       string           `json:"owner_client_id,omitempty"`
	BrowserSignIn       bool             `json:"browser_sign_in"`
	AccessTokenLifetime int64            `json:"access_token_lifetime,omitempty"`
	Claims              []string         `json:"claims,omitempty"`
}

// newAPIInput is what an API is made with.
type newAPIInput struct {
	Identifier string `json:"identifier"`
	apiFields
}

// APIDocument shows an API.
func APIDocument(a *authz.API) RegisteredAPI {
	return RegisteredAPI{
		Identifier: a.Identifier,
		apiFields: apiFields{
			Name: a.Name, Scopes: append([]authz.APIScope{}, a.Scopes...), OwnerClientID: a.OwnerClientID,
			BrowserSignIn: a.BrowserSignIn, AccessTokenLifetime: a.AccessTokenLifetime, Claims: a.Claims,
		},
		CreatedAt: moment(a.CreatedAt), UpdatedAt: moment(a.UpdatedAt),
	}
}

func (in apiFields) api(identifier string) authz.API {
	return authz.API{
		Identifier: identifier, Name: in.Name, Scopes: in.Scopes, OwnerClientID: in.OwnerClientID,
		BrowserSignIn: in.BrowserSignIn, AccessTokenLifetime: in.AccessTokenLifetime, Claims: in.Claims,
	}
}

func apiReadOnly() []string { return []string{"identifier", "created_at", "updated_at"} }
