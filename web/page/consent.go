package page

// Consent asks what an app may do. The form posts to /consent: csrf, interaction,
// decision=allow or deny, and scope once per box left ticked. Scopes that are not
// Optional are part of allowing and have no field. A second form with decision=switch
// asks to sign in as somebody else.
type Consent struct {
	Layout
	// App is who asks.
	App App
	// Interaction is the id of the waiting authorization request.
	Interaction string
	// Username stands beside the display name in Layout.User.
	Username string
	// RedirectHost is where the person goes next, such as "calendar.acme.example", in its
	// ASCII form: look-alike letters must not pass for others. It is the one thing about
	// the app that was verified. Empty with OnDevice.
	RedirectHost string
	// OnDevice marks a public client on a custom scheme or a loopback address: nobody can
	// vouch for its name, and the page says so.
	OnDevice bool
	// Groups hold what is asked for, one per API.
	Groups []ConsentGroup
	// NotAsked are sentences about what the same APIs offer and the app does not ask for.
	NotAsked []string
}

// ConsentGroup is what one API is asked for.
type ConsentGroup struct {
	// API is the name of the API; empty for the scopes of OpenID Connect.
	API string
	// Scopes in the order in which they are shown.
	Scopes []ConsentScope
}

// ConsentScope is one thing to allow.
type ConsentScope struct {
	// Name is the scope as it goes over the wire: the value of the checkbox.
	Name string
	// Sentence says what it allows, such as "See your orders".
	Sentence string
	// Detail adds a line in smaller letters; may be empty.
	Detail string
	// Optional scopes have a checkbox; Checked is its first state.
	Optional, Checked bool
	// New marks what is asked for the first time when other things were allowed before.
	New bool
}

// Template names the file.
func (Consent) Template() string { return "consent" }

// Title is what the browser's tab says.
func (c Consent) Title() string { return "Allow " + plain(c.App.Name, nameLength) }

// HasChoice reports whether there is a box to untick.
func (c Consent) HasChoice() bool {
	for _, g := range c.Groups {
		for _, s := range g.Scopes {
			if s.Optional {
				return true
			}
		}
	}
	return false
}
