package oauth2

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// interactionParam names the parameter with which pages return to the authorize endpoint.
const interactionParam = "interaction"

// Where a person is sent for what still stands between a request and a code.
const (
	authorizePath = "/oauth2/authorize"
	loginPath     = "/login"
	consentPath   = "/consent"
)

// Authorize is the authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2): GET
// with parameters in the query or POST with a form, or the return from a page with the id
// of an interaction, which starts from the stored parameters again. The request's context
// carries the browser's session and binding.
func (p *Provider) Authorize(w http.ResponseWriter, r *http.Request) {
	v, err := authorizeParams(w, r)
	if err != nil {
		p.refuse(w, r, p.addressIfKnown(r.Context(), v, err))
		return
	}
	who, v, err := p.whoAsks(r.Context(), v)
	if err != nil {
		p.showError(w, r, err)
		return
	}
	a, err := p.readAuthorization(r.Context(), v)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	if err := p.advance(w, r, a, who); err != nil {
		p.refuse(w, r, a.address(err))
	}
}

func authorizeParams(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		return bodyParams(w, r)
	}
	return queryParams(r)
}

// whoAsks finds the person behind a request. When it is the return of an interaction, the
// parameters are those that the interaction began with.
func (p *Provider) whoAsks(ctx context.Context, v url.Values) (person, url.Values, error) {
	session, user := authz.SessionFrom(ctx)
	who := person{session: session, user: user}
	id := v.Get(interactionParam)
	if id == "" {
		return who, v, nil
	}
	i, err := p.boundInteraction(ctx, id)
	if err != nil {
		return who, nil, notFoundOr(err, invalidRequest(
			"This sign-in has expired, was finished already, or was begun in another browser. Go back to the app and start again."))
	}
	who.interaction = i
	return who, i.Params, nil
}

// advance asks what still stands between the request and a code and goes there, or hands
// out the code.
func (p *Provider) advance(w http.ResponseWriter, r *http.Request, a *authorization, who person) error {
	todo, consented, err := p.next(r.Context(), a, who)
	switch {
	case err != nil:
		return p.endInteraction(r.Context(), who, err)
	case todo == stepLogin:
		return p.sendToPage(w, r, a, who, loginPath)
	case todo == stepConsent:
		return p.sendToPage(w, r, a, who, consentPath)
	}
	return p.complete(w, r, a, who, consented)
}

// complete issues the code. The interaction is consumed in the same transaction, so that it
// yields one code however often the browser comes back.
func (p *Provider) complete(w http.ResponseWriter, r *http.Request, a *authorization, who person, consented authz.Scopes) error {
	ctx := r.Context()
	g, err := p.grant(ctx, a, who, consented, p.Now())
	if err != nil {
		return p.endInteraction(ctx, who, err)
	}
	var response fosite.AuthorizeResponder
	issueCode := func(ctx context.Context) error {
		if who.interaction != nil {
			if err := p.Interactions.ConsumeInteraction(ctx, who.interaction.ID, g.CreatedAt); err != nil {
				return notFoundOr(err, invalidRequest("This sign-in was finished already."))
			}
		}
		response, err = p.fosite.NewAuthorizeResponse(ctx, a.request, &carrier{auth: a, grant: g})
		return err
	}
	if who.interaction == nil {
		err = issueCode(ctx)
	} else {
		err = p.Store.InTx(ctx, issueCode)
	}
	if err != nil {
		return err
	}
	params := response.GetParameters()
	p.respond(w, r, a.redirectURI, a.mode, a.state, params)
	return nil
}

// endInteraction ends an interaction that a refusal answers, so that its pages cannot be
// used again; it gives the refusal back.
func (p *Provider) endInteraction(ctx context.Context, who person, refusal error) error {
	if who.interaction == nil || translate(refusal).Status == http.StatusServiceUnavailable {
		return refusal
	}
	err := p.Interactions.ConsumeInteraction(ctx, who.interaction.ID, p.Now())
	if err != nil && !errors.Is(err, authz.ErrNotFound) {
		return unavailable(err)
	}
	return refusal
}

// refuse sends an error to the client if it is addressed, and shows it otherwise.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var to *addressed
	if !errors.As(err, &to) {
		p.showError(w, r, err)
		return
	}
	noteCause(r, to.refusal)
	p.respond(w, r, to.redirectURI, to.mode, to.state, url.Values{
		"error": {to.refusal.Code}, "error_description": {sayable(to.refusal.Description)},
	})
}

func (p *Provider) showError(w http.ResponseWriter, r *http.Request, err error) {
	e := translate(err)
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	noteCause(r, e)
	p.ErrorPage(w, r, PageError{Status: e.Status, Code: e.Code, Description: e.Description})
}

// respond delivers an authorization response, good or bad, in the response mode that was
// asked for. It always says who answers (RFC 9207 §2), and echoes a state if there was one.
func (p *Provider) respond(w http.ResponseWriter, r *http.Request, redirectURI, mode, state string, params url.Values) {
	params.Set("iss", p.Issuer)
	if state != "" {
		params.Set("state", state)
	} else {
		params.Del("state")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if mode == modeFormPost {
		p.FormPost(w, r, redirectURI, params)
		return
	}
	// The registered query is kept to the letter (RFC 6749 §3.1.2).
	separator := "?"
	if u, err := url.Parse(redirectURI); err == nil && (u.RawQuery != "" || u.ForceQuery) {
		separator = "&"
	}
	w.Header().Set("Location", redirectURI+separator+params.Encode())
	w.WriteHeader(http.StatusSeeOther)
}
