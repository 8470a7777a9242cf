package apitoken

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

// BeyondError says for what the client behind a new token is not registered: it gets no
// token that may do more than its own access tokens.
type BeyondError struct {
	Client string // its id
	API    string
	Scope  string // empty: the API itself
}

func (e *BeyondError) Error() string {
	if e.Scope == "" {
		return fmt.Sprintf("the client %s is not registered for the API %s", e.Client, e.API)
	}
	return fmt.Sprintf("the client %s is not registered for the scope %s of the API %s", e.Client, e.Scope, e.API)
}

// maker is what asks for a token in a person's name, as far as it bounds the token. The
// zero one is the person.
type maker struct {
	client   *authz.Client  // that the chain of makers began with; nil: the person did
	chain    []string       // the API tokens that the new one comes from, the nearest first
	ends     time.Time      // of the nearest; zero: it does not bound
	networks []netip.Prefix // likewise; empty: anywhere
}

// maker finds out what stands behind a new token. authz.ErrNotFound when it may not act for
// the person any more.
func (s *Service) maker(ctx context.Context, userID, id string) (maker, error) {
	var m maker
	for authz.IsAPIToken(id) {
		v, err := s.find(ctx, userID, id)
		if err != nil {
			return maker{}, fmt.Errorf("look up what makes the API token: %w", err)
		}
		if len(m.chain) == 0 {
			m.ends, m.networks = v.ExpiresAt, v.Networks
		}
		m.chain, id = append(m.chain, id), v.MadeBy
	}
	if id == "" {
		return m, nil
	}
	var err error
	if m.client, err = s.cfg.Client(ctx, id); err != nil {
		return maker{}, fmt.Errorf("look up what makes the API token: %w", err)
	}
	return m, nil
}

// scopes are those that the client behind a token may have for an API, as a bound of
// authz.ScopeLimits.
func (s *Service) scopes(m maker, api string) authz.Scopes {
	switch {
	case m.client == nil:
		return nil
	case !m.client.MayAsk(s.cfg.Issuer, api):
		return authz.Scopes{}
	}
	return m.client.Metadata.Scope.Bound()
}

// beyond says why the client behind a token may not have a scope of an API; nil when it is
// not the client that keeps it.
func (s *Service) beyond(m maker, api, scope string) error {
	switch {
	case m.client == nil:
		return nil
	case !m.client.MayAsk(s.cfg.Issuer, api):
		return &BeyondError{Client: m.client.ID, API: api}
	case scope != "" && !m.client.Metadata.Scope.Has(scope):
		return &BeyondError{Client: m.client.ID, API: api, Scope: scope}
	}
	return nil
}

// checkNetworks gives the networks of a token that is to be made.
func (m maker) checkNetworks(asked []netip.Prefix) ([]netip.Prefix, error) {
	networks, err := canonicalNetworks(asked)
	if err != nil {
		return nil, err
	}
	return m.limit(networks)
}

// limit keeps a token within the networks of the one that makes it.
func (m maker) limit(networks []netip.Prefix) ([]netip.Prefix, error) {
	if len(m.networks) == 0 {
		return networks, nil
	}
	if len(networks) == 0 {
		return m.networks, nil
	}
	for _, n := range networks {
		if !slices.ContainsFunc(m.networks, func(of netip.Prefix) bool { return of.Bits() <= n.Bits() && of.Contains(n.Addr()) }) {
			return nil, authz.Invalid("networks", n.String()+" is not within those of the API token that asks")
		}
	}
	return networks, nil
}

// Makers gives what made these tokens in words for people, by MadeBy: the name of a client
// or of an API token. Of what is gone the id is left.
func (s *Service) Makers(ctx context.Context, tokens []*authz.APIToken) (map[string]string, error) {
	names := make(map[string]string)
	for _, t := range tokens {
		if _, known := names[t.MadeBy]; known || t.MadeBy == "" {
			continue
		}
		name, err := s.makerName(ctx, t)
		switch {
		case errors.Is(err, authz.ErrNotFound) || err == nil && name == "":
			name = t.MadeBy
		case err != nil:
			return nil, err
		}
		names[t.MadeBy] = name
	}
	return names, nil
}

func (s *Service) makerName(ctx context.Context, t *authz.APIToken) (string, error) {
	if authz.IsAPIToken(t.MadeBy) {
		v, err := s.cfg.Store.APIToken(ctx, t.MadeBy)
		if err != nil {
			return "", err
		}
		return v.Name, nil
	}
	c, err := s.cfg.Client(ctx, t.MadeBy)
	if err != nil {
		return "", err
	}
	return c.Metadata.Name, nil
}
