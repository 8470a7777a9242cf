package authz

import "time"

// Event is one thing that happened and that somebody may ask about later. It is recorded
// where the decision is made; the log line, the row and the counter come from it.
type Event struct {
	ID            string
	At            time.Time
	Kind          string
	Actor         string // who did it: a user id, a client id, or "cli", "system"
	UserID        string
	ClientID      string
	GrantID       string
	Address       string
	UserAgent     string
	CorrelationID string
	Detail        map[string]string
}

// Kinds of event.
const (
	EventLoginSucceeded  = "login.succeeded"
	EventLoginFailed     = "login.failed"
	EventLoginThrottled  = "login.throttled"
	EventLogout          = "logout"
	EventConsentGranted  = "consent.granted"
	EventConsentDenied   = "consent.denied"
	EventGrantRevoked    = "grant.revoked"
	EventCodeReuse       = "grant.code_reuse"
	EventCodeRefused     = "grant.code_refused"
	EventRefreshReuse    = "grant.refresh_reuse"
	EventTokenRevoked    = "token.revoked"
	EventSessionEnded    = "session.ended"
	EventClientAuthFail  = "client.authentication_failed"
	EventClientCreated   = "client.created"
	EventClientChanged   = "client.changed"
	EventClientDeleted   = "client.deleted"
	EventSecretRotated   = "client.secret_rotated"
	EventUserCreated     = "user.created"
	EventUserChanged     = "user.changed"
	EventUserDeleted     = "user.deleted"
	EventPasswordChanged = "user.password_changed"
	EventAPICreated      = "api.created"
	EventAPIChanged      = "api.changed"
	EventAPIDeleted      = "api.deleted"
	EventRoleChanged     = "role.changed"
	EventKeyRotated      = "key.rotated"
	EventAPITokenCreated = "apitoken.created"
	EventAPITokenRotated = "apitoken.rotated"
	EventAPITokenRevoked = "apitoken.revoked"
	EventAPITokenLeaked  = "apitoken.leaked"
)
