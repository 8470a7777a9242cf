package authz

import "time"

// API is a registered resource server. Its identifier is the audience of its tokens
// (RFC 8707 §2), and it lists its scopes with the sentence a person reads.
type API struct {
	Identifier          string
	Name                string
	Scopes              []APIScope
	OwnerClientID       string // the client that may introspect tokens for this API; may be empty
	BrowserSignIn       bool
	AccessTokenLifetime int64 // seconds; 0: the client's or the server's
	// Claims are what its tokens say about a person beside who they are: of APIClaims, and
	// names of UserClaims.
	Claims    []string
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64
}

// APIScope is one thing an API lets others do.
type APIScope struct {
	Name        string `json:"name"`
	Description string `json:"description"` // the sentence on the consent page
}

// ScopeNames lists the names of the API's scopes.
func (a *API) ScopeNames() Scopes {
	out := make(Scopes, len(a.Scopes))
	for i, s := range a.Scopes {
		out[i] = s.Name
	}
	return out
}

// APIClaims are what an API may be told about every person.
func APIClaims() []string {
	return []string{"roles", "preferred_username", "name", "email", "email_verified"}
}

// The scopes of the server's own REST API, whose identifier is the issuer.
const (
	ScopeAccount      = "signet:account"
	ScopeAdmin        = "signet:admin"
	ScopeClientsRead  = "signet:clients:read"
	ScopeClientsWrite = "signet:clients:write"
	ScopeAPIsRead     = "signet:apis:read"
	ScopeAPIsWrite    = "signet:apis:write"
	ScopeUsersRead    = "signet:users:read"
	ScopeUsersWrite   = "signet:users:write"
	ScopeTokensRead   = "signet:tokens:read"
	ScopeTokensWrite  = "signet:tokens:write"
	ScopeAuditRead    = "signet:audit:read"
)

// ServerAPI is the API that the server itself is: its identifier is the issuer.
func ServerAPI(issuer string) API {
	return API{Identifier: issuer, Name: "Signet", Scopes: []APIScope{
		{ScopeAccount, "See and change your own account: apps, sessions and API tokens"},
		{ScopeAdmin, "Run this server: everything an administrator can do"},
		{ScopeClientsRead, "See registered apps"},
		{ScopeClientsWrite, "Register, change and remove apps"},
		{ScopeAPIsRead, "See registered APIs"},
		{ScopeAPIsWrite, "Register, change and remove APIs"},
		{ScopeUsersRead, "See the accounts of people"},
		{ScopeUsersWrite, "Create, change and remove the accounts of people"},
		{ScopeTokensRead, "See everybody's API tokens"},
		{ScopeTokensWrite, "Revoke everybody's API tokens"},
		{ScopeAuditRead, "Read the audit log"},
	}}
}

// ServerScopes are the scopes of the server's own REST API.
func ServerScopes() Scopes {
	api := ServerAPI("")
	return api.ScopeNames()
}
