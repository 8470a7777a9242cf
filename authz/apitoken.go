package authz

import (
	"encoding/base32"
	"net/netip"
	"strings"
	"time"
)

// APIToken is a token that a person made for a script or a program: for one API, with
// scopes of it and an end. What is kept of the token itself is its hash.
type APIToken struct {
	ID           string // from the hash, so that a token is found by primary key
	Hash         []byte
	UserID       string
	MadeBy       string // empty: the person, on their pages; else a client's id, or that of another API token
	ClientID     string // that the chain of makers began with, as storage finds it; empty: the person did
	Name         string
	API          string
	Scopes       Scopes
	Networks     []netip.Prefix // where it may come from; empty: anywhere
	CreatedAt    time.Time
	ExpiresAt    time.Time
	LastUsedAt   time.Time // zero: never
	LastAddress  string
	LastAgent    string
	ReplacedBy   string    // the id of the token that took its place; empty: none did
	RevokedAt    time.Time // zero: not revoked
	RevokeReason string
	StatusIndex  int64
}

// Why an API token was revoked, beside the reasons that grants have too.
const (
	RevokedLeaked    = "leaked"     // somebody found it in the open
	RevokedReplaced  = "replaced"   // another took its place at once
	RevokedWithMaker = "with_maker" // the API token that made it was revoked
)

// APITokenID is the identifier of the token with this hash. It tells nothing of the token.
func APITokenID(hash []byte) string {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(hash[:16])
	return PrefixToken + strings.ToLower(text)
}

// PrefixToken begins the identifier of an API token, which is no secret.
const PrefixToken = "tok_"

// IsAPIToken tells the identifier of an API token from those of clients, none of which
// begins so.
func IsAPIToken(id string) bool { return strings.HasPrefix(id, PrefixToken) }

// Live reports whether the token may be used at this moment.
func (t *APIToken) Live(now time.Time) bool {
	return t.RevokedAt.IsZero() && now.Before(t.ExpiresAt)
}

// AllowsFrom reports whether the token may come from an address.
func (t *APIToken) AllowsFrom(address netip.Addr) bool {
	return AllowedFrom(t.Networks, address)
}

// AllowedFrom reports whether what is limited to these networks may come from an address;
// without any it may come from everywhere.
func AllowedFrom(networks []netip.Prefix, address netip.Addr) bool {
	if len(networks) == 0 {
		return true
	}
	for _, n := range networks {
		if n.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

// TokenUse is one use of an API token, written down later and at most once a minute.
type TokenUse struct {
	TokenID string
	At      time.Time
	Address string
	Agent   string
}
