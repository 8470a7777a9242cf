package page

// Error says that something did not work, why, and what to do.
type Error struct {
	Layout
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
func (Error) Title() string { return "That did not work" }
