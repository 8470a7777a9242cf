package authz

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Legible reports whether a text of at most so many characters can be shown to people as
// it is: it prints, has no space around it, and cannot change the order or the look of what
// stands beside it. The joiners that some scripts are written with are fine.
func Legible(s string, most int) bool {
	return s != "" && strings.TrimSpace(s) == s && utf8.RuneCountInString(s) <= most && Prints(s)
}

// Prints reports whether a text is UTF-8 in which every character can be seen, spaces and the
// joiners of some scripts aside. It may be empty.
func Prints(s string) bool {
	for _, r := range s {
		if joiner := r == '\u200c' || r == '\u200d'; !unicode.IsGraphic(r) && !joiner {
			return false
		}
	}
	return utf8.ValidString(s)
}

// Either names a choice in a sentence: web, native or service.
func Either(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// OIDCSentence says to a person what a scope of OpenID Connect allows (Core §5.4, §11);
// empty for every other scope. Those of APIs are registered with them.
func OIDCSentence(scope string) string {
	switch scope {
	case ScopeOpenID:
		return "Recognise you when you sign in"
	case ScopeProfile:
		return "See your name and username"
	case ScopeEmail:
		return "See your email address"
	case ScopeOfflineAccess:
		return "Keep this access while you are away"
	}
	return ""
}
