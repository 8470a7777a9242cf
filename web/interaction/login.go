package interaction

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/login"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/page"
)

// Passwords knows who somebody is by username and password.
type Passwords interface {
	Password(ctx context.Context, a login.Attempt) (*authz.User, error)
	DeviceToken(userID string) authz.Secret
}

// visit is why somebody is on the login page: for a request of an app, or to go to a page
// of ours.
type visit struct {
	pending  *oauth2.Pending // nil: by themselves
	returnTo string          // a path of ours; empty: the account
	instead  bool            // signed in already, and here to be somebody else
}

func (v visit) id() string {
	if v.pending == nil {
		return ""
	}
	return v.pending.ID
}

// ShowLogin asks for a username and a password: GET /login, with interaction or return_to.
// With instead it offers to stay who one is.
func (s *Steps) ShowLogin(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	v, ok := s.visit(w, r, q)
	if !ok {
		return
	}
	if session, _ := authz.SessionFrom(r.Context()); session != nil && v.pending == nil {
		goTo(w, v.destination())
		return
	}
	p := page.Login{}
	if v.pending != nil {
		p.Username = v.pending.LoginHint
	}
	s.showLogin(w, r, http.StatusOK, v, p)
}

// Login takes the form: POST /login.
func (s *Steps) Login(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	v, ok := s.visit(w, r, form)
	if !ok {
		return
	}
	typed := page.Login{Username: form.Get("username")}
	if !s.Tokens.Valid(r, "login", v.id()) {
		typed.Problem = page.SessionExpired
		s.showLogin(w, r, http.StatusForbidden, v, typed)
		return
	}
	if form.Get("decision") == "deny" && v.pending != nil {
		s.answer(w, r, v.pending.ID, false, nil)
		return
	}
	if typed.Username == "" || form.Get("password") == "" {
		typed.Problem = page.Incomplete
		s.showLogin(w, r, http.StatusUnprocessableEntity, v, typed)
		return
	}
	user, err := s.Passwords.Password(r.Context(), login.Attempt{
		Username: typed.Username, Password: authz.Secret(form.Get("password")), Device: s.Cookies.Device(r),
	})
	if err != nil {
		s.refuseLogin(w, r, v, typed, err)
		return
	}
	s.welcome(w, r, v, user)
}

// visit finds out why somebody is here; not ok when they have been answered already.
func (s *Steps) visit(w http.ResponseWriter, r *http.Request, q url.Values) (v visit, ok bool) {
	id := q.Get("interaction")
	if id == "" {
		return visit{returnTo: ownPath(q.Get("return_to"))}, true
	}
	pending, err := s.Requests.Pending(r.Context(), id)
	if err != nil {
		s.missing(w, r, id, err)
		return visit{}, false
	}
	return visit{pending: pending, instead: pending.User != nil && q.Get("instead") != ""}, true
}

// refuseLogin shows the form again. It is the same for an unknown name as for a wrong
// password. An account that was changed while its owner signed in is stale: once more, then.
func (s *Steps) refuseLogin(w http.ResponseWriter, r *http.Request, v visit, typed page.Login, err error) {
	var throttled *login.ThrottledError
	switch {
	case errors.As(err, &throttled):
		wait := seconds(max(throttled.RetryAfter, time.Second))
		answer.RetryAfter(w, wait)
		typed.Problem, typed.Wait = page.TooManyTries, wait
		s.showLogin(w, r, http.StatusTooManyRequests, v, typed)
	case errors.Is(err, authz.ErrStale):
		typed.Problem = page.SessionExpired
		s.showLogin(w, r, http.StatusForbidden, v, typed)
	case errors.Is(err, login.ErrWrong):
		typed.Problem = page.WrongCredentials
		// Not 401: that would have to name an HTTP authentication scheme (RFC 9110 §15.5.2).
		s.showLogin(w, r, http.StatusForbidden, v, typed)
	default:
		s.Answers.Page(w, r, answer.Outage(err))
	}
}

// welcome signs in and sends the person to where they wanted to go.
func (s *Steps) welcome(w http.ResponseWriter, r *http.Request, v visit, u *authz.User) {
	session, err := s.signIn(w, r, u)
	if err != nil {
		s.refuseLogin(w, r, v, page.Login{Username: u.Username}, err)
		return
	}
	if v.pending == nil {
		goTo(w, v.destination())
		return
	}
	next, err := s.Requests.LoggedIn(r.Context(), v.pending.ID, session)
	if err != nil {
		s.missing(w, r, v.id(), err)
		return
	}
	goTo(w, next)
}

func (v visit) destination() string {
	if v.returnTo == "" {
		return "/account"
	}
	return v.returnTo
}

func (s *Steps) showLogin(w http.ResponseWriter, r *http.Request, status int, v visit, p page.Login) {
	p.Layout = s.Answers.Layout(r)
	p.CSRF = s.Tokens.Token(r.Context(), "login", v.id())
	p.Interaction, p.ReturnTo = v.id(), v.returnTo
	if v.pending != nil {
		p.App, p.AppHost = appOf(v.pending.Client), appHost(v.pending)
		middleware.AllowFormRedirect(w.Header(), v.pending.RedirectURI)
	}
	if v.instead {
		p.StayURL = "/consent?" + url.Values{"interaction": {v.id()}}.Encode()
	}
	s.Answers.Show(w, r, status, p)
}

// appHost is where an app lives: by its own word, or else where it is sent answers. Nothing
// can be said of one on the person's device.
func appHost(p *oauth2.Pending) string {
	for _, address := range []string{p.Client.Metadata.ClientURI, p.RedirectURI} {
		if u, err := url.Parse(address); err == nil && u.Host != "" && !p.Warn {
			return u.Host
		}
	}
	return ""
}
