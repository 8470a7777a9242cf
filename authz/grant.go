package authz

import (
	"encoding/json"
	"time"
)

// Grant is one authorization by one person to one client. It is the authorization code,
// the family of refresh tokens that grew from it, and what a revocation ends.
type Grant struct {
	ID            string // 16 bytes, base64url
	ClientID      string
	UserID        string
	SessionID     string // may be empty: not bound to a browser session
	Scopes        Scopes
	Resources     []string
	AuthTime      time.Time
	ACR           string
	AMR           []string
	Nonce         string
	Claims        json.RawMessage // the claims request parameter, OpenID Connect Core §5.5
	CodeHash      []byte
	RedirectURI   string // as sent to the authorization endpoint
	CodeChallenge string
	CodeExpiresAt time.Time
	CodeUsedAt    time.Time

	RefreshSeq       int64 // the live token of the sequence; 0: no refresh token
	RefreshRotatedAt time.Time
	RefreshExpiresAt time.Time
	LastUsedAt       time.Time

	CreatedAt    time.Time
	ExpiresAt    time.Time // the end of everything that grew from it
	RevokedAt    time.Time
	RevokeReason string

	StatusIndex int64 // its place in the status lists; 0: none
}

// Why a grant was revoked. The words appear in the audit log.
const (
	RevokedByUser      = "revoked_by_user"
	RevokedByClient    = "revoked_by_client"
	RevokedByAdmin     = "revoked_by_admin"
	RevokedCodeReuse   = "code_reuse"
	RevokedTokenReuse  = "refresh_token_reuse"
	RevokedUserChanged = "account_changed"
)

// CodeClaim is an attempt to redeem an authorization code. Every check is an equality,
// so that one conditional statement makes them all.
type CodeClaim struct {
	GrantID          string
	ClientID         string
	CodeHash         []byte
	RedirectURI      string    // empty: not sent (OAuth 2.1 §4.1.3)
	CodeChallenge    string    // computed from the code_verifier; empty: none was sent
	RefreshExpiresAt time.Time // of a grant with a refresh token: when it expires unused
	ExpiresAt        time.Time // of a grant with a refresh token: its end
	Now              time.Time
}

// RefreshClaim is an attempt to use the refresh token with sequence number Seq of a grant.
type RefreshClaim struct {
	GrantID          string
	ClientID         string
	Seq              int64
	Rotate           bool
	GraceSince       time.Time // a rotation after this instant may be repeated
	RefreshExpiresAt time.Time
	Now              time.Time
}

// RedeemedGrant is a grant as one statement hands it to the token endpoint, with the
// roles its owner has at that moment.
type RedeemedGrant struct {
	Grant
	UserRoles []string
}
