package account

import (
	"errors"
	"net/http"

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
		out.Sessions = append(out.Sessions, page.SessionEntry{
			ID: s.ID, Current: s.ID == who.session.ID, UserAgent: s.UserAgent, Address: s.Address,
			Started: s.CreatedAt, LastSeen: s.LastSeenAt,
		})
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
	err := p.Config.Sessions.End(r.Context(), who.user.ID, r.PostForm.Get("id"))
	if err != nil && !errors.Is(err, authz.ErrNotFound) {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	p.done(w, r, who, sessions, "That session has ended.")
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
