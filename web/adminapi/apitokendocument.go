package adminapi

import (
	"time"

	"github.com/signet-auth/signet/authz"
)

// APIToken is an API token as programs see it.
type APIToken struct {
	ID string `json:"id"`
	// Token is there once, when it was just made.
	Token           string      `json:"token,omitempty"`
	UserID          string      `json:"user_id"`
	Name            string      `json:"name"`
	API             string      `json:"api"`
	Scopes          []string    `json:"scopes"`
	Networks        []string    `json:"networks,omitempty"` // where it may come from; none: anywhere
	Status          TokenStatus `json:"status"`
	CreatedAt       time.Time   `json:"created_at"`
	ExpiresAt       time.Time   `json:"expires_at"`
	RevokedAt       time.Time   `json:"revoked_at,omitzero"`
	LastUsedAt      time.Time   `json:"last_used_at,omitzero"` // to the minute; absent: never
	LastUsedAddress string      `json:"last_used_address,omitempty"`
	LastUsedAgent   string      `json:"last_used_agent,omitempty"`
}

// TokenStatus says whether an API token works, and why it does not.
type TokenStatus string

// The states of an API token.
const (
	TokenActive  TokenStatus = "active"
	TokenExpired TokenStatus = "expired"
	TokenRevoked TokenStatus = "revoked"
	TokenLeaked  TokenStatus = "leaked" // revoked because somebody found it in the open
)

// APITokenDocument shows a token at a moment.
func APITokenDocument(t *authz.APIToken, now time.Time) APIToken {
	out := APIToken{
		ID: t.ID, UserID: t.UserID, Name: t.Name, API: t.API, Scopes: append([]string{}, t.Scopes...),
		Status: statusOf(t, now), CreatedAt: t.CreatedAt.UTC(), ExpiresAt: t.ExpiresAt.UTC(), RevokedAt: utc(t.RevokedAt),
		LastUsedAt: utc(t.LastUsedAt), LastUsedAddress: t.LastAddress, LastUsedAgent: t.LastAgent,
	}
	for _, n := range t.Networks {
		out.Networks = append(out.Networks, n.String())
	}
	return out
}

func statusOf(t *authz.APIToken, now time.Time) TokenStatus {
	switch {
	case t.RevokeReason == authz.RevokedLeaked:
		return TokenLeaked
	case !t.RevokedAt.IsZero():
		return TokenRevoked
	case !t.Live(now):
		return TokenExpired
	}
	return TokenActive
}

// utc keeps the zero time, which stands for never.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// WithToken adds a token that was just made.
func (t APIToken) WithToken(s authz.Secret) APIToken {
	t.Token = s.Reveal()
	return t
}

// newTokenInput is what a token is made with.
type newTokenInput struct {
	Name      string   `json:"name"`
	API       string   `json:"api"`
	Scopes    []string `json:"scopes"`
	ExpiresAt string   `json:"expires_at"`
	Networks  []string `json:"networks"`
}
