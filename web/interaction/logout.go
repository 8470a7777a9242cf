package interaction

import (
	"errors"
	"net/http"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

// ShowLogout asks whether to sign out, or says that nobody is signed in: GET /logout.
func (s *Steps) ShowLogout(w http.ResponseWriter, r *http.Request) {
	session, user := authz.SessionFrom(r.Context())
	if session == nil {
		s.Answers.Show(w, r, http.StatusOK, page.LoggedOut{Layout: s.Answers.Layout(r)})
		return
	}
	p := page.Logout{Layout: s.Answers.Layout(r), Username: user.Username}
	p.CSRF = s.Tokens.Token(r.Context(), "session", session.ID)
	s.Answers.Show(w, r, http.StatusOK, p)
}

// Logout ends the session of this browser: POST /logout.
func (s *Steps) Logout(w http.ResponseWriter, r *http.Request) {
	session, user := authz.SessionFrom(r.Context())
	switch {
	case session == nil:
		goTo(w, "/logout")
		return
	case !s.Tokens.Valid(r, "session", session.ID):
		s.Answers.Page(w, r, answer.StaleForm(page.Link{Text: "Sign out", URL: "/logout"}))
		return
	case r.PostForm.Get("decision") == "stay":
		goTo(w, "/account")
		return
	}
	// A session that somebody else has ended meanwhile is ended all the same.
	if err := s.Sessions.End(r.Context(), user.ID, session.ID); err != nil && !errors.Is(err, authz.ErrNotFound) {
		s.Answers.Page(w, r, answer.Outage(err))
		return
	}
	s.Cookies.ClearSession(w)
	goTo(w, "/logout")
}
