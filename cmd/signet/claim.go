package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// jwtKind is what a JWT is for.
type jwtKind struct{ name, summary string }

// kindOf goes by typ, which is there to tell kinds apart (RFC 8725 §3.11). ID tokens have
// none of their own, but claims that nothing else has.
func kindOf(header, claims []member) jwtKind {
	typ := strings.TrimPrefix(strings.ToLower(textOf(header, "typ")), "application/")
	switch typ {
	case "at+jwt":
		return jwtKind{"access_token", "An access token (RFC 9068): an app shows it to an API."}
	case "statuslist+jwt":
		return jwtKind{"status_list", "A status list: it says which tokens were revoked."}
	case "logout+jwt":
		return jwtKind{"logout_token", "A logout token: it tells an app that a person has signed out."}
	case "dpop+jwt":
		return jwtKind{"dpop_proof", "A DPoP proof (RFC 9449): it shows that an app holds the key that its token is bound to."}
	}
	for _, name := range []string{"nonce", "at_hash", "c_hash"} {
		if _, ok := find(claims, name); ok && (typ == "" || typ == "jwt") {
			return jwtKind{"id_token", "An ID token (OpenID Connect Core §2): it tells an app who has signed in. No API takes it."}
		}
	}
	return jwtKind{"jwt", "A JWT (RFC 7519). Its header does not say what it is for."}
}

// headerMeaning says what a member of the header means (RFC 7515 §4.1).
func headerMeaning(m member) string {
	text, _ := m.text()
	switch m.Name {
	case "alg":
		return signedBy(text)
	case "typ":
		return "what kind of token it is"
	case "kid":
		return "by which of the issuer's keys it is signed"
	case "cty":
		return "what is inside"
	case "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256":
		return "a key that it brings along itself: it is no reason to believe it"
	case "crit":
		return "what has to be understood by whoever takes it"
	}
	return unknownMeaning
}

const (
	unknownMeaning = "only the issuer knows"
	ownMeaning     = "no standard claim: the issuer and whom it is for know"
)

func signedBy(alg string) string {
	names := map[string]string{
		"ES256": "ECDSA on the curve P-256", "ES384": "ECDSA on the curve P-384", "ES512": "ECDSA on the curve P-521",
		"EdDSA": "EdDSA, on the curve Ed25519 as a rule", "Ed25519": "EdDSA on the curve Ed25519",
		"RS256": "RSA (PKCS #1 v1.5) with SHA-256", "PS256": "RSA (PSS) with SHA-256",
		"HS256": "a secret that both sides know: who can check it can also make it",
		"none":  "not at all",
	}
	if name, ok := names[alg]; ok {
		return "how it is signed: " + name
	}
	return "how it is signed"
}

// claimMeaning says in plain words what a claim means.
func claimMeaning(m member, all []member) string {
	if said := datedMeaning(m); said != "" {
		return said
	}
	text, _ := m.text()
	switch m.Name {
	case "sub":
		return subject(text, textOf(all, "client_id"))
	case "client_id":
		if strings.HasPrefix(text, authz.PrefixToken) {
			return "the API token that it was made from"
		}
		return "the app or service that it was issued to"
	case "scope":
		return fmt.Sprintf("what it allows: %s", count(len(strings.Fields(text)), "scope", "scopes"))
	case "aud":
		return "whom it is for: nobody else may take it"
	case "amr":
		return "by what the person signed in" + methods(m.Value)
	case "status":
		return "where it stands in a list of revoked tokens" + entryOf(m.Value)
	}
	if said, ok := plainMeanings()[m.Name]; ok {
		return said
	}
	return ownMeaning
}

func datedMeaning(m member) string {
	words := map[string]string{
		"exp": "it expires on ", "nbf": "it is good from ", "iat": "it was issued on ",
		"auth_time": "the person signed in on ", "updated_at": "what is said of the person was changed on ",
	}
	begin, ok := words[m.Name]
	if !ok {
		return ""
	}
	at, ok := m.moment()
	if !ok {
		return "is no date"
	}
	return begin + moment(at)
}

func subject(sub, client string) string {
	switch {
	case strings.HasPrefix(sub, authz.PrefixUser):
		return "the person that it is about, by an id that never changes"
	case sub != "" && sub == client:
		return "the service itself: no person is involved"
	}
	return "whom it is about"
}

func methods(raw json.RawMessage) string {
	names := map[string]string{
		"pwd": "a password", "otp": "a one-time password", "mfa": "more than one thing", "hwk": "a key in hardware",
		"swk": "a key in software", "pin": "a PIN", "fpt": "a fingerprint", "face": "a face", "user": "a press of a button",
	}
	var amr []string
	if json.Unmarshal(raw, &amr) != nil {
		return ""
	}
	var said []string
	for _, one := range amr {
		if name, ok := names[one]; ok {
			said = append(said, name)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said, ", ")
}

func entryOf(raw json.RawMessage) string {
	var status authz.Status
	if json.Unmarshal(raw, &status) != nil || status.List.URI == "" {
		return ""
	}
	return fmt.Sprintf(": entry %d", status.List.Index)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// plainMeanings are those that need no look at the value.
func plainMeanings() map[string]string {
	return map[string]string{
		"iss": "who issued it", "jti": "its own name, which no other token has",
		"azp":   "the app that it was issued to",
		"acr":   "how well it is known that it was this person",
		"nonce": "by which the app knows its own sign-in request again", "sid": "the person's session at the issuer",
		"at_hash": "which access token came with it", "c_hash": "which authorization code came with it", "s_hash": "which state came with it",
		"act": "who acts for the person, the latest first (RFC 8693)", "may_act": "who may act for the person (RFC 8693)",
		"cnf":                   "the key that whoever shows it must prove to have (RFC 7800)",
		"authorization_details": "what it allows, in detail (RFC 9396)", "events": "what has happened",
		"roles": "the roles of the person", "groups": "the groups of the person", "entitlements": "what the person may do",
		"name": "the name of the person", "given_name": "the first name of the person", "family_name": "the family name of the person",
		"nickname": "what the person likes to be called", "preferred_username": "the username of the person; it can change",
		"picture": "where a picture of the person is", "website": "the website of the person",
		"email": "the email address of the person; it can change", "email_verified": "whether the address is known to be theirs",
		"locale": "the language of the person", "zoneinfo": "the time zone of the person",
		"status_list": "the list itself, compressed", "ttl": "how long it may be kept before it is fetched again, in seconds",
		"htm": "the method of the request that it is for", "htu": "the address of the request that it is for",
		"ath": "which access token it goes with",
	}
}
