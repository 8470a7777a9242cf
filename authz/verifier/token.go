package verifier

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Token is an access token that was found good: what it says can be relied on. It is a copy of
// the caller's own.
type Token struct {
	Issuer    string
	Subject   string    // sub: the person, or the client itself where no person is involved
	Audience  []string  // aud
	ClientID  string    // client_id: the program that asks
	Scopes    []string  // scope, in the order given
	ID        string    // jti
	ExpiresAt time.Time // exp
	IssuedAt  time.Time // iat

	AuthTime time.Time // auth_time: when the person signed in; zero where no person did
	ACR      string    // acr: how strongly
	AMR      []string  // amr: by which means
	Roles    []string  // roles of the subject

	// Actor is who acts for the subject (RFC 8693 §4.1), nil where nobody does.
	Actor *Actor

	// Confirmation is the cnf claim as JSON (RFC 7800), nil where there is none. Where it is
	// set, the token is bound to a key, and only whoever received the request can tell that
	// its sender holds that key: this package does not.
	Confirmation json.RawMessage

	payload []byte
}

// Actor is one link of the chain of those who act for the subject, the latest first. Decide by
// the first only; the rest is history (RFC 8693 §4.1).
type Actor struct {
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
	Actor    *Actor `json:"act"`
}

// HasScope says whether the token carries the scope, compared exactly.
func (t *Token) HasScope(scope string) bool { return slices.Contains(t.Scopes, scope) }

// Claim decodes the claim called name into what v points to, as encoding/json does. The error
// is [ErrNoClaim] when the token does not carry it.
func (t *Token) Claim(name string, v any) error {
	var all map[string]json.RawMessage
	if len(t.payload) > 0 {
		if err := json.Unmarshal(t.payload, &all); err != nil {
			return fmt.Errorf("decode claims: %w", err)
		}
	}
	value, ok := all[name]
	if !ok {
		return fmt.Errorf("%w: %s", ErrNoClaim, name)
	}
	if err := json.Unmarshal(value, v); err != nil {
		return fmt.Errorf("decode claim %s: %w", name, err)
	}
	return nil
}

// String names the token without saying anything that could be used as one.
func (t Token) String() string {
	return fmt.Sprintf("token %q of %q for client %q", t.ID, t.Subject, t.ClientID)
}

// GoString is String: %#v must not show more.
func (t Token) GoString() string { return t.String() }

// clone gives a copy that shares nothing a caller could change.
func (t *Token) clone() *Token {
	own := *t
	own.Audience = slices.Clone(t.Audience)
	own.Scopes = slices.Clone(t.Scopes)
	own.AMR = slices.Clone(t.AMR)
	own.Roles = slices.Clone(t.Roles)
	own.Confirmation = slices.Clone(t.Confirmation)
	own.Actor = t.Actor.clone()
	return &own
}

func (a *Actor) clone() *Actor {
	if a == nil {
		return nil
	}
	own := *a
	own.Actor = a.Actor.clone()
	return &own
}
