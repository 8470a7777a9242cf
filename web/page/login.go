package page

import "time"

// Login asks for a username and a password. The form posts to /login: csrf, interaction,
// return_to, username, password. Cancel is the same form with decision=deny.
type Login struct {
	Layout
	// App is what the person is about to continue to; zero when they came by themselves.
	App App
	// Interaction is the id of the waiting authorization request; empty without one.
	// Only with one is there somebody to cancel towards.
	Interaction string
	// ReturnTo is the path of ours to go to afterwards when there is no interaction.
	ReturnTo string
	// Username fills the field: the login_hint, or what was typed before.
	Username string
	// Problem says why the form is shown again.
	Problem LoginProblem
	// Wait is how long to pause, with TooManyTries. It is told in whole seconds or minutes.
	Wait time.Duration
}

// LoginProblem is a reason to show the login form again.
type LoginProblem string

// The reasons to show the login form again. The first never tells whether the username exists.
const (
	WrongCredentials LoginProblem = "wrong-credentials"
	TooManyTries     LoginProblem = "too-many-tries"
	SessionExpired   LoginProblem = "session-expired"
)

// Template names the file.
func (Login) Template() string { return "login" }

// Title is what the browser's tab says.
func (Login) Title() string { return "Sign in" }

// WaitText tells the pause, such as "30 seconds".
func (l Login) WaitText() string { return wait(l.Wait) }
