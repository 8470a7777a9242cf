package gatewayapi

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

// Grants are what people give to the gateway's own clients.
type Grants interface {
	// RedeemForGateway spends a code in process and gives the id of its grant;
	// authz.ErrNotFound when the code is not good, anything else is an outage.
	RedeemForGateway(ctx context.Context, clientID, code, redirectURI string, verifier authz.Secret) (grantID string, err error)
	// EndForGateway revokes a grant. Doing so twice is fine.
	EndForGateway(ctx context.Context, clientID, grantID string) error
}

// Config names all that an API needs.
type Config struct {
	Issuer         string
	TrustedProxies []netip.Prefix // whose word about requests is believed; loopback is none by itself
	Gateway        *gateway.Service
	Grants         Grants
	// Client sees to it that the client is registered by which people sign in to an API, and
	// gives its id.
	Client func(ctx context.Context, api *authz.API) (clientID string, err error)
	Pages  *page.Set
	Now    func() time.Time
}

// API answers the checks of proxies. It is safe for concurrent use.
type API struct {
	Config
	answers *answer.Writer
}

// New makes an API.
func New(c Config) (*API, error) {
	if c.Issuer == "" || c.Gateway == nil || c.Grants == nil || c.Client == nil || c.Pages == nil || c.Now == nil {
		return nil, errors.New("the gateway's web side lacks a part")
	}
	return &API{Config: c, answers: answer.New(c.Pages, c.Now)}, nil
}

// Route is one line of the table.
type Route struct {
	Method  string // "*" takes all: proxies ask with the method of the request
	Path    string // one that ends in a slash takes everything below it
	Check   bool   // a proxy asks; otherwise a browser that is at a protected host
	Handler http.HandlerFunc
}

// Routes lists every URL of the API.
func (a *API) Routes() []Route {
	return []Route{
		{"*", nginxPath, true, a.Nginx},
		{"*", forwardAuthPath, true, a.ForwardAuth},
		{"*", envoyPath + "/", true, a.Envoy},
		{"GET", gateway.SignInPath, false, a.SignIn},
		{"GET", gateway.CallbackPath, false, a.Callback},
		{"GET", gateway.SignOutPath, false, a.SignOut},
		{"POST", gateway.SignOutPath, false, a.SignOut},
	}
}
