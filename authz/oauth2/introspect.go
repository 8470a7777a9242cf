package oauth2

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// introspection is the answer of RFC 7662 §2.2.
type introspection struct {
	Active    bool     `json:"active"`
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  list     `json:"aud,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	Username  string   `json:"username,omitempty"`
	Scope     string   `json:"scope,omitempty"`
	TokenType string   `json:"token_type,omitempty"`
	IssuedAt  int64    `json:"iat,omitempty"`
	Expires   int64    `json:"exp,omitempty"`
	ID        string   `json:"jti,omitempty"`
	AuthTime  int64    `json:"auth_time,omitempty"`
	ACR       string   `json:"acr,omitempty"`
	AMR       []string `json:"amr,omitempty"`
	Actor     *actor   `json:"act,omitempty"`

	Confirm json.RawMessage `json:"cnf,omitempty"` // RFC 7800 §3.1

	personal // what a token for the caller's own API says
}

// MarshalJSON adds the custom claims.
func (i introspection) MarshalJSON() ([]byte, error) {
	type members introspection
	return withCustom(members(i), i.custom)
}

// mediaIntrospectionJWT is the signed form of the answer (RFC 9701 §5).
const mediaIntrospectionJWT = "application/token-introspection+jwt"

// Introspect is the introspection endpoint (RFC 7662). A caller learns of the tokens that
// were issued to it and of those for an API that it owns; every other token is inactive to
// it, as is one that does not exist. An outage is 503 and never inactive.
func (p *Provider) Introspect(w http.ResponseWriter, r *http.Request) {
	form, err := bodyParams(w, r)
	if err != nil {
		p.writeError(w, r, err)
		return
	}
	caller, err := p.authenticate(r.Context(), r.Header, form)
	switch {
	case err != nil:
	case caller.Public():
		err = invalidClient("A public client may not introspect tokens.")
	case form.Get("token") == "":
		err = invalidRequest("The token is missing.")
	}
	if err != nil {
		p.writeError(w, r, err)
		return
	}
	answer, err := p.introspect(r.Context(), caller, form.Get("token"))
	if err != nil {
		p.writeError(w, r, err)
		return
	}
	p.writeIntrospection(w, r, caller, answer)
}

func (p *Provider) introspect(ctx context.Context, caller *authz.Client, token string) (introspection, error) {
	read := p.introspectAccess
	if strings.HasPrefix(token, authz.PrefixRefreshToken) {
		read = p.introspectRefresh
	}
	answer, err := read(ctx, caller, token)
	if errors.Is(err, ErrInvalidToken) {
		return introspection{}, nil
	}
	return answer, err
}

func (p *Provider) introspectAccess(ctx context.Context, caller *authz.Client, token string) (introspection, error) {
	claims, err := p.readAccessToken(token)
	if err != nil {
		return introspection{}, err
	}
	allowed, told, err := p.mayIntrospect(ctx, caller, claims)
	if err != nil || !allowed {
		return introspection{}, err
	}
	alive, err := p.live(ctx, claims)
	if err != nil {
		return introspection{}, err
	}
	scopes, err := p.scopesNow(ctx, claims, alive)
	if err != nil {
		return introspection{}, err
	}
	p.used(alive)
	out := introspection{
		Active: true, Issuer: claims.Issuer, Subject: claims.Subject, Audience: claims.Audience,
		ClientID: claims.ClientID, Scope: scopes.String(), TokenType: "Bearer",
		IssuedAt: claims.IssuedAt, Expires: claims.Expires, ID: claims.ID,
		AuthTime: claims.AuthTime, ACR: claims.ACR, AMR: claims.AMR, Actor: claims.Actor,
		Confirm: claims.Confirm, personal: personalOf(alive.user, told),
	}
	// The person's name they allowed with the scope profile, or the caller's API is told it.
	if alive.user != nil && (claims.Scope.Has(authz.ScopeProfile) || told.Has("preferred_username")) {
		out.Username = alive.user.Username
	}
	return out, nil
}

// mayIntrospect reports whether a token is any of the caller's business, and which claims
// about the person it may be told: those that its own API is registered for.
func (p *Provider) mayIntrospect(
	ctx context.Context, caller *authz.Client, claims *accessClaims,
) (allowed bool, told authz.Scopes, err error) {
	allowed = claims.ClientID == caller.ID
	for _, identifier := range claims.Audience {
		api, err := p.API(ctx, identifier)
		switch {
		case errors.Is(err, authz.ErrNotFound):
			continue
		case err != nil:
			return false, nil, unavailable(err)
		case api.OwnerClientID == caller.ID:
			allowed, told = true, told.With(api.Claims)
		}
	}
	return allowed, told, nil
}

// introspectRefresh answers the client that holds the refresh token, and nobody else.
func (p *Provider) introspectRefresh(ctx context.Context, caller *authz.Client, token string) (introspection, error) {
	t, ok := p.openRefresh(token)
	if !ok {
		return introspection{}, ErrInvalidToken
	}
	g, u, err := p.Store.LiveGrant(ctx, t.grantID, "", p.Now())
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return introspection{}, ErrInvalidToken
	case err != nil:
		return introspection{}, unavailable(err)
	case g.ClientID != caller.ID || g.RefreshSeq != t.seq || g.CodeUsedAt.IsZero() || !p.Now().Before(g.RefreshExpiresAt):
		return introspection{}, ErrInvalidToken
	}
	out := introspection{
		Active: true, Issuer: p.Issuer, Subject: g.UserID, Audience: g.Resources, ClientID: g.ClientID,
		Scope: g.Scopes.String(), IssuedAt: g.RefreshRotatedAt.Unix(),
		Expires: min(g.RefreshExpiresAt.Unix(), g.ExpiresAt.Unix()),
	}
	if g.Scopes.Has(authz.ScopeProfile) {
		out.Username = u.Username
	}
	return out, nil
}

// writeIntrospection answers in JSON, or signed for those who ask (RFC 9701 §5).
func (p *Provider) writeIntrospection(w http.ResponseWriter, r *http.Request, caller *authz.Client, answer introspection) {
	if r.Header.Get("Accept") != mediaIntrospectionJWT {
		writeJSON(w, http.StatusOK, answer)
		return
	}
	raw, err := json.Marshal(map[string]any{
		"iss": p.Issuer, "aud": caller.ID, "iat": p.Now().Unix(), "token_introspection": answer,
	})
	if err == nil {
		var token string
		if token, err = p.Keys.Sign("", "token-introspection+jwt", raw); err == nil {
			w.Header().Set("Content-Type", mediaIntrospectionJWT)
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write([]byte(token))
			return
		}
	}
	p.writeError(w, r, unavailable(err))
}
