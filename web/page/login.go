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
	// AppHost is where the app lives, such as "calendar.acme.example"; may be empty.
	AppHost string
	// StayURL is the path of ours to go on with as who is signed in already, for somebody
	// who came to be somebody else; empty otherwise. Layout.User is who they are.
	StayURL string
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
	// Incomplete stands for a field that was left empty.
	Incomplete LoginProblem = "incomplete"
)

// Template names the file.
func (Login) Template() string { return "login" }

// Title is what the browser's tab says.
func (l Login) Title() string {
	if l.Problem != "" {
		return "Not signed in – Sign in"
	}
	return "Sign in"
}

// Wrong reports whether a field is to be marked: one that was left empty, or both where it
// must not be told which of them is not right.
func (l Login) Wrong(field string) bool {
	return l.Problem == WrongCredentials || l.Problem == Incomplete && (l.Username == "") == (field == "username")
}

// WaitText tells the pause, such as "30 seconds".
func (l Login) WaitText() string { return wait(l.Wait) }
