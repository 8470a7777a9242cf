// Package account holds a person's own pages: what can act for them, where they are signed
// in, and taking either back. What a revocation or the end of a session means is decided in
// authz; these pages are for whoever is signed in, and concern nobody else's things.
package account

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/page"
)

// Consents knows which apps can act for a person.
type Consents interface {
	Apps(ctx context.Context, userID string) ([]consent.App, error)
	Revoke(ctx context.Context, userID, clientID string) error
}

// Sessions knows where a person is signed in.
type Sessions interface {
	List(ctx context.Context, userID string) ([]*authz.Session, error)
	End(ctx context.Context, userID, id string) error
	EndOthers(ctx context.Context, userID, keepID string) (int64, error)
}

// APIs knows what scopes mean.
type APIs interface {
	All(ctx context.Context) (*catalog.Snapshot, error)
}

// APITokens knows the tokens that a person made for programs.
type APITokens interface {
	List(ctx context.Context, userID string) ([]*authz.APIToken, error)
	Check(ctx context.Context, owner *authz.User, n apitoken.New) error
	Create(ctx context.Context, owner *authz.User, n apitoken.New) (*authz.APIToken, authz.Secret, error)
	Rotate(ctx context.Context, userID string, r apitoken.Rotation) (*authz.APIToken, authz.Secret, error)
	Revoke(ctx context.Context, userID, id string) error
	Grantable(ctx context.Context, owner *authz.User, identifier string) (authz.Scopes, error)
	Makers(ctx context.Context, tokens []*authz.APIToken) (map[string]string, error)
	MaxLifetime() time.Duration
}

// Config names all that the pages need.
type Config struct {
	Consents  Consents
	Sessions  Sessions
	APITokens APITokens
	APIs      APIs
	Answers   *answer.Writer
	Forms     middleware.FormTokens
	Cookies   middleware.Cookies
}

// Pages are the handlers. Their routes bring the session and the binding of the browser,
// and the form of a POST has been read.
type Pages struct{ Config }

// New makes the pages.
func New(c Config) *Pages { return &Pages{c} }

// Home leads whoever types the server's bare address to their account: GET /.
func (p *Pages) Home(w http.ResponseWriter, _ *http.Request) { goTo(w, overview) }

// Overview says who is signed in and what there is to see: GET /account.
func (p *Pages) Overview(w http.ResponseWriter, r *http.Request) {
	who, ok := p.signedIn(w, r, overview)
	if !ok {
		return
	}
	granted, err := p.Consents.Apps(r.Context(), who.user.ID)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	sessions, err := p.Config.Sessions.List(r.Context(), who.user.ID)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	mine, err := p.liveTokens(r, who)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	p.Answers.Show(w, r, http.StatusOK, page.Account{
		Layout: p.layout(r, who), Username: who.user.Username, Email: who.user.Email,
		Since: who.user.CreatedAt, Claims: said(who.user.Claims),
		Entries: len(granted) + len(mine), Sessions: len(sessions), Tokens: len(mine),
	})
}

// said puts claims into words, by name.
func said(claims authz.UserClaims) []page.AccountClaim {
	var out []page.AccountClaim
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		text := fmt.Sprint(claims[name])
		if list, ok := claims[name].([]string); ok {
			text = strings.Join(list, ", ")
		}
		out = append(out, page.AccountClaim{Name: name, Value: text})
	}
	return out
}

// Addresses of the pages.
const (
	overview = "/account"
	apps     = "/account/apps"
	sessions = "/account/sessions"
)

// person is who is signed in, and with what.
type person struct {
	session *authz.Session
	user    *authz.User
}

// signedIn gives the person; not ok when they were sent to sign in first, from where they
// come back to a page.
func (p *Pages) signedIn(w http.ResponseWriter, r *http.Request, back string) (person, bool) {
	session, user := authz.SessionFrom(r.Context())
	if session == nil {
		if r.Method == http.MethodGet { // a page is come back to with its query
			back = r.URL.RequestURI()
		}
		goTo(w, "/login?"+url.Values{"return_to": {back}}.Encode())
		return person{}, false
	}
	return person{session, user}, true
}

// acting gives the person whose own form this is. Without a good form nothing is done.
func (p *Pages) acting(w http.ResponseWriter, r *http.Request, back string) (person, bool) {
	who, ok := p.signedIn(w, r, back)
	if !ok {
		return person{}, false
	}
	if !p.Forms.Valid(r, "session", who.session.ID) {
		p.Answers.Page(w, r, answer.StaleForm(page.Link{Text: "Open it again", URL: back}))
		return person{}, false
	}
	return who, true
}

// layout fills in the token of every form on the page, and what has just been done.
func (p *Pages) layout(r *http.Request, who person) page.Layout {
	out := p.Answers.Layout(r)
	out.CSRF = p.Forms.Token(r.Context(), "session", who.session.ID)
	out.Flash = p.flash(r, who)
	return out
}

func goTo(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
}
