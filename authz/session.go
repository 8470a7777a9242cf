package authz

import "time"

// Session is a person being signed in with one browser.
type Session struct {
	ID            string
	SecretHash    []byte
	UserID        string
	AuthTime      time.Time // when a credential was last shown
	ACR           string
	AMR           []string // RFC 8176
	UserAgent     string
	Address       string
	CreatedAt     time.Time
	LastSeenAt    time.Time
	IdleExpiresAt time.Time
	ExpiresAt     time.Time
}

// ACROneFactor is the authentication context class (OpenID Connect Core §2) of who has shown
// one credential, such as a password.
const ACROneFactor = "1"

// ACROf gives the authentication context class that methods of authentication (RFC 8176) add
// up to; empty for none.
func ACROf(amr []string) string {
	if len(amr) == 0 {
		return ""
	}
	return ACROneFactor
}

// Live reports whether the session is neither idle for too long nor too old.
func (s *Session) Live(now time.Time) bool {
	return now.Before(s.IdleExpiresAt) && now.Before(s.ExpiresAt)
}
