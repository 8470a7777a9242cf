package page

import "time"

// TokenAPI is an API that a token can be made for.
type TokenAPI struct {
	// Identifier is the audience: the value of api in the address and in the form.
	Identifier string
	// Name is what the person reads.
	Name string
	// Own marks the API of this server itself.
	Own bool
}

// AccountTokenAPIs is the first step to a new API token: which API it is for. Each entry
// is a link to /account/tokens/new?api=IDENTIFIER. With a single API, skip it.
type AccountTokenAPIs struct {
	Layout
	// APIs in the order in which they are shown.
	APIs []TokenAPI
}

// Template names the file.
func (AccountTokenAPIs) Template() string { return "account-token-apis" }

// Title is what the browser's tab says.
func (AccountTokenAPIs) Title() string { return "New API token" }

// Section marks the entry of the navigation.
func (AccountTokenAPIs) Section() string { return "tokens" }

// AccountTokenNew is the second step: name, scopes and expiry. The form posts to
// /account/tokens: csrf, api, name, scope (once per ticked box), expires (a number of
// days, or "date"), expires_on (YYYY-MM-DD, with "date") and cidrs (one network per line).
type AccountTokenNew struct {
	Layout
	// API is what was chosen in the first step.
	API TokenAPI
	// Scopes are what the person may grant there.
	Scopes []TokenScope
	// MaxDays is the longest life the administrator allows; 0 means no limit.
	MaxDays int
	// Name, Expires, ExpiresOn and CIDRs are what was typed before. Expires is empty at
	// first and then stands for 30 days, or the longest life if that is shorter.
	Name, Expires, ExpiresOn, CIDRs string
	// Problems holds a sentence per field name that was not accepted: name, scope,
	// expires, cidrs.
	Problems Problems
}

// TokenScope is one thing a token can be allowed to do.
type TokenScope struct {
	// Name is the scope as it goes over the wire: the value of the checkbox.
	Name string
	// Sentence says what it allows.
	Sentence string
	// Checked is the first state of the box.
	Checked bool
	// Everything marks the scope that stands for all others, which is set apart.
	Everything bool
}

// Expiry is one answer to how long a token lives.
type Expiry struct {
	// Value is the value of the radio button.
	Value string
	// Text is what the person reads; Until is when it would end.
	Text  string
	Until time.Time
	// Checked is the first state.
	Checked bool
}

// Expiries are the lives to choose from, within MaxDays.
func (a AccountTokenNew) Expiries() []Expiry {
	all := []struct {
		value, text string
		days        int
	}{{"7", "7 days", 7}, {"30", "30 days", 30}, {"90", "90 days", 90}, {"365", "1 year", 365}}
	chosen := a.Expires
	if chosen == "" {
		chosen = "30"
		if a.MaxDays > 0 && a.MaxDays < 30 {
			chosen = "7"
		}
	}
	var out []Expiry
	for _, e := range all {
		if a.MaxDays > 0 && e.days > a.MaxDays {
			continue
		}
		out = append(out, Expiry{e.value, e.text, a.Now.AddDate(0, 0, e.days), e.value == chosen})
	}
	return out
}

// Focus names the field to begin with: the first that was not accepted.
func (a AccountTokenNew) Focus() string {
	for _, field := range []string{"name", "scope", "expires", "cidrs"} {
		if a.Problems.For(field) != "" {
			return field
		}
	}
	return "name"
}

// Narrow are the scopes but those that stand for all others; Wide are those.
func (a AccountTokenNew) Narrow() []TokenScope { return a.scopes(false) }

// Wide are the scopes that Narrow leaves out.
func (a AccountTokenNew) Wide() []TokenScope { return a.scopes(true) }

func (a AccountTokenNew) scopes(everything bool) []TokenScope {
	var out []TokenScope
	for _, s := range a.Scopes {
		if s.Everything == everything {
			out = append(out, s)
		}
	}
	return out
}

// FirstDay and LastDay bound the date field, as YYYY-MM-DD; LastDay is empty without a limit.
func (a AccountTokenNew) FirstDay() string { return a.Now.UTC().AddDate(0, 0, 1).Format(time.DateOnly) }

// LastDay is the last date that the administrator allows.
func (a AccountTokenNew) LastDay() string {
	if a.MaxDays == 0 {
		return ""
	}
	return a.Now.UTC().AddDate(0, 0, a.MaxDays).Format(time.DateOnly)
}

// Template names the file.
func (AccountTokenNew) Template() string { return "account-token-new" }

// Title is what the browser's tab says.
func (AccountTokenNew) Title() string { return "New API token" }

// Section marks the entry of the navigation.
func (AccountTokenNew) Section() string { return "tokens" }

// UntilText is the day on which the life would end.
func (e Expiry) UntilText() string { return "until " + e.Until.UTC().Format(dated) }
