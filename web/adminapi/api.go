package adminapi

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/authz/registration"
)

// Tokens verifies access tokens and API tokens in full, revocation included. The error is
// oauth2.ErrInvalidToken, apitoken.ErrAddress, or an outage.
type Tokens interface {
	AccessToken(ctx context.Context, token string) (*oauth2.TokenInfo, error)
}

// Deps names all that an API needs.
type Deps struct {
	Issuer  string // must be in the audience of a token
	Tokens  Tokens
	Clients *registration.Service
	People  *directory.Service
	APIs    *catalog.Service

	APITokens   *apitoken.Service
	Consents    *consent.Service
	LeakReports Limiter // by address

	Now func() time.Time
}

// API answers what Routes lists. It is safe for concurrent use.
type API struct{ Deps }

// New makes an API.
func New(d Deps) *API { return &API{d} }
