package authz

import (
	"encoding/json"
	"slices"
	"time"
)

// Client is a registered OAuth client (RFC 6749 §2). What the protocol reads of it is
// its Metadata; what the database needs for itself stands beside it.
type Client struct {
	ID         string
	Metadata   ClientMetadata
	Secrets    []ClientSecret
	DisabledAt time.Time // zero: in use
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Version    int64 // raised by every change; the ETag of the REST API

	StatusIndex int64 // its place in the status lists; 0: none yet
}

// Disabled reports whether an administrator has switched the client off.
func (c *Client) Disabled() bool { return !c.DisabledAt.IsZero() }

// DisplayName is what pages call the app.
func (c *Client) DisplayName() string {
	if c.Metadata.Name != "" {
		return c.Metadata.Name
	}
	return c.ID
}

// Public reports whether the client has no credential of its own (RFC 6749 §2.1).
func (c *Client) Public() bool { return c.Metadata.AuthMethod == AuthNone }

// Allows reports whether the client is registered for a grant type.
func (c *Client) Allows(grantType string) bool {
	return slices.Contains(c.Metadata.GrantTypes, grantType)
}

// MayAsk reports whether the client may have tokens for an API of a server: for the server's
// own always.
func (c *Client) MayAsk(issuer, api string) bool {
	return api == issuer || slices.Contains(c.Metadata.APIs, api)
}

// ClientMetadata carries the names of RFC 7591 §2 and OpenID Connect Registration §2,
// and ours where those have none. Lifetimes are in seconds; 0 means the server's own.
type ClientMetadata struct {
	Name                   string          `json:"client_name"`
	Type                   string          `json:"application_type"`
	RedirectURIs           []string        `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string        `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes             []string        `json:"grant_types"`
	ResponseTypes          []string        `json:"response_types,omitempty"`
	AuthMethod             string          `json:"token_endpoint_auth_method"`
	AuthAlg                string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	JWKS                   json.RawMessage `json:"jwks,omitempty"`
	Scope                  Scopes          `json:"scope,omitempty"`
	DefaultScope           Scopes          `json:"default_scope,omitempty"`
	APIs                   []string        `json:"apis,omitempty"`
	DefaultAPI             string          `json:"default_api,omitempty"`
	IDTokenAlg             string          `json:"id_token_signed_response_alg,omitempty"`
	RequirePKCE            bool            `json:"require_pkce"`
	ClaimsInIDToken        bool            `json:"claims_in_id_token,omitempty"`
	RotateRefreshTokens    bool            `json:"rotate_refresh_tokens"`
	FirstParty             bool            `json:"first_party,omitempty"`
	TokenExchange          []ExchangeRule  `json:"token_exchange,omitempty"`
	AccessTokenLifetime    int64           `json:"access_token_lifetime,omitempty"`
	IDTokenLifetime        int64           `json:"id_token_lifetime,omitempty"`
	RefreshIdleLifetime    int64           `json:"refresh_token_idle_lifetime,omitempty"`
	RefreshLifetime        int64           `json:"refresh_token_lifetime,omitempty"`
	ClientURI              string          `json:"client_uri,omitempty"`
	PolicyURI              string          `json:"policy_uri,omitempty"`
	TermsURI               string          `json:"tos_uri,omitempty"`
	Contacts               []string        `json:"contacts,omitempty"`
}

// MinTokenLifetime is the shortest that access tokens and ID tokens may live: a shorter one
// would end on its way.
const MinTokenLifetime = 10 * time.Second

// ExchangeRule lets a client swap a token for API From for one for API To with at most
// these scopes (RFC 8693).
type ExchangeRule struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Scopes Scopes `json:"scopes"`
}

// Kinds of client.
const (
	ClientWeb     = "web"     // runs on a server, keeps a secret
	ClientNative  = "native"  // runs on a person's device, keeps none
	ClientService = "service" // acts for itself, no person involved
)

// ClientTypes are all kinds of client.
func ClientTypes() []string { return []string{ClientWeb, ClientNative, ClientService} }

// Client authentication methods (RFC 7591 §2, OpenID Connect Core §9).
const (
	AuthNone          = "none"
	AuthSecretBasic   = "client_secret_basic"
	AuthSecretPost    = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt"
)

// AuthMethods are all ways to authenticate.
func AuthMethods() []string {
	return []string{AuthNone, AuthSecretBasic, AuthSecretPost, AuthPrivateKeyJWT}
}

// Grant types (RFC 6749 §1.3).
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantTokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// GrantTypes are all that a client may be registered for.
func GrantTypes() []string {
	return []string{GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials, GrantTokenExchange}
}

// ClientSecret is what is kept of one secret of a client. Several may be live at once,
// so that a deployment can change its secret without a gap.
type ClientSecret struct {
	ID        string
	Hash      []byte
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Live reports whether the secret may still be used.
func (s ClientSecret) Live(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// Removal is what went with a client that was deleted.
type Removal struct {
	Grants    int64
	APITokens int64 // that the client had made, and that were revoked
	Rows      int64 // that were deleted, the grants among them
	Finished  bool  // nothing is left of it; else the rest goes by itself, within minutes
}
