package oauth2

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// audience is the APIs that a token is for.
type audience []*authz.API

func (a audience) identifiers() []string {
	out := make([]string, len(a))
	for i, api := range a {
		out[i] = api.Identifier
	}
	return out
}

// scopes are those that a token for these APIs may carry: theirs and OpenID Connect's.
func (a audience) scopes() authz.Scopes {
	out := authz.OIDCScopes()
	for _, api := range a {
		out = append(out, api.ScopeNames()...)
	}
	return out
}

// claims are those that any of the APIs wants about a person; custom ones only if all of them
// do, since each reads the whole token.
func (a audience) claims() authz.Scopes {
	var out authz.Scopes
	for _, api := range a {
		for _, name := range api.Claims {
			if slices.Contains(authz.APIClaims(), name) || a.allWant(name) {
				out = out.With(authz.Scopes{name})
			}
		}
	}
	return out
}

func (a audience) allWant(claim string) bool {
	return !slices.ContainsFunc(a, func(api *authz.API) bool { return !slices.Contains(api.Claims, claim) })
}

// lifetime is the shortest that one of the APIs sets; 0 when none does.
func (a audience) lifetime() int64 {
	var shortest int64
	for _, api := range a {
		if l := api.AccessTokenLifetime; l > 0 && (shortest == 0 || l < shortest) {
			shortest = l
		}
	}
	return shortest
}

// chooseAudience gives the APIs that a request asks for with resource (RFC 8707 §2), or
// without it the client's default API, or the server itself.
func (p *Provider) chooseAudience(ctx context.Context, c *authz.Client, asked []string) (audience, error) {
	if len(asked) == 0 {
		asked = []string{p.Issuer}
		if c.Metadata.DefaultAPI != "" {
			asked = []string{c.Metadata.DefaultAPI}
		}
	}
	asked = registeredForms(asked, append(slices.Clone(c.Metadata.APIs), p.Issuer))
	for _, identifier := range asked {
		u, err := url.Parse(identifier)
		switch {
		case err != nil || !u.IsAbs() || u.Fragment != "":
			return nil, invalidTarget("A resource must be an absolute URI without a fragment.")
		case !p.mayAsk(c, identifier):
			return nil, invalidTarget("The client may not ask for the resource " + identifier + ".")
		}
	}
	return p.audience(ctx, asked)
}

// mayAsk reports whether a client may have tokens for an API.
func (p *Provider) mayAsk(c *authz.Client, identifier string) bool {
	return c.MayAsk(p.Issuer, identifier)
}

// narrowAudience gives the APIs of a grant that the client may still ask for, or those of
// them that a token request asks for (RFC 8707 §2.2).
func (p *Provider) narrowAudience(ctx context.Context, c *authz.Client, granted, asked []string) (audience, error) {
	var open []string
	for _, identifier := range granted {
		if p.mayAsk(c, identifier) {
			open = append(open, identifier)
		}
	}
	asked = registeredForms(asked, open)
	for _, identifier := range asked {
		if !slices.Contains(open, identifier) {
			return nil, invalidTarget("The resource " + identifier + " was not granted, or is not open to the client any more.")
		}
	}
	if len(open) == 0 {
		return nil, invalidTarget("No API of the grant is open to the client any more.")
	}
	if len(asked) == 0 {
		asked = open
	}
	return p.audience(ctx, asked)
}

// registeredForms gives identifiers as they are registered. Of an http or https URI an empty
// path and "/" are the same (RFC 3986 §6.2.3), and libraries that pass it through a URL type
// add the slash.
func registeredForms(asked, registered []string) []string {
	out := slices.Clone(asked)
	for i, identifier := range out {
		u, err := url.Parse(identifier)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Path != "" && u.Path != "/" {
			continue
		}
		other := strings.TrimSuffix(identifier, "/")
		if other == identifier {
			other += "/"
		}
		if !slices.Contains(registered, identifier) && slices.Contains(registered, other) {
			out[i] = other
		}
	}
	return out
}

func (p *Provider) audience(ctx context.Context, identifiers []string) (audience, error) {
	var out audience
	for _, identifier := range identifiers {
		if slices.ContainsFunc(out, func(a *authz.API) bool { return a.Identifier == identifier }) {
			continue
		}
		api, err := p.API(ctx, identifier)
		if err != nil {
			return nil, notFoundOr(err, invalidTarget("The resource "+identifier+" is not registered."))
		}
		out = append(out, api)
	}
	return out, nil
}
