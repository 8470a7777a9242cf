package adminapi

import (
	"time"

	"github.com/signet-auth/signet/authz"
)

// Client is a client as programs see it: the metadata names of RFC 7591 §2, its answer's of
// §3.2.1, and ours where those have none.
type Client struct {
	ID string `json:"client_id"`
	// Secret is there once, when it was just made.
	Secret          string `json:"client_secret,omitempty"`
	SecretExpiresAt *int64 `json:"client_secret_expires_at,omitempty"`
	IssuedAt        int64  `json:"client_id_issued_at"`
	authz.ClientMetadata
	Secrets   []ClientSecret `json:"client_secrets,omitempty"` // those that are good now; not in lists
	Disabled  bool           `json:"disabled"`
	UpdatedAt time.Time      `json:"updated_at"`
}

// ClientSecret says of a secret what may be told.
type ClientSecret struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// ClientDocument shows a client at a moment.
func ClientDocument(c *authz.Client, now time.Time) Client {
	out := Client{
		ID: c.ID, IssuedAt: c.CreatedAt.Unix(), ClientMetadata: c.Metadata,
		Disabled: c.Disabled(), UpdatedAt: moment(c.UpdatedAt),
	}
	for _, s := range c.Secrets {
		if s.Live(now) {
			out.Secrets = append(out.Secrets, ClientSecret{s.ID, moment(s.CreatedAt), moment(s.ExpiresAt)})
		}
	}
	return out
}

// WithSecret adds a secret that was just made and does not end by itself (RFC 7591 §3.2.1).
func (c Client) WithSecret(s authz.Secret) Client {
	if s != "" {
		c.Secret, c.SecretExpiresAt = s.Reveal(), new(int64)
	}
	return c
}

// clientReadOnly are the members that only the server writes.
func clientReadOnly() []string {
	return []string{"client_id", "client_id_issued_at", "client_secrets", "disabled", "updated_at"}
}

// clientInput is what a client is made or changed with. The two switches are pointers,
// because their defaults are not false.
type clientInput struct {
	authz.ClientMetadata
	RequirePKCE         *bool `json:"require_pkce"`
	RotateRefreshTokens *bool `json:"rotate_refresh_tokens"`
}

// newClientInput may choose an id as well.
type newClientInput struct {
	ID string `json:"client_id"`
	clientInput
}

// metadata gives the metadata of a whole document: what is left out has its default.
func (in clientInput) metadata() authz.ClientMetadata {
	m := in.ClientMetadata
	m.RequirePKCE = in.RequirePKCE == nil || *in.RequirePKCE
	m.RotateRefreshTokens = m.AuthMethod == authz.AuthNone || m.AuthMethod == "" && m.Type == authz.ClientNative
	if in.RotateRefreshTokens != nil {
		m.RotateRefreshTokens = *in.RotateRefreshTokens
	}
	return m
}

// moment is a time as it is stored: what was just made reads as it will be read later.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
