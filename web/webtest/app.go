package webtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/registration"
)

// App is a registered app with one sign-in under way, as a stranger would write it.
type App struct {
	ID          string
	Secret      authz.Secret
	RedirectURI string

	server *Server
}

const (
	codeVerifier = "a-verifier-of-a-test-that-is-long-enough-to-be-one"
	state        = "the-state-of-the-app"
)

// App registers a client, named as its id, with one redirect URI. Other metadata may be changed.
func (s *Server) App(id, redirectURI string, change ...func(*authz.ClientMetadata)) *App {
	s.t.Helper()
	m := authz.ClientMetadata{
		Name: id, Type: authz.ClientWeb, RedirectURIs: []string{redirectURI}, Scope: authz.OIDCScopes(),
	}
	for _, fn := range change {
		fn(&m)
	}
	c, secret, err := s.Clients.Create(s.t.Context(), registration.New{ID: id, Metadata: m})
	if err != nil {
		s.t.Fatal(err)
	}
	return &App{ID: c.ID, Secret: secret, RedirectURI: redirectURI, server: s}
}

// Params are those of an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3), with more
// as pairs of a name and a value.
func (a *App) Params(scope string, more ...string) url.Values {
	sum := sha256.Sum256([]byte(codeVerifier))
	v := url.Values{
		"response_type": {"code"}, "client_id": {a.ID}, "redirect_uri": {a.RedirectURI}, "scope": {scope},
		"state": {state}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// Ask is the address to which the app sends a person.
func (a *App) Ask(scope string, more ...string) string {
	return a.server.Issuer + "/oauth2/authorize?" + a.Params(scope, more...).Encode()
}

// Answer reads what the browser brings back to the app, and fails the test unless it was
// brought to the right address by the right server.
func (a *App) Answer(p *Page) url.Values {
	a.server.t.Helper()
	if p == nil || !strings.HasPrefix(p.URL.String(), a.RedirectURI) {
		a.server.t.Fatalf("the browser is at %s (%d), not back at %s: %s", p.URL, p.Status, a.RedirectURI, text(p.root))
	}
	v := p.URL.Query()
	if v.Get("state") != state || v.Get("iss") != a.server.Issuer {
		a.server.t.Fatalf("answer with state %q and iss %q", v.Get("state"), v.Get("iss"))
	}
	return v
}

// Tokens is an answer of the token endpoint (RFC 6749 §5.1, §5.2).
type Tokens struct {
	Status       int    `json:"-"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`
	Error        string `json:"error"`
}

// Redeem changes the code that the browser brings back for tokens.
func (a *App) Redeem(p *Page) Tokens {
	a.server.t.Helper()
	return a.Token(url.Values{
		"grant_type": {authz.GrantAuthorizationCode}, "code": {a.Answer(p).Get("code")},
		"redirect_uri": {a.RedirectURI}, "code_verifier": {codeVerifier},
	})
}

// Token asks the token endpoint.
func (a *App) Token(v url.Values) Tokens {
	a.server.t.Helper()
	v.Set("client_id", a.ID)
	r, err := http.NewRequestWithContext(a.server.t.Context(), http.MethodPost, a.server.Issuer+"/oauth2/token", strings.NewReader(v.Encode()))
	if err != nil {
		a.server.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.Secret != "" {
		r.SetBasicAuth(url.QueryEscape(a.ID), url.QueryEscape(a.Secret.Reveal()))
	}
	res, err := a.server.Client().Do(r)
	if err != nil {
		a.server.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out := Tokens{Status: res.StatusCode}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		a.server.t.Fatal(err)
	}
	return out
}
