package apitoken

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// Verified is a token that may be used at this moment.
type Verified struct {
	Token *authz.APIToken
	User  *authz.User
	// Scopes are what is left of the token's after the roles that its owner has today and the
	// scopes that the API has today.
	Scopes authz.Scopes
}

// Verify says whether a token may be used from an address, with at most one statement. What
// has not the form or the checksum of a token is ErrInvalid without any; so is a token that
// is unknown, expired or revoked. ErrAddress when it may not come from there. Everything
// else is an outage.
func (s *Service) Verify(ctx context.Context, token string, address netip.Addr) (*Verified, error) {
	v, err := s.Find(ctx, token)
	if err != nil {
		return nil, err
	}
	if !v.Token.AllowsFrom(address.WithZone("")) {
		return nil, ErrAddress
	}
	return v, nil
}

// Find is Verify for who asks once for many requests and holds the token's networks against
// the address of each.
func (s *Service) Find(ctx context.Context, token string) (*Verified, error) {
	if !authz.WellFormed(authz.PrefixAPIToken, token) {
		return nil, ErrInvalid
	}
	secret := authz.Secret(token)
	v, owner, err := s.cfg.Store.LiveAPIToken(ctx, authz.APITokenID(secret.Hash()), s.cfg.Now())
	if errors.Is(err, authz.ErrNotFound) {
		return nil, ErrInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("verify API token: %w", err)
	}
	if !secret.Matches(v.Hash) {
		return nil, ErrInvalid
	}
	scopes, err := s.remaining(ctx, v, owner)
	if err != nil {
		return nil, err
	}
	return &Verified{Token: v, User: owner, Scopes: scopes}, nil
}

func (s *Service) remaining(ctx context.Context, v *authz.APIToken, owner *authz.User) (authz.Scopes, error) {
	api, err := s.cfg.Catalog.API(ctx, v.API)
	if errors.Is(err, authz.ErrNotFound) {
		return nil, ErrInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("verify API token: %w", err)
	}
	return s.decide(ctx, api, owner, nil, v.Scopes)
}

// Inspection is what a token tells without a database.
type Inspection struct {
	Form     bool   `json:"form"`              // prefix, length and digits are right
	Checksum bool   `json:"checksum"`          // and so is the checksum at its end
	ID       string `json:"id,omitempty"`      // by which the server knows it; no secret
	Problem  string `json:"problem,omitempty"` // what is wrong, for people
}

// tokenLength is that of every token: a prefix, 43 digits of secret and 6 of checksum.
const tokenLength = len(authz.PrefixAPIToken) + 43 + 6

// Inspect checks the form and the checksum of a token. It says nothing about whether the
// token is known anywhere.
func Inspect(token string) Inspection {
	digits, ours := strings.CutPrefix(token, authz.PrefixAPIToken)
	switch {
	case !ours:
		return Inspection{Problem: "does not begin with " + authz.PrefixAPIToken}
	case len(token) != tokenLength:
		return Inspection{Problem: fmt.Sprintf("has %d characters; an API token has %d", len(token), tokenLength)}
	case strings.ContainsFunc(digits, notBase62):
		return Inspection{Problem: "has characters other than letters and digits"}
	case !authz.WellFormed(authz.PrefixAPIToken, token):
		return Inspection{Form: true, Problem: "the checksum is wrong: it was mistyped, cut or invented"}
	}
	return Inspection{Form: true, Checksum: true, ID: authz.APITokenID(authz.Secret(token).Hash())}
}

func notBase62(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}
