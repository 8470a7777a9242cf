package authz

import (
	"slices"
	"strings"
)

// Scopes is a set of scope tokens in the order in which they were first named
// (RFC 6749 §3.3). Its text form is space separated.
type Scopes []string

// The scopes of OpenID Connect Core §5.4 and §11 that the issuer itself understands.
const (
	ScopeOpenID        = "openid"
	ScopeProfile       = "profile"
	ScopeEmail         = "email"
	ScopeOfflineAccess = "offline_access"
)

// OIDCScopes are the scopes that belong to no API.
func OIDCScopes() Scopes {
	return Scopes{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeOfflineAccess}
}

// ParseScopes reads a space separated list and drops repetitions.
func ParseScopes(s string) Scopes {
	var out Scopes
	for one := range strings.FieldsSeq(s) {
		if !out.Has(one) {
			out = append(out, one)
		}
	}
	return out
}

func (s Scopes) String() string { return strings.Join(s, " ") }

// Has reports whether one scope is in the set. Scopes are compared exactly: no
// hierarchy, no wildcard.
func (s Scopes) Has(scope string) bool { return slices.Contains(s, scope) }

// Contains reports whether every scope of other is in the set.
func (s Scopes) Contains(other Scopes) bool { return len(other.Without(s)) == 0 }

// Within keeps the scopes that are in allowed too, in their order here.
func (s Scopes) Within(allowed Scopes) Scopes {
	return s.filter(allowed.Has)
}

// Without drops the scopes that are in other.
func (s Scopes) Without(other Scopes) Scopes {
	return s.filter(func(one string) bool { return !other.Has(one) })
}

// With adds the scopes of other that are not in the set yet.
func (s Scopes) With(other Scopes) Scopes {
	return append(slices.Clone(s), other.Without(s)...)
}

// Bound gives the set as one of ScopeLimits: an empty one lets nothing through, where nil
// would be no bound.
func (s Scopes) Bound() Scopes { return append(Scopes{}, s...) }

func (s Scopes) filter(keep func(string) bool) Scopes {
	var out Scopes
	for _, one := range s {
		if keep(one) {
			out = append(out, one)
		}
	}
	return out
}

// ScopeLimits are the bounds of what a token may say: what the client is registered for,
// what the person's roles let them grant, what the person consented to, and what the
// APIs of the token know. A bound that does not apply is nil; Scopes.Bound makes one of a
// set that may be empty.
type ScopeLimits struct {
	Client    Scopes
	APIs      Scopes
	Roles     []Role // of the person; nil: no person is involved
	Consented Scopes
}

// Decide gives asked ∩ client ∩ APIs ∩ roles ∩ consented. It is the only place where the
// scopes of a token are decided.
func (l ScopeLimits) Decide(asked Scopes) Scopes {
	out := asked
	for _, bound := range []Scopes{l.Client, l.APIs, l.Consented} {
		if bound != nil {
			out = out.Within(bound)
		}
	}
	if l.Roles != nil {
		out = Grantable(out, l.Roles)
	}
	return out
}

// MarshalText and UnmarshalText give the space separated form that OAuth uses on the wire.
func (s Scopes) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the space separated form.
func (s *Scopes) UnmarshalText(text []byte) error {
	*s = ParseScopes(string(text))
	return nil
}

// ValidScope reports whether s is one scope-token of RFC 6749 §3.3: printable ASCII
// without space, quote and backslash, and at most 128 characters.
func ValidScope(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
