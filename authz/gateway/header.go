package gateway

import (
	"strings"
)

// The headers by which services that read no JWT are told who asks. A proxy must drop what
// a request itself carries under these names.
const (
	HeaderUser   = "Remote-User"   // a person's username
	HeaderName   = "Remote-Name"   // what a person is called
	HeaderEmail  = "Remote-Email"  // a person's address, if it is verified
	HeaderGroups = "Remote-Groups" // a person's roles, separated by commas
)

// headers says which person asks. Of a client that acts for itself nothing is said: its id
// may be somebody's username, and services that read these headers know people only. A header
// that has nothing to say is there and empty, so that none of the request's own is left
// standing in its place.
func headers(who *Identity) map[string]string {
	if who.User == nil {
		return map[string]string{HeaderUser: "", HeaderName: "", HeaderEmail: "", HeaderGroups: ""}
	}
	u, email := who.User, ""
	if u.EmailVerified {
		email = u.Email
	}
	groups := make([]string, len(u.Roles))
	for i, role := range u.Roles {
		groups[i] = escape(role, ",")
	}
	return map[string]string{
		HeaderUser: escape(u.Username, ""), HeaderName: escape(u.DisplayName(), ""),
		HeaderEmail: escape(email, ""), HeaderGroups: strings.Join(groups, ","),
	}
}

// escape makes text safe to stand in a header: printable ASCII stays as it is; all other
// bytes of the UTF-8 form, the percent sign, those of also, and spaces at the ends, which
// proxies drop, are percent-encoded (RFC 3986 §2.1). Whoever decodes it gets back the text.
func escape(text, also string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		edge := c == ' ' && (strings.Trim(text[:i], " ") == "" || strings.Trim(text[i:], " ") == "")
		if c >= ' ' && c <= '~' && c != '%' && !edge && strings.IndexByte(also, c) < 0 {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return out.String()
}
