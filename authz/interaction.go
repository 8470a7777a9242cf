package authz

import (
	"net/url"
	"time"
)

// Interaction is an authorization request that waits for a person to log in or consent.
// Its parameters stay on the server: what comes back from the browser is its id only.
type Interaction struct {
	ID          string
	ClientID    string
	Params      url.Values // resolved and without credentials
	BrowserHash []byte     // binds it to the browser that began it
	SessionID   string     // the session that logged in for it; satisfies prompt=login
	Decision    *Decision  // what the person answered on the consent page
	CreatedAt   time.Time
	ExpiresAt   time.Time
	ConsumedAt  time.Time
}

// Decision is an answer on the consent page.
type Decision struct {
	UserID  string    `json:"user_id"`
	Allowed bool      `json:"allowed"`
	Scopes  Scopes    `json:"scopes"`
	At      time.Time `json:"at"`
}
