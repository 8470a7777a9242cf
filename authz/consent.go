package authz

import "time"

// Consent remembers what a person has answered to one client: what they allowed and
// what they declined. Only what is in neither is asked again.
type Consent struct {
	UserID    string
	ClientID  string
	Scopes    Scopes
	Declined  Scopes
	Resources []string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Answers reports whether the person has been asked about all these scopes and
// resources before.
func (c *Consent) Answers(scopes Scopes, resources []string) bool {
	return c.Scopes.With(c.Declined).Contains(scopes) && Scopes(c.Resources).Contains(resources)
}
