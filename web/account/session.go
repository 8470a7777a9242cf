package account

import (
	"errors"
	"net/http"
	"slices"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

// Sessions lists where the person is signed in: GET /account/sessions.
func (p *Pages) Sessions(w http.ResponseWriter, r *http.Request) {
	who, ok := p.signedIn(w, r, sessions)
	if !ok {
		return
	}
	all, err := p.Config.Sessions.List(r.Context(), who.user.ID)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	out := page.AccountSessions{Layout: p.layout(r, who)}
	for _, s := range all {
		one := page.SessionEntry{
			ID: s.ID, Current: s.ID == who.session.ID, UserAgent: s.UserAgent, Address: s.Address,
			Started: s.CreatedAt, LastSeen: s.LastSeenAt,
		}
		if one.Current { // it comes first: a person compares the others with it
			out.Sessions = slices.Insert(out.Sessions, 0, one)
			continue
		}
		out.Sessions = append(out.Sessions, one)
	}
	p.Answers.Show(w, r, http.StatusOK, out)
}

// EndSession signs one browser out: POST /account/sessions/end. One that is gone already is
// as it should be.
func (p *Pages) EndSession(w http.ResponseWriter, r *http.Request) {
	who, ok := p.acting(w, r, sessions)
	if !ok {
		return
	}
	farewell, err := p.farewell(r, who, r.PostForm.Get("id"))
	if err == nil {
		err = p.Config.Sessions.End(r.Context(), who.user.ID, r.PostForm.Get("id"))
	}
	switch {
	case errors.Is(err, authz.ErrNotFound):
		goTo(w, sessions)
	case err != nil:
		p.Answers.Page(w, r, answer.Outage(err))
	default:
		p.done(w, r, who, sessions, farewell)
	}
}

// farewell says what ending a session has done; authz.ErrNotFound when there is none.
func (p *Pages) farewell(r *http.Request, who person, id string) (string, error) {
	all, err := p.Config.Sessions.List(r.Context(), who.user.ID)
	if err != nil {
		return "", err
	}
	for _, s := range all {
		if s.ID == id {
			return page.Describe(s.UserAgent) + " is signed out.", nil
		}
	}
	return "", authz.ErrNotFound
}

// EndOtherSessions signs all other browsers out: POST /account/sessions/end-others.
func (p *Pages) EndOtherSessions(w http.ResponseWriter, r *http.Request) {
	who, ok := p.acting(w, r, sessions)
	if !ok {
		return
	}
	if _, err := p.Config.Sessions.EndOthers(r.Context(), who.user.ID, who.session.ID); err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	p.done(w, r, who, sessions, "You are signed out everywhere else.")
}
