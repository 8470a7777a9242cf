package page

import (
	"time"

	"github.com/signet-auth/signet/authz"
)

// AccountTokens lists the person's API tokens. Each live entry has a form that posts csrf
// and id to /account/tokens/revoke, and unless it was replaced a link to
// /account/tokens/rotate?id=….
type AccountTokens struct {
	Layout
	// Tokens in the order in which they are shown, but that live ones come first.
	Tokens []TokenEntry
}

// TokenEntry is one API token; the token itself is not known any more.
type TokenEntry struct {
	// ID goes into the forms.
	ID string
	// Name is what the person called it.
	Name string
	// Access is what it may do.
	Access Access
	// Status tells whether it works.
	Status TokenStatus
	// Created, Expires and LastUsed; the last is zero when it never was.
	Created, Expires, LastUsed time.Time
	// Ended is when it stopped working; zero while it works.
	Ended time.Time
	// Address and UserAgent of the last use; may be empty.
	Address, UserAgent string
	// MadeBy names the app or the token that made it in the person's name; empty: they did.
	MadeBy string
	// CIDRs are the networks it is limited to; empty means everywhere.
	CIDRs []string
}

// TokenStatus is whether an API token works.
type TokenStatus string

// The states of an API token. TokenLeaked is a token that was revoked because somebody
// found it where it should not have been; TokenReplaced one that goes on working for a
// while beside the one that took its place, or has stopped since.
const (
	TokenActive   TokenStatus = "active"
	TokenExpiring TokenStatus = "expiring"
	TokenReplaced TokenStatus = "replaced"
	TokenExpired  TokenStatus = "expired"
	TokenRevoked  TokenStatus = "revoked"
	TokenLeaked   TokenStatus = "leaked"
)

// Label names the state for a person.
func (s TokenStatus) Label() string {
	switch s {
	case TokenExpiring:
		return "Expires soon"
	case TokenReplaced:
		return "Replaced"
	case TokenExpired:
		return "Expired"
	case TokenRevoked:
		return "Revoked"
	case TokenLeaked:
		return "Leaked, revoked"
	}
	return "Active"
}

// Class is the state's colour in the stylesheet.
func (s TokenStatus) Class() string {
	switch s {
	case TokenExpiring:
		return "warn"
	case TokenLeaked:
		return "bad"
	case TokenReplaced, TokenExpired, TokenRevoked:
		return "over"
	}
	return "good"
}

// tokenRow is an entry with what its part of the page needs beside it.
type tokenRow struct {
	Layout
	TokenEntry
}

// Live reports whether the token can still be used.
func (e TokenEntry) Live() bool { return e.Ended.IsZero() }

// Replaceable reports whether the token may still be replaced.
func (e TokenEntry) Replaceable() bool { return e.Live() && e.Status != TokenReplaced }

// Ends is when the token stops working, or has stopped.
func (e TokenEntry) Ends() time.Time {
	if e.Live() {
		return e.Expires
	}
	return e.Ended
}

// EndWord is the word before that time.
func (e TokenEntry) EndWord() string {
	switch {
	case e.Status == TokenReplaced && e.Live():
		return "Stops"
	case e.Status == TokenReplaced:
		return "Stopped"
	case e.Live():
		return "Expires"
	case e.Status == TokenExpired:
		return "Expired"
	}
	return "Revoked"
}

// Live are the tokens that work.
func (a AccountTokens) Live() []tokenRow { return a.rows(true) }

// Ended are the others.
func (a AccountTokens) Ended() []tokenRow { return a.rows(false) }

func (a AccountTokens) rows(live bool) []tokenRow {
	var out []tokenRow
	for _, e := range a.Tokens {
		if e.Live() == live {
			out = append(out, tokenRow{a.Layout, e})
		}
	}
	return out
}

// Template names the file.
func (AccountTokens) Template() string { return "account-tokens" }

// Title is what the browser's tab says.
func (AccountTokens) Title() string { return "API tokens" }

// Section marks the entry of the navigation.
func (AccountTokens) Section() string { return "tokens" }

// AccountTokenCreated shows a new API token, this once.
type AccountTokenCreated struct {
	Layout
	// Name is what the person called it; API the name of the API it is for.
	Name, API string
	// Token is the credential itself.
	Token authz.Secret
	// Expires is when it stops working.
	Expires time.Time
	// OverlapUntil is when the token it replaces stops working; zero when it replaces none.
	OverlapUntil time.Time
}

// Template names the file.
func (AccountTokenCreated) Template() string { return "account-token-created" }

// Title is what the browser's tab says.
func (AccountTokenCreated) Title() string { return "Your new API token" }

// Section marks the entry of the navigation.
func (AccountTokenCreated) Section() string { return "tokens" }

// AccountTokenRotate asks how long the old token goes on working beside the new one. The
// form posts csrf, id and overlap (seconds) to /account/tokens/rotate.
type AccountTokenRotate struct {
	Layout
	// ID goes into the form.
	ID string
	// Name is what the person called the token.
	Name string
	// LastUsed tells whether something depends on it; may be zero.
	LastUsed time.Time
}

// Overlap is one answer to how long the old token goes on working.
type Overlap struct {
	// Seconds is the value of the field.
	Seconds int
	// Text is what the person reads.
	Text string
	// Checked is the first state.
	Checked bool
}

// Overlaps are the answers to choose from.
func (AccountTokenRotate) Overlaps() []Overlap {
	return []Overlap{
		{3600, "1 hour", false},
		{86400, "1 day", true},
		{604800, "7 days", false},
		{0, "Not at all: it stops now", false},
	}
}

// Template names the file.
func (AccountTokenRotate) Template() string { return "account-token-rotate" }

// Title is what the browser's tab says.
func (AccountTokenRotate) Title() string { return "Replace an API token" }

// Section marks the entry of the navigation.
func (AccountTokenRotate) Section() string { return "tokens" }
