package interaction

import (
	"context"
	"errors"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

// People makes the first administrator.
type People interface {
	NeedsSetup(ctx context.Context) (bool, error)
	CheckSetupToken(token string) bool
	Setup(ctx context.Context, n directory.New) (*authz.User, error)
}

// ShowSetup asks who the first administrator is: GET /setup?token=….
func (s *Steps) ShowSetup(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	if s.setupOpen(w, r, token) {
		s.showSetup(w, r, http.StatusOK, page.Setup{Token: token})
	}
}

// Setup makes the first administrator and signs them in: POST /setup.
func (s *Steps) Setup(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	token := form.Get("token")
	if !s.setupOpen(w, r, token) {
		return
	}
	typed := page.Setup{
		Token: token, Username: form.Get("username"), Name: form.Get("name"), Email: form.Get("email"),
	}
	if !s.Tokens.Valid(r, "setup") {
		s.Answers.Page(w, r, answer.StaleForm(page.Link{}))
		return
	}
	first := directory.New{
		Username: typed.Username, Name: typed.Name, Email: typed.Email,
		Password: authz.Secret(form.Get("password")), Admin: true,
	}
	if typed.Problems = problems(first); len(typed.Problems) > 0 {
		s.showSetup(w, r, http.StatusUnprocessableEntity, typed)
		return
	}
	user, err := s.People.Setup(r.Context(), first)
	if err != nil {
		s.refuseSetup(w, r, typed, err)
		return
	}
	s.finishSetup(w, r, user)
}

// setupOpen reports whether a link is good; if not it has said so. A wrong link learns
// nothing of the server.
func (s *Steps) setupOpen(w http.ResponseWriter, r *http.Request, token string) bool {
	if !s.People.CheckSetupToken(token) {
		s.Answers.Page(w, r, answer.Trouble{
			Status: http.StatusNotFound, Code: "setup_link_invalid",
			Reason: "A part of it may be missing, or it may be the link of another server.",
			Advice: "Copy the whole link again. If that does not help, start the server anew: " +
				"it prints the link until the first administrator exists.",
		})
		return false
	}
	open, err := s.People.NeedsSetup(r.Context())
	switch {
	case err != nil:
		s.Answers.Page(w, r, answer.Outage(err))
		return false
	case !open:
		s.Answers.Page(w, r, setUpAlready())
		return false
	}
	return true
}

func (s *Steps) refuseSetup(w http.ResponseWriter, r *http.Request, typed page.Setup, err error) {
	var invalid *authz.InvalidError
	switch {
	case errors.Is(err, directory.ErrSetUp):
		s.Answers.Page(w, r, setUpAlready())
	case errors.As(err, &invalid):
		typed.Problems = page.Problems{invalid.Field: capital(invalid.Reason)}
		s.showSetup(w, r, http.StatusUnprocessableEntity, typed)
	case errors.Is(err, authz.ErrConflict):
		typed.Problems = page.Problems{"username": "Somebody has this username or email address already."}
		s.showSetup(w, r, http.StatusUnprocessableEntity, typed)
	default:
		s.Answers.Page(w, r, answer.Outage(err))
	}
}

// setUpAlready is what the link is worth once it has done its work.
func setUpAlready() answer.Trouble {
	return answer.Trouble{
		Status: http.StatusGone, Code: "set_up_already",
		Reason: "This link has done its work: the first administrator exists.",
		Advice: "Sign in with the account that was made with it.",
		Back:   page.Link{Text: "Sign in", URL: "/login"},
	}
}

// problems tells all that is wrong at once, so that nobody has to mend one thing to hear of
// the next.
func problems(n directory.New) page.Problems {
	out := page.Problems{}
	if invalid, ok := errors.AsType[*authz.InvalidError](login.CheckPassword(n.Password)); ok {
		out[invalid.Field] = capital(invalid.Reason)
	}
	for _, one := range n.Problems() {
		out[one.Field] = capital(one.Reason)
	}
	return out
}

// capital makes a sentence of a reason.
func capital(reason string) string {
	first, size := utf8.DecodeRuneInString(reason)
	return string(unicode.ToUpper(first)) + reason[size:] + "."
}

func (s *Steps) finishSetup(w http.ResponseWriter, r *http.Request, u *authz.User) {
	if _, err := s.signIn(w, r, u); err != nil {
		s.Answers.Page(w, r, answer.Outage(err))
		return
	}
	s.Answers.Show(w, r, http.StatusCreated, page.SetupDone{Layout: s.Answers.Layout(r), Username: u.Username})
}

func (s *Steps) showSetup(w http.ResponseWriter, r *http.Request, status int, p page.Setup) {
	p.Layout = s.Answers.Layout(r)
	p.CSRF = s.Tokens.Token(r.Context(), "setup")
	p.MinPassword = login.MinPassword
	s.Answers.Show(w, r, status, p)
}
