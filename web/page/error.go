package page

import "cmp"

// Error says that something did not work, why, and what to do.
type Error struct {
	Layout
	// Heading says it in a few words, for what is no failure; empty: "That did not work".
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

// Title is what the browser's tab says.
func (e Error) Title() string { return cmp.Or(e.Heading, "That did not work") }
