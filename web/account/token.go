package account

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

const (
	tokens    = "/account/tokens"
	newToken  = "/account/tokens/new"
	expiresIn = 7 * 24 * time.Hour // what counts as soon
)

// Tokens lists the person's API tokens: GET /account/tokens.
func (p *Pages) Tokens(w http.ResponseWriter, r *http.Request) {
	who, ok := p.signedIn(w, r, tokens)
	if !ok {
		return
	}
	all, err := p.APITokens.List(r.Context(), who.user.ID)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	known, err := p.APIs.All(r.Context())
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	makers, err := p.APITokens.Makers(r.Context(), all)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	out := page.AccountTokens{Layout: p.layout(r, who)}
	for _, t := range all {
		entry := tokenEntry(t, known, out.Now)
		entry.MadeBy = makers[t.MadeBy]
		out.Tokens = append(out.Tokens, entry)
	}
	p.Answers.Show(w, r, http.StatusOK, out)
}

func tokenEntry(t *authz.APIToken, known *catalog.Snapshot, now time.Time) page.TokenEntry {
	out := page.TokenEntry{
		ID: t.ID, Name: t.Name, Access: tokenAccess(t, known), Status: tokenStatus(t, now),
		Created: t.CreatedAt, Expires: t.ExpiresAt, LastUsed: t.LastUsedAt, Ended: ended(t, now),
		Address: t.LastAddress, UserAgent: t.LastAgent,
	}
	for _, n := range t.Networks {
		out.CIDRs = append(out.CIDRs, n.String())
	}
	return out
}

// tokenAccess tells what a token may do. Of an API that is gone its identifier is left.
func tokenAccess(t *authz.APIToken, known *catalog.Snapshot) page.Access {
	if all := access(t.Scopes, []string{t.API}, known); len(all) > 0 {
		return all[0]
	}
	return page.Access{API: t.API}
}

// ended is when a token stopped working; zero while it works.
func ended(t *authz.APIToken, now time.Time) time.Time {
	switch {
	case !t.RevokedAt.IsZero():
		return t.RevokedAt
	case !t.Live(now):
		return t.ExpiresAt
	}
	return time.Time{}
}

func tokenStatus(t *authz.APIToken, now time.Time) page.TokenStatus {
	switch {
	case t.RevokeReason == authz.RevokedLeaked:
		return page.TokenLeaked
	case t.ReplacedBy != "" && (t.RevokedAt.IsZero() || t.RevokeReason == authz.RevokedReplaced):
		return page.TokenReplaced
	case !t.RevokedAt.IsZero():
		return page.TokenRevoked
	case !t.Live(now):
		return page.TokenExpired
	case t.ExpiresAt.Sub(now) < expiresIn:
		return page.TokenExpiring
	}
	return page.TokenActive
}

// RevokeToken ends a token: POST /account/tokens/revoke. One that has ended already is as
// it should be.
func (p *Pages) RevokeToken(w http.ResponseWriter, r *http.Request) {
	who, ok := p.acting(w, r, tokens)
	if !ok {
		return
	}
	p.revokeToken(w, r, who, r.PostForm.Get("id"), tokens)
}

func (p *Pages) revokeToken(w http.ResponseWriter, r *http.Request, who person, id, back string) {
	t, err := p.ownToken(r, who, id)
	if err == nil {
		err = p.APITokens.Revoke(r.Context(), who.user.ID, id)
	}
	switch {
	case errors.Is(err, authz.ErrNotFound):
		goTo(w, back) // the list shows that it has ended already
	case err != nil:
		p.Answers.Page(w, r, answer.Outage(err))
	default:
		p.done(w, r, who, back, "“"+t.Name+"” is revoked.")
	}
}

// ShowRotateToken asks how long the old token goes on working: GET /account/tokens/rotate.
func (p *Pages) ShowRotateToken(w http.ResponseWriter, r *http.Request) {
	who, ok := p.signedIn(w, r, tokens)
	if !ok {
		return
	}
	t, err := p.ownToken(r, who, r.URL.Query().Get("id"))
	switch {
	case errors.Is(err, authz.ErrNotFound):
		goTo(w, tokens) // the list shows what there is
	case err == nil && t.ReplacedBy != "":
		p.failed(w, r, who, tokens, replacedAlready)
	case err != nil:
		p.Answers.Page(w, r, answer.Outage(err))
	default:
		p.Answers.Show(w, r, http.StatusOK, page.AccountTokenRotate{
			Layout: p.layout(r, who), ID: t.ID, Name: t.Name, LastUsed: t.LastUsedAt,
		})
	}
}

// ownToken finds a live token of the person.
func (p *Pages) ownToken(r *http.Request, who person, id string) (*authz.APIToken, error) {
	mine, err := p.liveTokens(r, who)
	if err != nil {
		return nil, err
	}
	for _, t := range mine {
		if t.ID == id {
			return t, nil
		}
	}
	return nil, authz.ErrNotFound
}

// liveTokens are the tokens of the person that work.
func (p *Pages) liveTokens(r *http.Request, who person) ([]*authz.APIToken, error) {
	all, err := p.APITokens.List(r.Context(), who.user.ID)
	if err != nil {
		return nil, err
	}
	now := p.Answers.Layout(r).Now
	return slices.DeleteFunc(all, func(t *authz.APIToken) bool { return !t.Live(now) }), nil
}

const replacedAlready = "This token was replaced already."

// RotateToken makes a token that replaces another, and shows it this once: POST
// /account/tokens/rotate.
func (p *Pages) RotateToken(w http.ResponseWriter, r *http.Request) {
	who, ok := p.acting(w, r, tokens)
	if !ok {
		return
	}
	overlap, err := time.ParseDuration(r.PostForm.Get("overlap") + "s")
	if err != nil || overlap < 0 {
		overlap = 0 // a form of ours sends one of the choices; anything else ends it now
	}
	fresh, secret, err := p.APITokens.Rotate(r.Context(), who.user.ID, apitoken.Rotation{ID: r.PostForm.Get("id"), Overlap: overlap})
	invalid := new(authz.InvalidError)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		goTo(w, tokens)
	case errors.Is(err, apitoken.ErrReplaced):
		p.failed(w, r, who, tokens, replacedAlready)
	case errors.As(err, &invalid):
		p.failed(w, r, who, tokens, "The token could not be replaced: "+invalid.Reason+".")
	case err != nil:
		p.Answers.Page(w, r, answer.Outage(err))
	default:
		p.showToken(w, r, who, fresh, secret, overlap)
	}
}

// showToken shows a new token, this once. It is an answer and no redirect: nothing but this
// page ever carries it.
func (p *Pages) showToken(w http.ResponseWriter, r *http.Request, who person, t *authz.APIToken, secret authz.Secret, overlap time.Duration) {
	out := page.AccountTokenCreated{Layout: p.layout(r, who), Name: t.Name, API: t.API, Token: secret, Expires: t.ExpiresAt}
	if known, err := p.APIs.All(r.Context()); err == nil {
		if api, ok := known.API(t.API); ok {
			out.API = api.Name
		}
	}
	if overlap > 0 {
		out.OverlapUntil = t.CreatedAt.Add(overlap)
	}
	p.Answers.Show(w, r, http.StatusOK, out)
}
