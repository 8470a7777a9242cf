package page

import "cmp"

// Error says that something did not work, why, and what to do.
type Error struct {
	Layout
	// Heading says in a few words what happened; empty: what goes with the code.
	Heading string
	// Code is the registered OAuth code, such as "invalid_request", or a word of ours.
	Code string
	// Reason is one plain sentence; it never repeats an internal cause.
	Reason string
	// Advice says what the person can do now; empty gives a general line.
	Advice string
	// ID is the correlation id that the log line carries too.
	ID string
	// Back leads out; shown when its URL is a safe one.
	Back Link
}

// Template names the file.
func (Error) Template() string { return "error" }

// Title is what the browser's tab and the heading of the page say.
func (e Error) Title() string { return cmp.Or(e.Heading, heading(e.Code)) }

// heading says in a few words what happened.
func heading(code string) string {
	switch code {
	case "not_found":
		return "Page not found"
	case "sign_in_expired":
		return "This sign-in has expired"
	case "form_expired":
		return "This page was open for too long"
	case "access_denied":
		return "You said no"
	case "temporarily_unavailable":
		return "One moment, please"
	case "setup_link_invalid":
		return "This link does not work"
	case "set_up_already":
		return "Signet is set up already"
	}
	return "That did not work"
}
