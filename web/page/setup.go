package page

// Setup makes the first administrator. The form posts to /setup: csrf, token, username,
// name, email, password. A link that does not work gets an Error instead.
type Setup struct {
	Layout
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

// Focus names the field to begin with: the first that was not accepted.
func (s Setup) Focus() string {
	for _, field := range []string{"username", "name", "email", "password"} {
		if s.Problems.For(field) != "" {
			return field
		}
	}
	return "username"
}

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
