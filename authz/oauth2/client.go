package oauth2

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// client is fosite's view of a client for the length of one request. It does not implement
// fosite.OpenIDConnectClient: request objects are not fosite's to read.
type client struct {
	*authz.Client
	redirectURI string // the one that was asked for and that matched
}

var (
	_ fosite.Client             = (*client)(nil)
	_ fosite.ResponseModeClient = (*client)(nil)
)

func (c *client) GetID() string                      { return c.ID }
func (c *client) GetHashedSecret() []byte            { return nil }
func (c *client) GetRedirectURIs() []string          { return []string{c.redirectURI} }
func (c *client) GetGrantTypes() fosite.Arguments    { return c.Metadata.GrantTypes }
func (c *client) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }
func (c *client) GetScopes() fosite.Arguments        { return fosite.Arguments(c.Metadata.Scope) }
func (c *client) IsPublic() bool                     { return c.Public() }
func (c *client) GetAudience() fosite.Arguments      { return nil }

func (c *client) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeQuery, fosite.ResponseModeFormPost}
}

type clientKey struct{}

// requestClient gives fosite the client that the endpoint has looked up already.
type requestClient struct{}

var _ fosite.Storage = requestClient{}

func (requestClient) GetClient(ctx context.Context, _ string) (fosite.Client, error) {
	c, ok := ctx.Value(clientKey{}).(*client)
	if !ok {
		return nil, fosite.ErrNotFound
	}
	return c, nil
}

// Assertions are consumed by assertion.go, in one statement.
func (requestClient) ClientAssertionJWTValid(context.Context, string) error { return errNotHere }

func (requestClient) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return errNotHere
}

var errNotHere = errors.New("client assertions are not checked by fosite")

// usable looks a client up: refused when it is unknown or disabled, an outage when the
// database is. What is called like a person is no client, however it came to be registered:
// the subjects of tokens are one or the other (RFC 9068 §5).
func (p *Provider) usable(ctx context.Context, id string, refusal *Error) (*authz.Client, error) {
	if isPerson(id) {
		return nil, refusal
	}
	c, err := p.Client(ctx, id)
	if err != nil {
		return nil, notFoundOr(err, refusal)
	}
	if c.Disabled() {
		return nil, refusal
	}
	return c, nil
}

// lifetime is the first that is set: seconds of a client or API, or the server's own.
func lifetime(own time.Duration, seconds ...int64) time.Duration {
	for _, s := range seconds {
		if s > 0 {
			return time.Duration(s) * time.Second
		}
	}
	return own
}
