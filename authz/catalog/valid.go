package catalog

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	maxIdentifier  = 1024 // it stands in every token
	maxName        = 200
	maxDescription = 300
	maxScopes      = 200
	maxClaims      = 64
	maxLifetime    = 24 * time.Hour
	maxOwner       = 128

	serverPrefix = "signet:" // of the scopes that are the server's own
)

// validate says whether an API may be so; owner is the one that it has now.
func (s *Service) validate(ctx context.Context, a *authz.API, owner string) error {
	if err := checkIdentifier(a.Identifier); err != nil {
		return err
	}
	if strings.TrimSuffix(a.Identifier, "/") == s.cfg.Issuer {
		return authz.Invalid("identifier", "is this server's own")
	}
	if !authz.Legible(a.Name, maxName) {
		return authz.Invalid("name", "must have 1 to 200 characters that print, and no space around them")
	}
	if err := checkScopes(a.Scopes); err != nil {
		return err
	}
	if err := checkClaims(a.Claims); err != nil {
		return err
	}
	least, most := int64(authz.MinTokenLifetime/time.Second), int64(maxLifetime/time.Second)
	if life := a.AccessTokenLifetime; life != 0 && (life < least || life > most) {
		return authz.Invalid("access_token_lifetime",
			fmt.Sprintf("must be between %d and %d seconds, or 0, which is the client's or the server's own", least, most))
	}
	if a.OwnerClientID == owner {
		return nil
	}
	return s.checkOwner(ctx, a.OwnerClientID)
}

func (s *Service) checkOwner(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	unknown := authz.Invalid("owner_client_id", "is not a registered client")
	if len(id) > maxOwner || !isPlain(id) {
		return unknown
	}
	_, err := s.cfg.Store.Client(ctx, id)
	if errors.Is(err, authz.ErrNotFound) {
		return unknown
	}
	return err
}

// checkIdentifier holds RFC 8707 §2: an absolute URI without a fragment. It is compared to
// the letter, so it is plain ASCII.
func checkIdentifier(raw string) error {
	if len(raw) > maxIdentifier {
		return authz.Invalid("identifier", "must have at most 1024 characters")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || !isPlain(raw) || !u.IsAbs() || u.Opaque == "" && u.Host == "" && u.Path == "":
		return authz.Invalid("identifier", "must be an absolute URI such as https://orders.example.com (RFC 8707 §2)")
	case strings.Contains(raw, "#"):
		return authz.Invalid("identifier", "must have no fragment (RFC 8707 §2)")
	case u.User != nil:
		return authz.Invalid("identifier", "must have no user name")
	case (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() == "":
		return authz.Invalid("identifier", "must name a host")
	}
	return nil
}

func isPlain(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '\\' || c == '"' || c == '<' || c == '>' {
			return false
		}
	}
	return s != ""
}

func checkScopes(scopes []authz.APIScope) error {
	if len(scopes) > maxScopes {
		return authz.Invalid("scopes", fmt.Sprintf("must be at most %d", maxScopes))
	}
	seen := make(map[string]bool, len(scopes))
	for _, scope := range scopes {
		if err := checkScope(scope); err != nil {
			return err
		}
		if seen[scope.Name] {
			return authz.Invalid("scopes", "must not have "+scope.Name+" twice")
		}
		seen[scope.Name] = true
	}
	return nil
}

// checkClaims refuses what no token would ever have.
func checkClaims(claims []string) error {
	if len(claims) > maxClaims {
		return authz.Invalid("claims", fmt.Sprintf("must be at most %d", maxClaims))
	}
	for i, claim := range claims {
		if slices.Contains(claims[:i], claim) {
			return authz.Invalid("claims", "must not have "+claim+" twice")
		}
		if slices.Contains(authz.APIClaims(), claim) {
			continue
		}
		if problem := authz.ClaimNameProblem(claim); problem != "" {
			return authz.Invalid("claims", "must be of "+strings.Join(authz.APIClaims(), ", ")+", or custom: "+problem)
		}
	}
	return nil
}

func checkScope(scope authz.APIScope) error {
	switch name := scope.Name; {
	case !authz.ValidScope(name):
		return authz.Invalid("scopes", "must have names of printable ASCII without quotes and backslashes (RFC 6749 §3.3)")
	case authz.OIDCScopes().Has(name):
		return authz.Invalid("scopes", name+" belongs to OpenID Connect")
	case strings.HasPrefix(name, serverPrefix):
		return authz.Invalid("scopes", name+" belongs to this server: do not begin with "+serverPrefix)
	case name == authz.AnyScope:
		return authz.Invalid("scopes", name+" stands for every scope in a role")
	case !authz.Legible(scope.Description, maxDescription):
		return authz.Invalid("scopes", name+" needs a sentence of 1 to 300 characters that says to people what it allows")
	}
	return nil
}
