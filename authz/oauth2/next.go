package oauth2

import (
	"context"
	"errors"
	"time"

	"github.com/signet-auth/signet/authz"
)

// step is what still stands between a request and a code.
type step int

const (
	stepNone step = iota
	stepLogin
	stepConsent
)

// person is who answers a request: the browser session and the interaction so far, each
// of which may be nil.
type person struct {
	session     *authz.Session
	user        *authz.User
	interaction *authz.Interaction
}

// decision is the consent page's answer, if this person gave one to this request.
func (w person) decision() *authz.Decision {
	if w.interaction == nil || w.interaction.Decision == nil || w.user == nil ||
		w.interaction.Decision.UserID != w.user.ID {
		return nil
	}
	return w.interaction.Decision
}

// freshLogin reports that the session logged in for this very request.
func (w person) freshLogin() bool {
	return w.interaction != nil && w.interaction.SessionID != "" && w.interaction.SessionID == w.session.ID
}

// next says what still stands between a request and a code, and what was consented when
// nothing does. It is the only place that decides this. An error goes to the client.
func (p *Provider) next(ctx context.Context, a *authorization, who person) (step, authz.Scopes, error) {
	if d := who.decision(); d != nil && !d.Allowed {
		return 0, nil, fail("access_denied", "The person did not allow it.")
	}
	if cancelled(who) {
		return 0, nil, fail("access_denied", "The person did not sign in.")
	}
	if who.user == nil || p.mustLogIn(a, who) {
		return stepLogin, nil, a.unlessNone("login_required", "The person must sign in.")
	}
	if a.subject != "" && a.subject != who.user.ID {
		if who.freshLogin() {
			return 0, nil, fail("login_required", "Another person signed in than the one asked for.")
		}
		return stepLogin, nil, a.unlessNone("login_required", "Another person is signed in.")
	}
	if !a.claims.acr(who.session.ACR) {
		return 0, nil, fail("unmet_authentication_requirements", "The acr that the claims parameter demands cannot be met.")
	}
	scopes, answered, err := p.consented(ctx, a, who)
	if err != nil {
		return 0, nil, err
	}
	if !answered {
		return stepConsent, nil, a.unlessNone("consent_required", "The person must consent.")
	}
	return stepNone, scopes, nil
}

// cancelled reports that somebody went back to the app without signing in.
func cancelled(who person) bool {
	return who.interaction != nil && who.interaction.Decision != nil &&
		!who.interaction.Decision.Allowed && who.interaction.Decision.UserID == ""
}

// unlessNone makes a step an error for a request that must not show a page
// (OpenID Connect Core §3.1.2.6).
func (a *authorization) unlessNone(code, description string) error {
	if a.has("none") {
		return fail(code, description)
	}
	return nil
}

// mustLogIn reports whether a session is not enough. prompt=login, select_account and
// max_age ask for a credential to be shown again; one shown for this request is.
func (p *Provider) mustLogIn(a *authorization, who person) bool {
	if who.freshLogin() {
		return false
	}
	if a.has("login") || a.has("select_account") {
		return true
	}
	if a.maxAge == nil {
		return false
	}
	age := p.Now().Sub(who.session.AuthTime)
	return *a.maxAge == 0 || age > *a.maxAge
}

// consented gives what the person has consented to, and whether they were asked. What they
// answered on this request's page wins over what is remembered.
func (p *Provider) consented(ctx context.Context, a *authorization, who person) (authz.Scopes, bool, error) {
	if d := who.decision(); d != nil {
		return d.Scopes, true, nil
	}
	if a.has("consent") || a.sensitive() {
		return nil, false, nil
	}
	if a.client.Metadata.FirstParty {
		return a.scopes, true, nil
	}
	c, err := p.Consents.Find(ctx, who.user.ID, a.client.ID)
	if err != nil {
		return nil, false, unavailable(err)
	}
	offered, err := p.offered(ctx, a, who.user)
	if err != nil {
		return nil, false, err
	}
	// Who asks for nothing but what was declined is asking again.
	again := c != nil && len(offered) > 0 && len(offered.Within(c.Scopes)) == 0
	if c == nil || again || !c.Answers(offered, a.audience.identifiers()) {
		return nil, false, nil
	}
	if unclear, err := p.unclear(ctx, c, offered); unclear || err != nil {
		return nil, false, err
	}
	return c.Scopes, true, nil
}

// unclear reports that a scope has one name at several of the APIs that a person was asked
// about: what they allowed at one must not pass for the others.
func (p *Provider) unclear(ctx context.Context, c *authz.Consent, offered authz.Scopes) (bool, error) {
	var seen authz.Scopes
	for _, identifier := range c.Resources {
		api, err := p.API(ctx, identifier)
		switch {
		case errors.Is(err, authz.ErrNotFound):
			continue
		case err != nil:
			return false, unavailable(err)
		}
		names := api.ScopeNames().Within(offered)
		if len(names.Within(seen)) > 0 {
			return true, nil
		}
		seen = append(seen, names...)
	}
	return false, nil
}

// offered is what of the asked scopes a person could allow: there is no use in asking for
// what their roles would take away again.
func (p *Provider) offered(ctx context.Context, a *authorization, u *authz.User) (authz.Scopes, error) {
	roles, err := p.Roles(ctx, u.Roles)
	if err != nil {
		return nil, unavailable(err)
	}
	return authz.ScopeLimits{Client: a.client.Metadata.Scope.Bound(), APIs: a.audience.scopes(), Roles: roles}.Decide(a.scopes), nil
}

// grant makes the grant that a request has earned.
func (p *Provider) grant(ctx context.Context, a *authorization, who person, consented authz.Scopes, now time.Time) (*authz.Grant, error) {
	roles, err := p.Roles(ctx, who.user.Roles)
	if err != nil {
		return nil, unavailable(err)
	}
	scopes := authz.ScopeLimits{
		Client: a.client.Metadata.Scope.Bound(), APIs: a.audience.scopes(), Roles: roles,
		Consented: consented.With(authz.Scopes{authz.ScopeOpenID}),
	}.Decide(a.scopes)
	if len(scopes) == 0 && len(a.scopes) > 0 {
		return nil, fail("access_denied", "Nothing of what was asked for was allowed.")
	}
	g := &authz.Grant{
		ClientID: a.client.ID, UserID: who.user.ID, SessionID: who.session.ID,
		Scopes: scopes, Resources: a.audience.identifiers(),
		AuthTime: who.session.AuthTime, ACR: who.session.ACR, AMR: who.session.AMR,
		Nonce: a.nonce, Claims: a.claims.encode(),
		RedirectURI: a.redirectURI, CodeChallenge: a.challenge,
		CreatedAt: now, CodeExpiresAt: now.Add(p.Lifetimes.Code),
		ExpiresAt: now.Add(p.Lifetimes.Code + MaxAccessTokenLifetime),
	}
	if mayRefresh(a.client, scopes) {
		g.RefreshSeq, g.ExpiresAt = 1, now.Add(p.Lifetimes.Code+abandonedFor)
	}
	return g, nil
}

const (
	// MaxAccessTokenLifetime is the longest that any client or API may set.
	MaxAccessTokenLifetime = 24 * time.Hour
	// abandonedFor is how much longer than its code a grant is kept for which nobody came.
	abandonedFor = time.Hour
)
