package authz

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// UserClaims are what an administrator says of a person under names of their own choice: a
// string, a json.Number, a bool or a list of strings. An API that lists a name is told it in
// the tokens that are for it (API.Claims), which whoever has them can read.
type UserClaims map[string]any

// What all claims of a person may come to. They stand in tokens, and those in headers.
const (
	maxUserClaims     = 32
	maxUserClaimBytes = 4 << 10 // as JSON
	maxClaimName      = 64
	maxClaimURI       = 255
	maxClaimNumber    = 32 // characters
)

// takenClaims are names that mean something already: to Signet, by a registration (RFC 7519
// §10.1, RFC 7662 §3.1), or to libraries that take who somebody is or what they may do from
// them. An administrator who made one up would say what only the server may.
var takenClaims = func() map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq(`
		iss sub aud exp nbf iat jti typ alg kid cty
		client_id azp scope scp nonce auth_time acr amr sid at_hash c_hash s_hash
		cnf act may_act status status_list ttl sub_id sub_jwk events txn toe htm htu ath
		vot vtm vc vp verified_claims token_introspection
		active token_type username user_name user_id unique_name upn winaccountname
		uid nameid oid tid appid cid wids actort
		roles role group groups entitlements permissions authorities authorization_details scopes
		name given_name family_name middle_name nickname preferred_username profile picture website
		email email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at
		place_of_birth nationalities birth_family_name birth_given_name birth_middle_name also_known_as msisdn`) {
		out[name] = true
	}
	return out
}()

// ClaimNameProblem says why a custom claim may not be called so; empty when it may. A short
// name is private between this server and its APIs (RFC 7519 §4.3), an https URI is nobody
// else's (§4.2).
func ClaimNameProblem(name string) string {
	switch {
	case takenClaims[name]:
		return fmt.Sprintf("%q means something to services already: choose another name, or an https URI (RFC 7519 §4.2)", name)
	case isShortClaim(name), isClaimURI(name):
		return ""
	}
	return fmt.Sprintf("%.64q is no name for a claim: it takes up to %d characters a-z, 0-9 and _ that begin with a letter, "+
		"or an https URI (RFC 7519 §4.2)", name, maxClaimName)
}

func isShortClaim(name string) bool {
	for i, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '_') {
			return false
		}
	}
	return name != "" && len(name) <= maxClaimName
}

// isClaimURI keeps to URIs that have one spelling for people and programs: names are compared
// to the letter.
func isClaimURI(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || strings.IndexByte("\\\"<>^`{|}", c) >= 0 {
			return false
		}
	}
	u, err := url.Parse(name)
	return err == nil && len(name) <= maxClaimURI && strings.HasPrefix(name, "https://") && u.Hostname() != "" && u.User == nil
}

// UnmarshalJSON keeps numbers as they are written. What is no claim it keeps too, so that
// Validate can name it.
func (c *UserClaims) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		return err
	}
	for name, value := range all {
		if list, ok := value.([]any); ok {
			all[name] = listOfStrings(list)
		}
	}
	*c = all
	return nil
}

// listOfStrings gives a list as []string, or as it is when something else is in it.
func listOfStrings(list []any) any {
	out := make([]string, len(list))
	for i, one := range list {
		var ok bool
		if out[i], ok = one.(string); !ok {
			return list
		}
	}
	return out
}

// Changed lists the names under which something else is said in next, or nothing any more.
func (c UserClaims) Changed(next UserClaims) []string {
	var out []string
	for _, all := range []UserClaims{c, next} {
		for name := range all {
			if !reflect.DeepEqual(c[name], next[name]) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Validate refuses what no token shall say, but for what was said before: a name may have got
// a meaning since. The error is an *InvalidError about the field claims.
func (c UserClaims) Validate(before UserClaims) error {
	if len(c) > maxUserClaims {
		return Invalid("claims", fmt.Sprintf("must be at most %d", maxUserClaims))
	}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if was, said := before[name]; said && reflect.DeepEqual(was, c[name]) {
			continue
		}
		if problem := ClaimNameProblem(name); problem != "" {
			return Invalid("claims", problem)
		}
		if problem := claimProblem(c[name]); problem != "" {
			return Invalid("claims", name+" "+problem)
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return Invalid("claims", "must be JSON")
	}
	if len(text) > maxUserClaimBytes {
		return Invalid("claims", fmt.Sprintf("must have at most %d bytes as JSON, and have %d", maxUserClaimBytes, len(text)))
	}
	return nil
}

// claimProblem says why a claim may not have a value; empty when it may.
func claimProblem(value any) string {
	const unprintable = "must have characters that print"
	switch v := value.(type) {
	case bool:
		return ""
	case json.Number:
		return numberProblem(v.String())
	case string:
		if !Prints(v) {
			return unprintable
		}
		return ""
	case []string:
		for _, one := range v {
			if !Prints(one) {
				return unprintable
			}
		}
		return ""
	}
	return "must be a string, a number, true, false or a list of strings"
}

// numberProblem keeps to numbers that both databases give back as they were written: one of
// them writes out what has an exponent, and knows no zero below zero.
func numberProblem(n string) string {
	if len(n) > maxClaimNumber || strings.ContainsAny(n, "eE") || strings.HasPrefix(n, "-") && strings.Trim(n, "-0.") == "" {
		return fmt.Sprintf("must be a number such as -12 or 3.25, of at most %d characters", maxClaimNumber)
	}
	return ""
}
