package page

// Setup makes the first administrator. The form posts to /setup: csrf, token, username,
// name, email, password.
type Setup struct {
	Layout
	// State tells whether the link works. Without SetupOpen there is no form.
	State SetupState
	// Token is the secret of the one-time link.
	Token string
	// Username, Name and Email are what was typed before.
	Username, Name, Email string
	// MinPassword is the least number of characters, shown as a hint; 0 shows none.
	MinPassword int
	// Problems holds a sentence per field name that was not accepted: username, name,
	// email, password.
	Problems Problems
}

// SetupState is what a setup link is good for.
type SetupState string

// The states of a setup link. SetupInvalid covers expired and mistyped links.
const (
	SetupOpen    SetupState = "open"
	SetupUsed    SetupState = "used"
	SetupInvalid SetupState = "invalid"
)

// Template names the file.
func (Setup) Template() string { return "setup" }

// Title is what the browser's tab says.
func (Setup) Title() string { return "Set up Signet" }

// SetupDone says that the first administrator exists.
type SetupDone struct {
	Layout
	// Username is who was made.
	Username string
}

// Template names the file.
func (SetupDone) Template() string { return "setup-done" }

// Title is what the browser's tab says.
func (SetupDone) Title() string { return "Signet is ready" }
