package page

import "time"

// Layout is the part that all pages share. Every page embeds it.
type Layout struct {
	// User is the display name, or the username, of who is signed in; empty when nobody is.
	User string
	// CSRF goes into every form as the hidden field "csrf".
	CSRF string
	// Flash tells what has just been done.
	Flash Flash
	// Now is the time of the request; times on the page are told relative to it. Zero
	// shows full dates only.
	Now time.Time
	// Base is the origin of the issuer, for a page that is shown at another host: there
	// styles, images and links of ours are to be had from the issuer only. Empty elsewhere.
	Base string
}

// Flash is one sentence about what has just been done, such as "Acme Calendar no longer has
// access.", or about why it was not.
type Flash struct {
	// Text is the sentence; empty shows nothing.
	Text string
	// Failed tells bad news from good.
	Failed bool
}

// App is the program that asks for something, as a person knows it.
type App struct {
	// Name is the registered name. Empty stands for no app at all.
	Name string
	// HomeURL, PolicyURL and TermsURL are the registered links. Anything but https, and
	// http on a loopback address, is not shown.
	HomeURL, PolicyURL, TermsURL string
}

// Display is what to call the app in a sentence.
func (a App) Display() string {
	if name := plain(a.Name, nameLength); name != "" {
		return name
	}
	return "An app without a name"
}

// Link leads away from a page.
type Link struct {
	// Text says where it leads, such as "Back to Acme Calendar".
	Text string
	// URL must be https, http on a loopback address, or a path of ours; otherwise no
	// link is shown.
	URL string
}

// Access is what one API lets somebody do, in sentences.
type Access struct {
	// API is the name of the API; empty for what belongs to the account itself.
	API string
	// Sentences are the registered descriptions of the granted scopes.
	Sentences []string
}

// How many sentences are shown at once, and how many at most where none are left over.
const (
	firstSentences = 5
	mostSentences  = 6
)

// First are the sentences to show at once; Rest are the others.
func (a Access) First() []string {
	if len(a.Sentences) > mostSentences {
		return a.Sentences[:firstSentences]
	}
	return a.Sentences
}

// Rest are the sentences that First leaves out.
func (a Access) Rest() []string { return a.Sentences[len(a.First()):] }

// SafeURL is the address if a browser may be sent there, and empty otherwise.
func (l Link) SafeURL() string {
	if ownPath(l.URL) {
		return l.URL
	}
	return webAddress(l.URL)
}

// Problems holds one sentence per form field, by its name, that was not accepted.
type Problems map[string]string

// For gives the sentence about one field; empty when the field is fine.
func (p Problems) For(field string) string { return p[field] }
