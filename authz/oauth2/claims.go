package oauth2

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/signet-auth/signet/authz"
)

// claimsRequest is the claims parameter (OpenID Connect Core §5.5).
type claimsRequest struct {
	UserInfo map[string]*claimDemand `json:"userinfo,omitempty"`
	IDToken  map[string]*claimDemand `json:"id_token,omitempty"`
}

// claimDemand is one member of it; null asks for the claim without conditions.
type claimDemand struct {
	Essential bool              `json:"essential,omitempty"`
	Value     json.RawMessage   `json:"value,omitempty"`
	Values    []json.RawMessage `json:"values,omitempty"`
}

const maxClaims = 4 << 10

func parseClaims(text string) (claimsRequest, error) {
	var c claimsRequest
	if text == "" {
		return c, nil
	}
	if len(text) > maxClaims {
		return c, errors.New("claims parameter is too long")
	}
	err := json.Unmarshal([]byte(text), &c)
	return c, err
}

// subject is the person that the request insists on (OpenID Connect Core §5.5.1).
func (c claimsRequest) subject() string {
	var sub string
	if d := c.IDToken["sub"]; d != nil && len(d.Value) > 0 {
		_ = json.Unmarshal(d.Value, &sub) // a value that is no string names nobody
	}
	return sub
}

// acr reports whether the authentication context is good enough: only an essential demand
// can refuse (OpenID Connect Core §5.5.1.1).
func (c claimsRequest) acr(acr string) bool {
	d := c.IDToken["acr"]
	if d == nil || !d.Essential {
		return true
	}
	wanted := d.Values
	if len(d.Value) > 0 {
		wanted = append(wanted, d.Value)
	}
	return len(wanted) == 0 && acr != "" || slices.ContainsFunc(wanted, func(raw json.RawMessage) bool {
		var one string
		return json.Unmarshal(raw, &one) == nil && one == acr && acr != ""
	})
}

func (c claimsRequest) encode() json.RawMessage {
	if len(c.UserInfo) == 0 && len(c.IDToken) == 0 {
		return nil
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return nil // it was parsed from JSON: it cannot fail to be written
	}
	return raw
}

// personClaims gives the claims about a person that scopes ask for (OpenID Connect Core
// §5.4), and those that were demanded one by one.
func personClaims(u *authz.User, scopes authz.Scopes, demanded map[string]*claimDemand) map[string]any {
	all := map[string]any{
		"name": u.Profile.Name, "given_name": u.Profile.GivenName, "family_name": u.Profile.FamilyName,
		"nickname": u.Profile.Nickname, "picture": u.Profile.Picture, "website": u.Profile.Website,
		"locale": u.Profile.Locale, "zoneinfo": u.Profile.Zoneinfo,
		"preferred_username": u.Username, "updated_at": u.UpdatedAt.Unix(),
		"email": u.Email,
	}
	if u.Email != "" {
		all["email_verified"] = u.EmailVerified
	}
	out := map[string]any{}
	for name, value := range all {
		_, asked := demanded[name]
		if value != "" && (asked || scopes.Has(scopeOf(name))) {
			out[name] = value
		}
	}
	return out
}

// scopeOf is the scope whose claims include one.
func scopeOf(claim string) string {
	if claim == "email" || claim == "email_verified" {
		return authz.ScopeEmail
	}
	return authz.ScopeProfile
}
