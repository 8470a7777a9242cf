package page

// Logout asks whether to sign out. The form posts to /logout: csrf, interaction,
// decision=sign-out, or decision=stay when there is an app to return to.
type Logout struct {
	Layout
	// App is who asked for it; zero when the person came by themselves.
	App App
	// Interaction is the id of the waiting logout request; empty without one.
	Interaction string
	// Username stands beside the display name in Layout.User.
	Username string
}

// Template names the file.
func (Logout) Template() string { return "logout" }

// Title is what the browser's tab says.
func (Logout) Title() string { return "Sign out" }

// LoggedOut says that the person is signed out now.
type LoggedOut struct {
	Layout
	// Back leads to where they came from; shown when its URL is a safe one.
	Back Link
}

// Template names the file.
func (LoggedOut) Template() string { return "logged-out" }

// Title is what the browser's tab says.
func (LoggedOut) Title() string { return "Signed out" }
