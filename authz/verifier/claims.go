package verifier

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
)

// claims are those of RFC 9068 §2.2, and what Signet adds. This decoder minds the case of names
// and refuses a name that comes twice, so that "SUB" can never stand in for "sub".
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope"`
	ID       string   `json:"jti"`

	Expiry    numericDate `json:"exp"`
	IssuedAt  numericDate `json:"iat"`
	NotBefore numericDate `json:"nbf"`
	AuthTime  numericDate `json:"auth_time"`

	ACR   string   `json:"acr"`
	AMR   []string `json:"amr"`
	Roles []string `json:"roles"`

	Actor        *Actor          `json:"act"`
	Confirmation json.RawMessage `json:"cnf"`
	Status       *status         `json:"status"`
}

// status says where one may learn whether the token still holds (draft-ietf-oauth-status-list).
type status struct {
	List *statusRef `json:"status_list"`
}

type statusRef struct {
	Index *uint64 `json:"idx"`
	URI   string  `json:"uri"`
}

// audience is one string or a list of them (RFC 7519 §4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// numericDate is seconds since the epoch, perhaps with a fraction (RFC 7519 §2); the zero time
// when absent.
type numericDate struct{ time.Time }

const lastSecond = 253402300799 // of the year 9999

func (d *numericDate) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return err
	}
	if seconds < 0 || seconds > lastSecond {
		return fmt.Errorf("time %s is out of range", data)
	}
	whole := int64(seconds)
	d.Time = time.Unix(whole, int64((seconds-float64(whole))*float64(time.Second)))
	return nil
}

func parseClaims(payload []byte) (*claims, error) {
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, fmt.Errorf("%w: claims: %w", ErrMalformed, err)
	}
	if name := c.missing(); name != "" {
		return nil, fmt.Errorf("%w: no %s", ErrMalformed, name)
	}
	if c.Status != nil {
		if c.Status.List == nil || c.Status.List.Index == nil || c.Status.List.URI == "" {
			return nil, fmt.Errorf("%w: status cannot be looked up", ErrMalformed)
		}
	}
	return &c, nil
}

// missing names a required claim that is not there (RFC 9068 §2.2).
func (c *claims) missing() string {
	switch {
	case c.Issuer == "":
		return "iss"
	case c.Subject == "":
		return "sub"
	case len(c.Audience) == 0:
		return "aud"
	case c.ClientID == "":
		return "client_id"
	case c.ID == "":
		return "jti"
	case c.Expiry.IsZero():
		return "exp"
	case c.IssuedAt.IsZero():
		return "iat"
	}
	return ""
}

// meantFor checks who made the token and for whom.
func (c *claims) meantFor(issuer, audience string) error {
	if c.Issuer != issuer {
		return fmt.Errorf("%w: %q", ErrWrongIssuer, c.Issuer)
	}
	if !slices.Contains(c.Audience, audience) {
		return fmt.Errorf("%w: %q", ErrWrongAudience, []string(c.Audience))
	}
	return nil
}

// current checks the times against a clock that may be off by leeway either way.
func (c *claims) current(now time.Time, leeway time.Duration) error {
	if !now.Before(c.Expiry.Add(leeway)) {
		return fmt.Errorf("%w at %s", ErrExpired, c.Expiry.UTC().Format(time.RFC3339))
	}
	latest := now.Add(leeway)
	if c.NotBefore.After(latest) || c.IssuedAt.After(latest) {
		return fmt.Errorf("%w: look at the clocks", ErrNotYetValid)
	}
	return nil
}

func (c *claims) token(payload []byte) *Token {
	return &Token{
		Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, ClientID: c.ClientID,
		Scopes: strings.Fields(c.Scope), ID: c.ID,
		ExpiresAt: c.Expiry.Time, IssuedAt: c.IssuedAt.Time, AuthTime: c.AuthTime.Time,
		ACR: c.ACR, AMR: c.AMR, Roles: c.Roles,
		Actor: c.Actor, Confirmation: []byte(c.Confirmation),
		payload: payload,
	}
}
