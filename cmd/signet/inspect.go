package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
)

// inspection is what a credential tells by itself. It holds nothing that could be used in
// its place: of a JWT the signature is missing, of all others what follows the prefix.
type inspection struct {
	Kind      string    `json:"kind"`
	Good      bool      `json:"well_formed"`
	Problem   string    `json:"problem,omitempty"` // why it is malformed
	Summary   string    `json:"summary,omitempty"`
	ID        string    `json:"id,omitempty"` // of an API token: how lists and the audit log call it
	Header    []member  `json:"header,omitempty"`
	Claims    []member  `json:"claims,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Expired   *bool     `json:"expired,omitempty"` // of a JWT that says when it ends
	Notes     []string  `json:"notes,omitempty"`
}

// inspect says what a text is, at a moment.
func inspect(text string, now time.Time) inspection {
	out := inspectKind(text, now)
	out.Good = out.Problem == ""
	return out
}

func inspectKind(text string, now time.Time) inspection {
	switch {
	case strings.HasPrefix(text, authz.PrefixAPIToken):
		return inspectAPIToken(text)
	case strings.HasPrefix(text, authz.PrefixClientSecret):
		return inspectSecret(text)
	case strings.HasPrefix(text, authz.PrefixCode):
		return inspectSealed(text, authz.PrefixCode, codeBytes, "authorization_code",
			"An authorization code: an app changes it for tokens, once, within a minute.")
	case strings.HasPrefix(text, authz.PrefixRefreshToken):
		return inspectSealed(text, authz.PrefixRefreshToken, refreshBytes, "refresh_token",
			"A refresh token: an app gets new access tokens with it for as long as a person allows.")
	case strings.Count(text, ".") == 4:
		return inspection{Kind: "encrypted", Problem: "the token is encrypted (JWE): only whom it is for can read it"}
	case strings.Contains(text, "."):
		return inspectJWT(text, now)
	}
	return inspection{Kind: "unknown", Problem: "this is no token that Signet knows: its own begin with " +
		"sgp_, sgs_, sgc_ or sgr_, and a JWT has three parts with dots between them"}
}

const onlyTheServer = "Form and checksum are right. Whether it works, only the server knows."

func inspectAPIToken(text string) inspection {
	out := inspection{Kind: "api_token"}
	found := apitoken.Inspect(text)
	if found.Problem != "" {
		out.Problem = "the API token is malformed: it " + strings.TrimPrefix(found.Problem, "it ")
		if found.Form {
			out.Problem = "the API token is malformed: " + found.Problem
		}
		return out
	}
	out.ID = found.ID
	out.Summary = "An API token: a person made it for a script or a program."
	out.Notes = []string{onlyTheServer}
	return out
}

func inspectSecret(text string) inspection {
	out := inspection{Kind: "client_secret"}
	if !authz.WellFormed(authz.PrefixClientSecret, text) {
		out.Problem = "the client secret is malformed: it was mistyped, cut or invented"
		return out
	}
	out.Summary = "A client secret: an app or a service shows who it is with it."
	out.Notes = []string{onlyTheServer}
	return out
}

// How much is behind the prefix of what a grant has given out, in bytes: the grant's id
// and a secret; or a version, that id, a place in the sequence and a MAC.
const (
	codeBytes    = 16 + 32
	refreshBytes = 1 + 16 + 4 + 32
)

func inspectSealed(text, prefix string, size int, kind, summary string) inspection {
	out := inspection{Kind: kind}
	if raw, err := decodePart(strings.TrimPrefix(text, prefix)); err != nil || len(raw) != size {
		out.Problem = fmt.Sprintf("the %s is malformed: it was mistyped, cut or invented", strings.ReplaceAll(kind, "_", " "))
		return out
	}
	out.Summary = summary
	out.Notes = []string{"Its form is right. Whether it works, only the server knows."}
	return out
}

// decodePart reads base64url without padding (RFC 7515 §2), in its one right spelling.
func decodePart(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which the decoder would pass over
		return nil, base64.CorruptInputError(0)
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}
