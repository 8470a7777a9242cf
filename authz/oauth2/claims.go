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

// subject is the person that the request insists on (OpenID Connect Core §5.5.1); empty for
// none. Who cannot be one person is an error: to drop the demand would be to grant it to
// anybody.
func (c claimsRequest) subject() (string, error) {
	var sub string
	for _, d := range []*claimDemand{c.IDToken["sub"], c.UserInfo["sub"]} {
		for _, raw := range d.values() {
			var one string
			if err := json.Unmarshal(raw, &one); err != nil || one == "" || sub != "" && one != sub {
				return "", errors.New("claims parameter demands nobody or several people")
			}
			sub = one
		}
	}
	return sub, nil
}

// values are those of which the claim shall have one; none leaves it open.
func (d *claimDemand) values() []json.RawMessage {
	if d == nil {
		return nil
	}
	if len(d.Value) == 0 {
		return d.Values
	}
	return append(slices.Clone(d.Values), d.Value)
}

// acr reports whether the authentication context is good enough: only an essential demand
// can refuse (OpenID Connect Core §5.5.1.1).
func (c claimsRequest) acr(acr string) bool {
	d := c.IDToken["acr"]
	if d == nil || !d.Essential {
		return true
	}
	wanted := d.values()
	return len(wanted) == 0 && acr != "" || slices.ContainsFunc(wanted, func(raw json.RawMessage) bool {
		var one string
		return json.Unmarshal(raw, &one) == nil && one == acr && acr != ""
	})
}

// encode gives what is still of use when tokens are made: which claims are wanted where.
func (c claimsRequest) encode() json.RawMessage {
	kept := claimsRequest{UserInfo: served(c.UserInfo), IDToken: served(c.IDToken)}
	if len(kept.UserInfo) == 0 && len(kept.IDToken) == 0 {
		return nil
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return nil // names of ours and nothing else: it cannot fail to be written
	}
	return raw
}

// demandsOf gives the claims that a grant was asked for with. What comes of an API token has
// no grant, and no demands.
func demandsOf(g *authz.Grant) claimsRequest {
	var c claimsRequest
	if g != nil && len(g.Claims) > 0 {
		_ = json.Unmarshal(g.Claims, &c) // we wrote it: at worst nothing is demanded
	}
	return c
}

// served keeps the names of the claims that there are about a person.
func served(demands map[string]*claimDemand) map[string]*claimDemand {
	out := map[string]*claimDemand{}
	for name := range demands {
		if scopeOf(name) != "" {
			out[name] = nil
		}
	}
	return out
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

// The claims that the scopes of the same names stand for (OpenID Connect Core §5.4).
var (
	profileClaims = []string{
		"name", "given_name", "family_name", "nickname", "picture", "website", "locale", "zoneinfo",
		"preferred_username", "updated_at",
	}
	emailClaims = []string{"email", "email_verified"}
)

// scopeOf is the scope whose claims include one; empty for what is no claim about a person.
func scopeOf(claim string) string {
	switch {
	case slices.Contains(emailClaims, claim):
		return authz.ScopeEmail
	case slices.Contains(profileClaims, claim):
		return authz.ScopeProfile
	}
	return ""
}
