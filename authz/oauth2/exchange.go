package oauth2

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

const (
	tokenTypeAccess = "urn:ietf:params:oauth:token-type:access_token" // RFC 8693 §3
	tokenTypeJWT    = "urn:ietf:params:oauth:token-type:jwt"
	// maxActors is how long a chain of services that act for each other may grow.
	maxActors = 4
	// maxOnBehalf is the longest that an exchanged token lives. Its one place in the status
	// lists is the subject's, so that services do not hear when an actor is disabled.
	maxOnBehalf = 5 * time.Minute
)

// exchangeGrant is token exchange (RFC 8693): a service swaps the token that it was called
// with for one with which it calls another API, on behalf of the same subject. Who may
// swap what for what stands in the client's policy; the answer lives no longer than the
// token that was swapped, and dies with the grant behind it.
type exchangeGrant struct{ p *Provider }

var _ fosite.TokenEndpointHandler = (*exchangeGrant)(nil)

// actor is who acts on a subject's behalf, and for whom that one acted (RFC 8693 §4.1).
type actor struct {
	Subject string `json:"sub"`
	Actor   *actor `json:"act,omitempty"`
}

func (a *actor) depth() int {
	n := 0
	for ; a != nil; a = a.Actor {
		n++
	}
	return n
}

// subject is whose token is exchanged.
type subject struct {
	claims *accessClaims
	client *authz.Client // that exchanges
	origin string        // the grant or API token behind it
	user   *authz.User   // nil: it is a client's own
	given  given
}

// given is what a subject was given in the first place, before any exchange.
type given struct {
	apis   []string
	scopes authz.Scopes
}

// describe writes the token on behalf: the same subject, the exchanging client as actor.
func (s *subject) describe(c *accessClaims) {
	from := s.claims
	c.Subject, c.ACR, c.AMR, c.AuthTime = from.Subject, from.ACR, from.AMR, from.AuthTime
	c.ID, c.Status, c.Confirm = s.origin, from.Status, from.Confirm
	c.Actor = &actor{Subject: s.client.ID, Actor: from.Actor}
}

// CanHandleTokenEndpointRequest reports whether the request is of this grant.
func (h *exchangeGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(authz.GrantTokenExchange)
}

// CanSkipClientAuth is false: every client says which it is.
func (h *exchangeGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// HandleTokenEndpointRequest checks the subject token in full and decides what it may be
// swapped for.
func (h *exchangeGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	c, form := r.GetClient().(*client).Client, r.GetRequestForm()
	if c.Public() || !c.Allows(authz.GrantTokenExchange) {
		return errNotRegistered(authz.GrantTokenExchange)
	}
	if err := checkExchange(form); err != nil {
		return err
	}
	s, err := h.p.readSubject(ctx, c, form.Get("subject_token"))
	if err != nil {
		return err
	}
	aud, rule, err := h.p.exchangeTarget(ctx, c, s, form)
	if err != nil {
		return err
	}
	scopes, err := h.p.exchangeScopes(ctx, s, aud, rule, form.Get("scope"))
	if err != nil {
		return err
	}
	r.GetSession().(*carrier).issue = &issue{client: c, now: h.p.Now(), audience: aud, scopes: scopes, subject: s}
	return nil
}

// checkExchange refuses what RFC 8693 §2.1 has and this server does not.
func checkExchange(form url.Values) error {
	subjectType := form.Get("subject_token_type")
	requested := form.Get("requested_token_type")
	switch {
	case form.Get("subject_token") == "":
		return invalidRequest("The subject_token is missing.")
	case subjectType != tokenTypeAccess && subjectType != tokenTypeJWT:
		return invalidRequest("The subject_token_type must be " + tokenTypeAccess + ".")
	case requested != "" && requested != tokenTypeAccess && requested != tokenTypeJWT:
		return invalidRequest("The requested_token_type must be " + tokenTypeAccess + ".")
	case form.Has("actor_token") || form.Has("actor_token_type"):
		return invalidRequest("An actor_token is not supported: the client itself is the actor.")
	}
	return nil
}

func (p *Provider) readSubject(ctx context.Context, c *authz.Client, token string) (*subject, error) {
	refused := invalidRequest("The subject_token is malformed, expired, revoked, or not an access token of this server.")
	claims, err := p.readAccessToken(token)
	if err != nil {
		return nil, refused
	}
	alive, err := p.live(ctx, claims)
	switch {
	case errors.Is(err, ErrInvalidToken):
		return nil, refused
	case err != nil:
		return nil, err
	case claims.Actor.depth() >= maxActors:
		return nil, invalidRequest("Too many services act for each other already.")
	}
	p.used(alive)
	s := &subject{claims: claims, client: c, user: alive.user}
	if s.user != nil {
		s.origin = originID(claims.ID)
	}
	s.given, err = p.givenTo(ctx, claims, alive)
	return s, err
}

// givenTo finds out what stands at the beginning of a chain of exchanges: what the person
// granted, what they made the API token with, or what the client is registered for.
func (p *Provider) givenTo(ctx context.Context, claims *accessClaims, behind liveness) (given, error) {
	switch {
	case behind.grant != nil:
		return given{behind.grant.Resources, behind.grant.Scopes}, nil
	case behind.token != nil:
		return given{[]string{behind.token.API}, behind.token.Scopes}, nil
	}
	c, err := p.usable(ctx, claims.Subject, invalidRequest("The client that the subject_token is about is gone."))
	if err != nil {
		return given{}, err
	}
	return given{append(slices.Clone(c.Metadata.APIs), p.Issuer), c.Metadata.Scope}, nil
}

// withheld are the scopes that a subject had at hand, at the APIs it was given and at those
// of the token that is swapped, and was not given: no way round leads to them.
func (p *Provider) withheld(ctx context.Context, s *subject) (authz.Scopes, error) {
	out := authz.OIDCScopes().Without(s.claims.Scope)
	for _, one := range []given{s.given, {s.claims.Audience, s.claims.Scope}} {
		for _, identifier := range one.apis {
			api, err := p.API(ctx, identifier)
			switch {
			case errors.Is(err, authz.ErrNotFound):
				continue
			case err != nil:
				return nil, unavailable(err)
			}
			out = out.With(api.ScopeNames().Without(one.scopes))
		}
	}
	return out, nil
}

// originID gives what a person's token came from.
func originID(jti string) string {
	if id, ok := grantOf(jti); ok {
		return id
	}
	id, _ := apiTokenOf(jti)
	return id
}

// exchangeTarget gives the one API that the new token is for, and the rule that allows it.
func (p *Provider) exchangeTarget(ctx context.Context, c *authz.Client, s *subject, form url.Values) (audience, authz.ExchangeRule, error) {
	asked := append(slices.Clone(form["resource"]), form["audience"]...)
	if len(asked) != 1 {
		return nil, authz.ExchangeRule{}, invalidTarget("Name exactly one API as resource or audience.")
	}
	var targets []string
	for _, rule := range c.Metadata.TokenExchange {
		targets = append(targets, rule.To)
	}
	asked = registeredForms(asked, targets)
	for _, rule := range c.Metadata.TokenExchange {
		if rule.To == asked[0] && slices.Contains(s.claims.Audience, rule.From) {
			aud, err := p.audience(ctx, asked)
			return aud, rule, err
		}
	}
	return nil, authz.ExchangeRule{}, invalidTarget(
		"The policy of the client does not let it exchange a token for " + s.claims.Audience[0] + " for one for " + asked[0] + ".")
}

// exchangeScopes decides the scopes of the new token: those asked for, or all that the rule
// and the API have, within the person's roles, without what was withheld: an exchange widens
// nothing, and neither does one that leads back.
func (p *Provider) exchangeScopes(ctx context.Context, s *subject, aud audience, rule authz.ExchangeRule, param string) (authz.Scopes, error) {
	withheld, err := p.withheld(ctx, s)
	if err != nil {
		return nil, err
	}
	allowed := rule.Scopes.Within(aud.scopes()).Without(withheld)
	asked := authz.ParseScopes(param)
	if param == "" {
		asked = allowed
	}
	if !allowed.Contains(asked) {
		return nil, invalidScope("The exchange would give a scope that the policy of the client, the API or the subject_token does not have.")
	}
	limits := authz.ScopeLimits{Client: rule.Scopes.Bound(), APIs: aud.scopes()}
	if s.user != nil {
		if limits.Roles, err = p.Roles(ctx, s.user.Roles); err != nil {
			return nil, unavailable(err)
		}
	}
	return limits.Decide(asked), nil
}

// PopulateTokenEndpointResponse hands out the token, and never a refresh token.
func (h *exchangeGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	return h.p.handOut(ctx, r, resp)
}
