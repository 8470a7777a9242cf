package authz

import "time"

// User is a person who can log in: the resource owner of RFC 6749 §1.1.
type User struct {
	ID            string
	Username      string
	Email         string
	EmailVerified bool
	Profile       Profile
	Claims        UserClaims
	Roles         []string
	DisabledAt    time.Time // zero: in use
	CreatedAt     time.Time
	UpdatedAt     time.Time
	Version       int64
}

// Disabled reports whether an administrator has switched the account off.
func (u *User) Disabled() bool { return !u.DisabledAt.IsZero() }

// DisplayName is what pages call the person.
func (u *User) DisplayName() string {
	if u.Profile.Name != "" {
		return u.Profile.Name
	}
	return u.Username
}

// Profile holds the claims of the profile scope (OpenID Connect Core §5.1) that people
// fill in themselves. None of them decides anything.
type Profile struct {
	Name       string `json:"name,omitempty"`
	GivenName  string `json:"given_name,omitempty"`
	FamilyName string `json:"family_name,omitempty"`
	Nickname   string `json:"nickname,omitempty"`
	Picture    string `json:"picture,omitempty"`
	Website    string `json:"website,omitempty"`
	Locale     string `json:"locale,omitempty"`
	Zoneinfo   string `json:"zoneinfo,omitempty"`
}

// PasswordCredential is the stored form of a password: a PHC string of argon2id.
type PasswordCredential struct {
	UserID    string
	Hash      string
	ChangedAt time.Time
}
