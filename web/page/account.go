package page

import "time"

// Account is the overview of a person's own pages. All pages of the account share a
// navigation and a form that posts csrf to /logout.
type Account struct {
	Layout
	// Username and Email of the person; Email may be empty.
	Username, Email string
	// Since is when the account was made; may be zero.
	Since time.Time
	// Claims are what an administrator says of the person to services that ask for it.
	Claims []AccountClaim
	// Entries, Sessions and Tokens count what the other pages list. Tokens are the live
	// ones, which are among the Entries as well.
	Entries, Sessions, Tokens int
}

// AccountClaim is one thing that is said of the person.
type AccountClaim struct {
	Name, Value string
}

// Template names the file.
func (Account) Template() string { return "account" }

// Title is what the browser's tab says.
func (Account) Title() string { return "Your account" }

// Section marks the entry of the navigation.
func (Account) Section() string { return "overview" }

// AccountApps lists everything that can act for the person. Each entry has a form that
// posts csrf, kind and id to /account/apps/revoke.
type AccountApps struct {
	Layout
	// Entries in the order in which they are shown.
	Entries []Entry
}

// Entry is one thing that can act for the person.
type Entry struct {
	// Kind and ID go into the revoke form.
	Kind EntryKind
	ID   string
	// Name of the app, the token or the protected site.
	Name string
	// Host is where it lives, such as "calendar.acme.example"; may be empty.
	Host string
	// MadeBy names the app or the token that made a token; empty: the person did.
	MadeBy string
	// Access is what it may do, grouped per API.
	Access []Access
	// Since is when it was allowed; LastUsed when it last acted; Expires when it ends by
	// itself. The last two may be zero.
	Since, LastUsed, Expires time.Time
	// Place is from where it was last used: an address or a town; may be empty.
	Place string
}

// EntryKind tells the entries of AccountApps apart.
type EntryKind string

// The kinds of entry.
const (
	KindApp        EntryKind = "app"
	KindFirstParty EntryKind = "first-party"
	KindToken      EntryKind = "token"
	KindGateway    EntryKind = "gateway"
)

// Label names the kind for a person.
func (k EntryKind) Label() string {
	switch k {
	case KindFirstParty:
		return "Built in"
	case KindToken:
		return "API token"
	case KindGateway:
		return "Website"
	}
	return "App"
}

// End and Keep are what the button says that asks to take the access back: before and after
// it was pressed.
func (k EntryKind) End() string {
	if k == KindToken {
		return "Revoke"
	}
	return "Remove access"
}

// Keep is what the button says once it has been pressed.
func (k EntryKind) Keep() string {
	if k == KindToken {
		return "Keep"
	}
	return "Keep access"
}

// Began is the word before the date on which it was allowed.
func (k EntryKind) Began() string {
	switch k {
	case KindToken:
		return "Made"
	case KindGateway:
		return "Signed in"
	}
	return "Allowed"
}

// idle is how long something may go unused before the page points it out.
const idle = 90 * day

// Idle tells for how long an entry has not been used, such as "3 months", when that is long
// enough to be pointed out. Of an app that never was it is not known: it may have been used
// whenever the person signed in.
func (a AccountApps) Idle(e Entry) string {
	last := e.LastUsed
	if last.IsZero() && e.Kind == KindToken {
		last = e.Since
	}
	if gap := a.Now.Sub(last); !a.Now.IsZero() && !last.IsZero() && gap >= idle {
		return count(int(gap/(30*day)), "month")
	}
	return ""
}

// Template names the file.
func (AccountApps) Template() string { return "account-apps" }

// Title is what the browser's tab says.
func (AccountApps) Title() string { return "What can act for you" }

// Section marks the entry of the navigation.
func (AccountApps) Section() string { return "apps" }

// AccountSessions lists where the person is signed in. Each entry but the current one has a
// form that posts csrf and id to /account/sessions/end; one more posts csrf to
// /account/sessions/end-others.
type AccountSessions struct {
	Layout
	// Sessions in the order in which they are shown, the current one among them.
	Sessions []SessionEntry
}

// SessionEntry is one browser that is signed in.
type SessionEntry struct {
	// ID goes into the form.
	ID string
	// Current marks the browser that is looking at the page.
	Current bool
	// UserAgent is the header as it was sent; the page shows what Describe makes of it.
	UserAgent string
	// Address is the network address; Place a town or network name, may be empty.
	Address, Place string
	// Started is when it signed in, LastSeen when it last asked for anything.
	Started, LastSeen time.Time
}

// Others reports whether there is a session besides the current one.
func (a AccountSessions) Others() bool {
	for _, s := range a.Sessions {
		if !s.Current {
			return true
		}
	}
	return false
}

// Template names the file.
func (AccountSessions) Template() string { return "account-sessions" }

// Title is what the browser's tab says.
func (AccountSessions) Title() string { return "Where you are signed in" }

// Section marks the entry of the navigation.
func (AccountSessions) Section() string { return "sessions" }
