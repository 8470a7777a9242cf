package gateway

import (
	"strings"

	"github.com/signet-auth/signet/authz"
)

// Outcome is what a check comes to. The zero Outcome lets nobody through.
type Outcome uint8

// The outcomes, and the status that each has over HTTP where a dialect has no other.
const (
	Unavailable     Outcome = iota // 503: who asks could not be found out
	Misconfigured                  // 500: the proxy's settings make no sense
	Unauthenticated                // 401 with a challenge
	Forbidden                      // 403
	SignIn                         // 302 to Location: a person can mend it
	Allow                          // 200 with Token and Headers
)

// String names the outcome for logs.
func (o Outcome) String() string {
	names := [...]string{"unavailable", "misconfigured", "unauthenticated", "forbidden", "sign-in", "allow"}
	if int(o) < len(names) {
		return names[o]
	}
	return "unknown"
}

// Verdict is the answer to a check.
type Verdict struct {
	Outcome Outcome
	// Token is the short access token that the service gets in place of what the client
	// showed; only with Allow.
	Token string
	// Headers are what the service is told beside it, made safe to stand in a header. Other
	// checks have the same map: nobody may change it.
	Headers map[string]string
	// Challenge is the value of WWW-Authenticate (RFC 6750 §3); empty: none.
	Challenge string
	// Location is where a person signs in: a URL at the protected host; only with SignIn.
	Location string
	// Reason says why in words that are meant for the log and hold no credential.
	Reason string
}

// The codes of RFC 6750 §3.1.
const (
	codeInvalidToken      = "invalid_token"
	codeInsufficientScope = "insufficient_scope"
)

// challenge writes the value of WWW-Authenticate (RFC 6750 §3). Without a code it is that
// for a request that showed nothing.
func (t *target) challenge(code, description string, scopes authz.Scopes) string {
	out := `Bearer realm="` + quotable(t.api.Identifier) + `"`
	if code != "" {
		out += `, error="` + code + `", error_description="` + quotable(description) + `"`
	}
	if len(scopes) > 0 {
		out += `, scope="` + quotable(scopes.String()) + `"`
	}
	return out
}

// quotable drops what may not stand between quotes in a challenge (RFC 6750 §3).
func quotable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
}
