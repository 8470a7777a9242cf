package directory

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/signet-auth/signet/authz"
)

const (
	maxUsername = 64
	maxEmail    = 254 // RFC 5321 §4.5.3.1.3, without the angle brackets
	maxLocal    = 64
	maxName     = 200
	maxURL      = 2048
	maxFindable = 320
)

// validate says whether a person may be so; the error names the field. A username with an @
// must be the person's own address. That makes addresses and usernames one set of names in
// which each belongs to one person, held by the unique columns and no lock: nobody can take
// another's address as their username. Who gives such a username and no address has given
// both.
func validate(u *authz.User) error {
	if err := checkUsername(u.Username); err != nil {
		return err
	}
	if err := checkEmail(u); err != nil {
		return err
	}
	return checkProfile(u.Profile)
}

// Problems tells all that is wrong with a person to be made, at most one thing of each field.
// Create and Setup would tell the first of them.
func (n New) Problems() []*authz.InvalidError {
	u := &authz.User{Username: n.Username, Email: n.Email, Profile: authz.Profile{Name: n.Name}}
	var out []*authz.InvalidError
	for _, err := range []error{checkUsername(u.Username), checkEmail(u), checkProfile(u.Profile), checkPassword(u, n.Password)} {
		if invalid, ok := errors.AsType[*authz.InvalidError](err); ok {
			out = append(out, invalid)
		}
	}
	return out
}

// checkEmail fills in the address of who has it as their username.
func checkEmail(u *authz.User) error {
	if u.Email == "" && strings.Contains(u.Username, "@") {
		u.Email = u.Username
	}
	switch {
	case u.Email != "" && !validEmail(u.Email):
		return authz.Invalid("email", "must be an email address")
	case strings.Contains(u.Username, "@") && !strings.EqualFold(u.Username, u.Email):
		return authz.Invalid("username", "with an @ must be the person's own email address")
	case u.Email == "" && u.EmailVerified:
		return authz.Invalid("email_verified", "there is no email address")
	}
	return nil
}

// checkPassword looks at what only the person's own account makes wrong.
func checkPassword(u *authz.User, p authz.Secret) error {
	if text := p.Reveal(); text != "" && (strings.EqualFold(text, u.Username) || strings.EqualFold(text, u.Email)) {
		return authz.Invalid("password", "must not be the username or the email address")
	}
	return nil
}

func checkUsername(name string) error {
	if name == "" || len(name) > maxUsername {
		return authz.Invalid("username", "must have 1 to 64 characters")
	}
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && !strings.ContainsRune("._-@+", rune(c)) {
			return authz.Invalid("username", "use only letters a-z, digits and . _ - @ +, without spaces")
		}
	}
	if strings.HasPrefix(strings.ToLower(name), authz.PrefixUser) {
		return authz.Invalid("username", "must not begin with "+authz.PrefixUser+", as ids do")
	}
	return nil
}

// validEmail keeps to the plain form of RFC 5321: what is quoted or international is a
// way to look like somebody else.
func validEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > maxEmail || local == "" || len(local) > maxLocal || !validDomain(domain) {
		return false
	}
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for _, c := range []byte(local) {
		if !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+/=?^_`{|}~.-", rune(c)) {
			return false
		}
	}
	return true
}

func validDomain(domain string) bool {
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// checkProfile says whether apps can be shown these claims (OpenID Connect Core §5.1).
func checkProfile(p authz.Profile) error {
	for _, text := range []struct{ field, value string }{
		{"name", p.Name}, {"given_name", p.GivenName}, {"family_name", p.FamilyName}, {"nickname", p.Nickname},
	} {
		if text.value != "" && !authz.Legible(text.value, maxName) {
			return authz.Invalid(text.field, "must have at most 200 characters that print, and no space around them")
		}
	}
	for _, link := range []struct{ field, value string }{{"picture", p.Picture}, {"website", p.Website}} {
		if link.value != "" && !isHTTPS(link.value) {
			return authz.Invalid(link.field, "must be an https URL")
		}
	}
	if !isTag(p.Locale, 35, "-_") {
		return authz.Invalid("locale", "must be a language tag such as en-GB (RFC 5646)")
	}
	if !isTag(p.Zoneinfo, 64, "-_+/") {
		return authz.Invalid("zoneinfo", "must be a time zone such as Europe/Berlin")
	}
	return nil
}

func isTag(s string, most int, punctuation string) bool {
	for _, c := range []byte(s) {
		if !isAlphanumeric(c) && !strings.ContainsRune(punctuation, rune(c)) {
			return false
		}
	}
	return len(s) <= most
}

func isHTTPS(raw string) bool {
	for _, c := range []byte(raw) {
		if c <= ' ' || c > '~' || c == '\\' || c == '"' || c == '<' || c == '>' {
			return false
		}
	}
	u, err := url.Parse(raw)
	return err == nil && len(raw) <= maxURL && u.Scheme == "https" && u.Hostname() != "" && u.User == nil
}

// findable reports whether anybody could be called so: what is not text would be an error
// to a database, and an error there is an outage.
func findable(name string) bool {
	return name != "" && len(name) <= maxFindable && utf8.ValidString(name) && !strings.Contains(name, "\x00")
}
