package interaction

import (
	"net/http"
	"net/url"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/page"
)

// ShowConsent asks what an app may do: GET /consent?interaction=….
func (s *Steps) ShowConsent(w http.ResponseWriter, r *http.Request) {
	p, ok := s.asked(w, r, r.URL.Query().Get("interaction"))
	if !ok {
		return
	}
	middleware.AllowFormRedirect(w.Header(), p.RedirectURI)
	out := page.Consent{
		Layout: s.Answers.Layout(r), App: appOf(p.Client), Interaction: p.ID,
		Username: p.User.Username, OnDevice: p.Warn, Groups: groups(p), NotAsked: notAsked(p),
	}
	out.CSRF = s.consentToken(r, p)
	if u, err := url.Parse(p.RedirectURI); err == nil && !p.Warn {
		out.RedirectHost = u.Host
	}
	s.Answers.Show(w, r, http.StatusOK, out)
}

// Consent takes the answer: POST /consent.
func (s *Steps) Consent(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	p, ok := s.asked(w, r, form.Get("interaction"))
	if !ok {
		return
	}
	if !s.Tokens.Valid(r, s.consentFor(p)...) {
		again := "/consent?" + url.Values{"interaction": {p.ID}}.Encode()
		s.Answers.Page(w, r, answer.StaleForm(page.Link{Text: "Open it again", URL: again}))
		return
	}
	switch form.Get("decision") {
	case "allow":
		s.answer(w, r, p.ID, true, allowed(p, form["scope"]))
	case "deny":
		s.answer(w, r, p.ID, false, nil)
	case "switch":
		goTo(w, "/login?"+url.Values{"interaction": {p.ID}, "instead": {"yes"}}.Encode())
	default:
		resume(w, p.ID)
	}
}

// asked finds the request and the person that is asked. Without a person the authorization
// endpoint decides anew what comes next.
func (s *Steps) asked(w http.ResponseWriter, r *http.Request, id string) (*oauth2.Pending, bool) {
	p, err := s.Requests.Pending(r.Context(), id)
	switch {
	case err != nil:
		s.missing(w, r, id, err)
		return nil, false
	case p.User == nil:
		resume(w, p.ID)
		return nil, false
	}
	return p, true
}

// consentFor binds an answer to who was asked as well: signing in as somebody else in
// another tab must not turn one person's click into another's consent.
func (s *Steps) consentFor(p *oauth2.Pending) []string {
	return []string{"consent", p.ID, p.User.ID}
}

func (s *Steps) consentToken(r *http.Request, p *oauth2.Pending) string {
	return s.Tokens.Token(r.Context(), s.consentFor(p)...)
}

// answer hands an answer over and sends the browser on.
func (s *Steps) answer(w http.ResponseWriter, r *http.Request, id string, allow bool, scopes authz.Scopes) {
	next, err := s.Requests.Answer(r.Context(), id, allow, scopes)
	if err != nil {
		s.missing(w, r, id, err)
		return
	}
	goTo(w, next)
}

// allowed are the ticked scopes of those that were asked for, and those that have no box.
func allowed(p *oauth2.Pending, ticked []string) authz.Scopes {
	var out authz.Scopes
	for _, g := range p.Groups {
		for _, asked := range g.Scopes {
			if !asked.Optional || authz.Scopes(ticked).Has(asked.Name) {
				out = out.With(authz.Scopes{asked.Name})
			}
		}
	}
	return out
}

func groups(p *oauth2.Pending) []page.ConsentGroup {
	var out []page.ConsentGroup
	before := answeredBefore(p)
	for _, g := range p.Groups {
		var one page.ConsentGroup
		if g.API != nil {
			one.API = g.API.Name
		}
		for _, asked := range g.Scopes {
			one.Scopes = append(one.Scopes, page.ConsentScope{
				Name: asked.Name, Sentence: sentence(asked),
				Detail: detail(asked.Name, p.User), Optional: asked.Optional, Checked: true, New: asked.New && before,
			})
		}
		out = append(out, one)
	}
	return out
}

// sentence says what a scope allows. The pages have their own words for what is about the
// person, and use them on the account page too.
func sentence(asked oauth2.AskedScope) string {
	if own := authz.OIDCSentence(asked.Name); own != "" {
		return own
	}
	return asked.Description
}

// detail shows what an app would see of a person: a category is easily allowed, one's own
// address is not.
func detail(scope string, u *authz.User) string {
	switch {
	case scope == authz.ScopeProfile && u.DisplayName() != u.Username:
		return u.DisplayName() + " (" + u.Username + ")"
	case scope == authz.ScopeProfile:
		return u.Username
	case scope == authz.ScopeEmail && u.Email == "":
		return "Your account has none."
	case scope == authz.ScopeEmail:
		return u.Email
	}
	return ""
}

// maxNotAsked is how much is said of what an app does not ask for.
const maxNotAsked = 3

// notAsked are things that the same APIs offer and the app does not ask for. They do not
// depend on the boxes, so that the page says the same without JavaScript.
func notAsked(p *oauth2.Pending) []string {
	var asked authz.Scopes
	for _, g := range p.Groups {
		for _, s := range g.Scopes {
			asked = append(asked, s.Name)
		}
	}
	var out []string
	for _, g := range p.Groups {
		if g.API == nil {
			continue
		}
		for _, s := range g.API.Scopes {
			if !asked.Has(s.Name) && s.Description != "" && len(out) < maxNotAsked {
				out = append(out, s.Description)
			}
		}
	}
	return out
}

// answeredBefore reports whether anything here is not new: only then is it of interest
// what is.
func answeredBefore(p *oauth2.Pending) bool {
	for _, g := range p.Groups {
		for _, asked := range g.Scopes {
			if !asked.New {
				return true
			}
		}
	}
	return false
}
