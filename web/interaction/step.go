package interaction

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/page"
)

// Requests knows the authorization requests that wait for a person. For one that is
// unknown, expired, finished or another browser's it says authz.ErrNotFound.
type Requests interface {
	Pending(ctx context.Context, id string) (*oauth2.Pending, error)
	LoggedIn(ctx context.Context, id string, s *authz.Session) (next string, err error)
	Answer(ctx context.Context, id string, allowed bool, scopes authz.Scopes) (next string, err error)
}

// Sessions begins and ends being signed in. The secret is the value of the cookie.
type Sessions interface {
	Begin(ctx context.Context, u *authz.User, amr []string) (*authz.Session, authz.Secret, error)
	Replace(ctx context.Context, old *authz.Session, u *authz.User, amr []string) (*authz.Session, authz.Secret, error)
	End(ctx context.Context, userID, id string) error
}

// Config names all that the steps need.
type Config struct {
	Requests  Requests
	Passwords Passwords
	Sessions  Sessions
	People    People
	Answers   *answer.Writer
	Cookies   middleware.Cookies
	Tokens    middleware.FormTokens
	Now       func() time.Time
}

// Steps are the handlers of the pages. Their routes bring the session and the binding of
// the browser, and the form of a POST has been read.
type Steps struct{ Config }

// New makes the steps.
func New(c Config) *Steps { return &Steps{c} }

// signIn makes somebody the one who is signed in with this browser. The session is always a
// new one, and one that there was before ends with it: an identifier that somebody knew
// before the login is worth nothing after it.
func (s *Steps) signIn(w http.ResponseWriter, r *http.Request, u *authz.User) (*authz.Session, error) {
	var (
		session *authz.Session
		cookie  authz.Secret
		err     error
		amr     = []string{"pwd"}
	)
	if old, _ := authz.SessionFrom(r.Context()); old != nil {
		session, cookie, err = s.Sessions.Replace(r.Context(), old, u, amr)
	} else {
		session, cookie, err = s.Sessions.Begin(r.Context(), u, amr)
	}
	if err != nil {
		return nil, err
	}
	s.Cookies.SetSession(w, cookie, session.ExpiresAt.Sub(s.Now()))
	s.Cookies.SetDevice(w, s.Passwords.DeviceToken(u.ID))
	return session, nil
}

// missing tells that a request does not wait any more, or that this cannot be found out. One
// that has become wrong while its page was open goes back to where it is refused: there is
// an app that may have to be told.
func (s *Steps) missing(w http.ResponseWriter, r *http.Request, id string, err error) {
	var refused *oauth2.Error
	switch {
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		resume(w, id)
	case errors.Is(err, authz.ErrNotFound):
		s.Answers.Page(w, r, expired())
	default:
		s.Answers.Page(w, r, answer.Outage(err))
	}
}

// resume sends the browser back to the authorization endpoint with a request as it stands.
func resume(w http.ResponseWriter, id string) {
	goTo(w, "/oauth2/authorize?"+url.Values{"interaction": {id}}.Encode())
}

func appOf(c *authz.Client) page.App {
	m := c.Metadata
	return page.App{Name: c.DisplayName(), HomeURL: m.ClientURI, PolicyURL: m.PolicyURI, TermsURL: m.TermsURI}
}
