package adminapi

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
)

// APIToken is an API token as programs see it.
type APIToken struct {
	ID string `json:"id"`
	// Token is there once, when it was just made.
	Token           string      `json:"token,omitempty"`
	UserID          string      `json:"user_id"`
	MadeBy          string      `json:"made_by,omitempty"` // a client, or an API token; absent: the person on their pages
	Name            string      `json:"name"`
	API             string      `json:"api"`
	Scopes          []string    `json:"scopes"`
	Networks        []string    `json:"networks,omitempty"` // where it may come from; none: anywhere
	Status          TokenStatus `json:"status"`
	CreatedAt       time.Time   `json:"created_at"`
	ExpiresAt       time.Time   `json:"expires_at"`
	ReplacedBy      string      `json:"replaced_by,omitempty"` // works on until it ends
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
		ID: t.ID, UserID: t.UserID, MadeBy: t.MadeBy, Name: t.Name, API: t.API, Scopes: append([]string{}, t.Scopes...),
		Status: statusOf(t, now), CreatedAt: t.CreatedAt.UTC(), ExpiresAt: t.ExpiresAt.UTC(),
		ReplacedBy: t.ReplacedBy, RevokedAt: utc(t.RevokedAt),
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

// token reads what is written in words.
func (in newTokenInput) token() (apitoken.New, error) {
	out := apitoken.New{Name: in.Name, API: in.API, Scopes: in.Scopes}
	var err error
	if in.ExpiresAt != "" {
		if out.ExpiresAt, err = time.Parse(time.RFC3339, in.ExpiresAt); err != nil {
			return out, authz.Invalid("expires_at", "must be a time such as 2030-12-31T23:59:59Z (RFC 3339)")
		}
	}
	for i, text := range in.Networks {
		network, err := parseNetwork(text)
		if err != nil {
			return out, authz.Invalid("networks/"+strconv.Itoa(i), "must be a network such as 203.0.113.0/24 or 2001:db8::/32")
		}
		out.Networks = append(out.Networks, network)
	}
	return out, nil
}

// parseNetwork takes a single address for the network that it alone is.
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(s)
}
