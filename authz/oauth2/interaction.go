package oauth2

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/signet-auth/signet/authz"
)

// Pending is what a page needs to know of the request that it serves.
type Pending struct {
	ID          string
	Client      *authz.Client
	LoginHint   string
	RedirectURI string
	User        *authz.User // nil: nobody is signed in
	Groups      []Group
	Warn        bool // nothing proves that the app is the one it says it is (RFC 8252 §8.6)
}

// Group is what an app asks to do with one API. Without an API it is about the person.
type Group struct {
	API    *authz.API
	Scopes []AskedScope
}

// AskedScope is one thing that an app asks for.
type AskedScope struct {
	Name        string
	Description string
	Optional    bool
	New         bool // the person has not been asked before
}

// sendToPage files the request, unless it is filed already, and sends the person to a page.
func (p *Provider) sendToPage(w http.ResponseWriter, r *http.Request, a *authorization, who person, path string) error {
	i := who.interaction
	if i == nil {
		var err error
		if i, err = p.newInteraction(r.Context(), a); err != nil {
			return notFoundOr(err, fail("unauthorized_client", "The app was deleted."))
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", path+"?"+url.Values{interactionParam: {i.ID}}.Encode())
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (p *Provider) newInteraction(ctx context.Context, a *authorization) (*authz.Interaction, error) {
	browser := authz.BrowserFrom(ctx)
	if browser == "" {
		return nil, fmt.Errorf("file authorization request: the browser has no binding")
	}
	id, err := authz.NewID("", p.Random)
	if err != nil {
		return nil, err
	}
	now := p.Now()
	i := &authz.Interaction{
		ID: id, ClientID: a.client.ID, Params: understood(a.params), BrowserHash: browser.Hash(),
		CreatedAt: now, ExpiresAt: now.Add(p.Lifetimes.Interaction),
	}
	return i, p.Interactions.InsertInteraction(ctx, i)
}

// boundInteraction reads an interaction for the browser that began it, until it is
// consumed; authz.ErrNotFound for everybody else.
func (p *Provider) boundInteraction(ctx context.Context, id string) (*authz.Interaction, error) {
	i, err := p.Interactions.Interaction(ctx, id, p.Now())
	if err != nil {
		return nil, err
	}
	if !i.ConsumedAt.IsZero() || !authz.BrowserFrom(ctx).Matches(i.BrowserHash) {
		return nil, fmt.Errorf("read interaction: %w", authz.ErrNotFound)
	}
	return i, nil
}

// Pending gives a page the request that it serves. It is authz.ErrNotFound when the
// interaction is unknown, expired, finished, or was begun in another browser.
func (p *Provider) Pending(ctx context.Context, id string) (*Pending, error) {
	i, err := p.boundInteraction(ctx, id)
	if err != nil {
		return nil, err
	}
	a, err := p.readAuthorization(ctx, i.Params)
	if err != nil {
		return nil, err
	}
	_, user := authz.SessionFrom(ctx)
	out := &Pending{
		ID: i.ID, Client: a.client, LoginHint: a.params.Get("login_hint"),
		RedirectURI: a.redirectURI, User: user, Warn: a.sensitive(),
	}
	if user != nil {
		out.Groups, err = p.groups(ctx, a, user)
	}
	return out, err
}

// groups sorts what is asked by API, the person's own things first.
func (p *Provider) groups(ctx context.Context, a *authorization, user *authz.User) ([]Group, error) {
	offered, err := p.offered(ctx, a, user)
	if err != nil {
		return nil, err
	}
	known, err := p.Consents.Find(ctx, user.ID, a.client.ID)
	if err != nil {
		return nil, err
	}
	answered := authz.Scopes{}
	if known != nil {
		answered = known.Scopes.With(known.Declined)
	}
	var out []Group
	if own := describeOIDC(offered, answered); len(own) > 0 {
		out = append(out, Group{Scopes: own})
	}
	for _, api := range a.audience {
		g := Group{API: api}
		for _, s := range api.Scopes {
			if offered.Has(s.Name) {
				g.Scopes = append(g.Scopes, AskedScope{
					Name: s.Name, Description: s.Description, Optional: true, New: !answered.Has(s.Name),
				})
			}
		}
		if len(g.Scopes) > 0 {
			out = append(out, g)
		}
	}
	return out, nil
}

// describeOIDC gives the sentences of the scopes that belong to no API.
func describeOIDC(offered, answered authz.Scopes) []AskedScope {
	var out []AskedScope
	for _, scope := range authz.OIDCScopes() {
		if offered.Has(scope) {
			out = append(out, AskedScope{
				Name: scope, Description: authz.OIDCSentence(scope),
				Optional: scope != authz.ScopeOpenID, New: !answered.Has(scope),
			})
		}
	}
	return out
}

// LoggedIn notes that a session logged in for an interaction, and gives the address to
// which the browser goes next.
func (p *Provider) LoggedIn(ctx context.Context, id string, s *authz.Session) (string, error) {
	if _, err := p.boundInteraction(ctx, id); err != nil {
		return "", err
	}
	if err := p.Interactions.SetInteractionSession(ctx, id, s.ID); err != nil {
		return "", err
	}
	return returnPath(id), nil
}

// Answer notes what the signed-in person allows, and remembers it for the next time; what
// was not asked is not allowed. Without a person it says that nobody will sign in. It gives
// the address to which the browser goes next.
func (p *Provider) Answer(ctx context.Context, id string, allowed bool, scopes authz.Scopes) (string, error) {
	i, err := p.boundInteraction(ctx, id)
	if err != nil {
		return "", err
	}
	a, err := p.readAuthorization(ctx, i.Params)
	if err != nil {
		return "", err
	}
	_, user := authz.SessionFrom(ctx)
	d := authz.Decision{Allowed: allowed, At: p.Now()}
	if user != nil {
		d.UserID = user.ID
	} else if allowed {
		return "", fmt.Errorf("allow without a person: %w", authz.ErrNotFound)
	}
	if !allowed {
		p.recordConsent(ctx, a, d, authz.EventConsentDenied)
		return returnPath(id), p.Interactions.SetInteractionDecision(ctx, id, d)
	}
	return returnPath(id), p.allow(ctx, a, i, user, d, scopes)
}

func (p *Provider) allow(ctx context.Context, a *authorization, i *authz.Interaction, user *authz.User, d authz.Decision, scopes authz.Scopes) error {
	offered, err := p.offered(ctx, a, user)
	if err != nil {
		return err
	}
	d.Scopes = offered.Within(scopes.With(authz.Scopes{authz.ScopeOpenID}))
	err = p.Store.InTx(ctx, func(ctx context.Context) error {
		if err := p.Interactions.SetInteractionDecision(ctx, i.ID, d); err != nil {
			return err
		}
		return p.Consents.Remember(ctx, authz.Consent{
			UserID: user.ID, ClientID: a.client.ID, Scopes: d.Scopes, Declined: offered.Without(d.Scopes),
			Resources: a.audience.identifiers(), CreatedAt: d.At, UpdatedAt: d.At,
		})
	})
	if err == nil {
		p.recordConsent(ctx, a, d, authz.EventConsentGranted)
	}
	return err
}

func (p *Provider) recordConsent(ctx context.Context, a *authorization, d authz.Decision, kind string) {
	p.record(ctx, authz.Event{
		Kind: kind, Actor: d.UserID, UserID: d.UserID, ClientID: a.client.ID,
		Detail: map[string]string{"scopes": d.Scopes.String()},
	})
}

func returnPath(id string) string {
	return authorizePath + "?" + url.Values{interactionParam: {id}}.Encode()
}
