package demo

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

//go:embed app.html app.css icon.svg
var files embed.FS

// AppConfig is what the app's developer was told when they registered it.
type AppConfig struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	URL          string // of the app itself
	OrdersURL    string // of the API it uses
	GatewayURL   string // of the gateway before that API
}

// App is Acme Calendar: it signs people in with Signet and shows what it fetched for them.
type App struct {
	cfg      AppConfig
	oauth    oauth2.Config
	provider *oidc.Provider
	page     *template.Template
	mux      *http.ServeMux

	mu       sync.Mutex
	sessions map[string]*visit
}

// visit is what the app keeps of one browser.
type visit struct {
	state, nonce, verifier string // of a sign-in under way

	Name      string
	Email     string
	Token     *oauth2.Token
	Scopes    []string
	Orders    []order
	Problem   string
	Updated   bool
	Refreshed bool
	Fetched   string // what the API answered when it was asked by a button
}

// view is what the page shows.
type view struct {
	*visit
	AccountURL string // where the person sees, at Signet, what they allowed
	Narrowed   bool   // they allowed less than was asked for
}

const appCookie = "acme_session"

// NewApp makes the app; it asks the issuer for its metadata.
func NewApp(ctx context.Context, cfg AppConfig) (*App, error) {
	provider, err := oidc.NewProvider(ctx, cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover issuer: %w", err)
	}
	page, err := template.ParseFS(files, "app.html")
	if err != nil {
		return nil, err
	}
	a := &App{
		cfg: cfg, provider: provider, page: page, mux: http.NewServeMux(), sessions: map[string]*visit{},
		oauth: oauth2.Config{
			ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, Endpoint: provider.Endpoint(),
			RedirectURL: cfg.URL + "/callback",
			Scopes:      []string{oidc.ScopeOpenID, "profile", "email", "orders:read"},
		},
	}
	a.mux.HandleFunc("GET /{$}", a.home)
	for _, name := range []string{"app.css", "icon.svg"} {
		a.mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, name) })
	}
	a.mux.HandleFunc("GET /login", a.login)
	a.mux.HandleFunc("GET /callback", a.callback)
	a.mux.HandleFunc("POST /update", a.update)
	a.mux.HandleFunc("POST /refresh", a.refresh)
	a.mux.HandleFunc("POST /fetch", a.fetch)
	a.mux.HandleFunc("POST /sign-out", a.signOut)
	return a, nil
}

func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// visit finds what is kept of the browser, or begins anew.
func (a *App) visit(w http.ResponseWriter, r *http.Request) *visit {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, err := r.Cookie(appCookie); err == nil && a.sessions[c.Value] != nil {
		return a.sessions[c.Value]
	}
	id, v := rand.Text(), &visit{}
	a.sessions[id] = v
	http.SetCookie(w, &http.Cookie{Name: appCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return v
}

func (a *App) home(w http.ResponseWriter, r *http.Request) {
	v := a.visit(w, r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = a.page.Execute(w, view{v, a.cfg.Issuer + "/account/apps", a.narrowed(v)})
	v.Problem, v.Updated, v.Refreshed, v.Fetched = "", false, false, ""
}

// narrowed reports whether something that was asked for was not allowed.
func (a *App) narrowed(v *visit) bool {
	for _, scope := range a.oauth.Scopes {
		if !slices.Contains(v.Scopes, scope) {
			return true
		}
	}
	return false
}

// login sends the browser to Signet (authorization code flow with PKCE).
func (a *App) login(w http.ResponseWriter, r *http.Request) {
	v := a.visit(w, r)
	v.state, v.nonce, v.verifier = rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	http.Redirect(w, r, a.oauth.AuthCodeURL(v.state, oidc.Nonce(v.nonce), oauth2.S256ChallengeOption(v.verifier)), http.StatusFound)
}

// callback is where Signet sends the browser back to.
func (a *App) callback(w http.ResponseWriter, r *http.Request) {
	v := a.visit(w, r)
	if err := a.finish(r.Context(), v, r); err != nil {
		v.Problem = err.Error()
	}
	http.Redirect(w, r, "/", http.StatusFound)
}

func (a *App) finish(ctx context.Context, v *visit, r *http.Request) error {
	q := r.URL.Query()
	if v.state == "" || q.Get("state") != v.state {
		return errors.New("the answer does not belong to a sign-in of this browser")
	}
	v.state = ""
	switch q.Get("error") {
	case "":
	case "access_denied":
		return errDenied
	default:
		return errors.New("Signet says: " + q.Get("error_description"))
	}
	if iss := q.Get("iss"); iss != a.cfg.Issuer {
		return errors.New("the answer comes from another server")
	}
	token, err := a.oauth.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(v.verifier))
	if err != nil {
		return fmt.Errorf("redeem code: %w", err)
	}
	return a.welcome(ctx, v, token)
}

// welcome verifies who came, and fetches what the app is for.
func (a *App) welcome(ctx context.Context, v *visit, token *oauth2.Token) error {
	raw, _ := token.Extra("id_token").(string)
	idToken, err := a.provider.Verifier(&oidc.Config{
		ClientID: a.cfg.ClientID, SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256},
	}).Verify(ctx, raw)
	if err != nil {
		return fmt.Errorf("verify id token: %w", err)
	}
	if idToken.Nonce != v.nonce {
		return errors.New("the ID token belongs to another sign-in")
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		return fmt.Errorf("verify access token: %w", err)
	}
	info, err := a.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("fetch userinfo: %w", err)
	}
	var profile struct {
		Name     string `json:"name"`
		Username string `json:"preferred_username"`
	}
	if err := info.Claims(&profile); err != nil {
		return fmt.Errorf("read userinfo: %w", err)
	}
	v.Name, v.Email, v.Token = profile.Name, info.Email, token
	if v.Name == "" {
		v.Name = "somebody who keeps their name to themselves"
	}
	return a.fetchOrders(ctx, v)
}

// signOut forgets the person in the app; Signet still knows them.
func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(appCookie); err == nil {
		a.mu.Lock()
		delete(a.sessions, c.Value)
		a.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: appCookie, Path: "/", MaxAge: -1})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
