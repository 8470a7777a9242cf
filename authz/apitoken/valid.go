package apitoken

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signet-auth/signet/authz"
)

const (
	maxName     = 100 // characters
	maxNetworks = 20
	idDigits    = 26 // 128 bits in base32
)

// InvalidError is all that is wrong with a token that was asked for, one thing of each field:
// name, api, scopes, expires_at, networks. The first is in it as an *authz.InvalidError.
type InvalidError struct{ Faults []*authz.InvalidError }

func (e *InvalidError) Error() string {
	all := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f.Error()
	}
	return strings.Join(all, "; ")
}

func (e *InvalidError) Unwrap() error { return e.Faults[0] }

// add takes up what is wrong with a field. It gives back what is more than that.
func (e *InvalidError) add(err error) error {
	if invalid, ok := errors.AsType[*authz.InvalidError](err); ok {
		e.Faults, err = append(e.Faults, invalid), nil
	}
	return err
}

// Check says what is wrong with a token before it is made, as Create would: an *InvalidError
// with all of it. A token with nothing wrong can still be refused by Create.
func (s *Service) Check(ctx context.Context, owner *authz.User, n New) error {
	_, err := s.validate(ctx, owner, n)
	return err
}

// validate says whether a person may make such a token, or have it made, and gives it
// without its secret.
func (s *Service) validate(ctx context.Context, owner *authz.User, n New) (*authz.APIToken, error) {
	now := s.cfg.Now().UTC()
	v := &authz.APIToken{UserID: owner.ID, MadeBy: n.MadeBy, Name: strings.TrimSpace(n.Name), API: n.API, CreatedAt: now}
	m, err := s.maker(ctx, owner.ID, n.MadeBy)
	if err != nil {
		return nil, err
	}
	wrong := new(InvalidError)
	for _, check := range []func() error{
		func() error { return checkName(v.Name) },
		func() (err error) { v.Scopes, err = s.checkScopes(ctx, owner, m, n.API, n.Scopes); return err },
		func() (err error) { v.ExpiresAt, err = s.checkExpiry(now, m, n.ExpiresAt); return err },
		func() (err error) { v.Networks, err = m.checkNetworks(n.Networks); return err },
	} {
		if err := wrong.add(check()); err != nil {
			return nil, err
		}
	}
	if len(wrong.Faults) > 0 {
		return nil, wrong
	}
	return v, nil
}

// checkName refuses what a list of tokens could not show as one legible word among others.
func checkName(name string) error {
	if name == "" {
		return authz.Invalid("name", "give it a name")
	}
	if utf8.RuneCountInString(name) > maxName {
		return authz.Invalid("name", "must have at most 100 characters")
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, hidden) {
		return authz.Invalid("name", "must have no control characters and none that turn the direction of text")
	}
	return nil
}

// hidden tells characters that are not seen themselves but change what else is seen. The
// joiners that some scripts and emoji are written with are not among them.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) ||
		unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || r == '\ufeff' || r == '\u200b' || r == '\u2060'
}

// checkScopes gives the scopes in the order in which the API lists them. None is fine only
// for an API that has none.
func (s *Service) checkScopes(
	ctx context.Context, owner *authz.User, m maker, identifier string, asked authz.Scopes,
) (authz.Scopes, error) {
	api, err := s.cfg.Catalog.API(ctx, identifier)
	if errors.Is(err, authz.ErrNotFound) {
		return nil, authz.Invalid("api", "is not a registered API")
	}
	if err != nil {
		return nil, fmt.Errorf("look up API: %w", err)
	}
	if err := s.beyond(m, api.Identifier, ""); err != nil {
		return nil, err
	}
	known := api.ScopeNames()
	if unknown := asked.Without(known); len(unknown) > 0 {
		return nil, authz.Invalid("scopes", fmt.Sprintf("%s does not have the scope %q", api.Identifier, unknown[0]))
	}
	if len(asked) == 0 && len(known) > 0 {
		return nil, authz.Invalid("scopes", "choose at least one")
	}
	allowed, err := s.decide(ctx, api, owner, s.scopes(m, api.Identifier), asked)
	if err != nil {
		return nil, err
	}
	if beyond := asked.Without(allowed); len(beyond) > 0 {
		if err := s.beyond(m, api.Identifier, beyond[0]); err != nil {
			return nil, err
		}
		return nil, authz.Invalid("scopes", fmt.Sprintf("your roles do not let you grant the scope %q", beyond[0]))
	}
	return known.Within(asked), nil
}

// decide gives what of the scopes of a token its owner may grant at this moment, through a
// client that may have those of client; nil: through none.
func (s *Service) decide(
	ctx context.Context, api *authz.API, owner *authz.User, client, scopes authz.Scopes,
) (authz.Scopes, error) {
	roles, err := s.cfg.Roles(ctx, owner.Roles)
	if err != nil {
		return nil, fmt.Errorf("look up roles: %w", err)
	}
	if roles == nil {
		roles = []authz.Role{} // nil would stand for no person, whom no role limits
	}
	return authz.ScopeLimits{Client: client, APIs: api.ScopeNames(), Roles: roles, Consented: scopes}.Decide(scopes), nil
}

// Grantable gives the scopes of an API that a person could give to a token now; an
// *authz.InvalidError for an API that is not registered.
func (s *Service) Grantable(ctx context.Context, owner *authz.User, identifier string) (authz.Scopes, error) {
	api, err := s.cfg.Catalog.API(ctx, identifier)
	if errors.Is(err, authz.ErrNotFound) {
		return nil, authz.Invalid("api", "is not a registered API")
	}
	if err != nil {
		return nil, fmt.Errorf("look up API: %w", err)
	}
	return s.decide(ctx, api, owner, nil, api.ScopeNames())
}

func (s *Service) checkExpiry(now time.Time, m maker, expires time.Time) (time.Time, error) {
	expires = expires.UTC().Truncate(time.Second)
	switch {
	case expires.IsZero():
		return expires, authz.Invalid("expires_at", "is required: a token that never ends is never looked at again")
	case !expires.After(now):
		return expires, authz.Invalid("expires_at", "must lie in the future")
	case expires.Sub(now) > s.cfg.MaxLifetime:
		return expires, authz.Invalid("expires_at",
			"must lie within "+days(s.cfg.MaxLifetime)+", which the administrator has set as the longest life")
	case !m.ends.IsZero() && expires.After(m.ends):
		return expires, authz.Invalid("expires_at",
			"must not lie after "+m.ends.UTC().Format(time.RFC3339)+", when the API token that asks ends")
	}
	return expires, nil
}

func days(d time.Duration) string {
	const day = 24 * time.Hour
	switch n := d / day; {
	case d%day != 0:
		return d.String()
	case n == 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

// canonicalNetworks gives each network once and in the one form that stands for it: without
// host bits, and IPv4 as IPv4.
func canonicalNetworks(networks []netip.Prefix) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(networks))
	for _, n := range networks {
		if addr := n.Addr(); addr.Is4In6() && n.Bits() >= 96 {
			n = netip.PrefixFrom(addr.Unmap(), n.Bits()-96)
		}
		if !n.IsValid() || n.Addr().Is4In6() {
			return nil, authz.Invalid("networks", "must be networks such as 192.0.2.0/24 or 2001:db8::/32")
		}
		if n = n.Masked(); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if len(out) > maxNetworks {
		return nil, authz.Invalid("networks", fmt.Sprintf("must be at most %d", maxNetworks))
	}
	return out, nil
}

// validID keeps from the database what cannot be the id of a token.
func validID(id string) bool {
	digits, ok := strings.CutPrefix(id, authz.PrefixToken)
	if !ok || len(digits) != idDigits {
		return false
	}
	return !strings.ContainsFunc(digits, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '2' || r > '7')
	})
}
