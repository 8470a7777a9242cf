package account

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/catalog"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

// Apps lists what can act for the person: GET /account/apps.
func (p *Pages) Apps(w http.ResponseWriter, r *http.Request) {
	who, ok := p.signedIn(w, r, apps)
	if !ok {
		return
	}
	granted, err := p.Consents.Apps(r.Context(), who.user.ID)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	known, err := p.APIs.All(r.Context())
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	mine, err := p.liveTokens(r, who)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	makers, err := p.APITokens.Makers(r.Context(), mine)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	out := page.AccountApps{Layout: p.layout(r, who)}
	for _, app := range granted {
		out.Entries = append(out.Entries, entry(app, known))
	}
	for _, t := range mine {
		out.Entries = append(out.Entries, page.Entry{
			Kind: page.KindToken, ID: t.ID, Name: t.Name, MadeBy: makers[t.MadeBy], Access: []page.Access{tokenAccess(t, known)},
			Since: t.CreatedAt, LastUsed: t.LastUsedAt, Expires: t.ExpiresAt, Place: t.LastAddress,
		})
	}
	p.Answers.Show(w, r, http.StatusOK, out)
}

// RevokeApp takes back what an app, a website or a token was allowed: POST
// /account/apps/revoke.
func (p *Pages) RevokeApp(w http.ResponseWriter, r *http.Request) {
	who, ok := p.acting(w, r, apps)
	if !ok {
		return
	}
	kind, id := page.EntryKind(r.PostForm.Get("kind")), r.PostForm.Get("id")
	farewell, revoke, err := p.ending(r, who, kind, id)
	if err == nil {
		err = revoke(r.Context(), who.user.ID, id)
	}
	switch {
	case errors.Is(err, authz.ErrNotFound):
		goTo(w, apps) // the page shows that it is gone already
	case err != nil:
		p.Answers.Page(w, r, answer.Outage(err))
	default:
		p.done(w, r, who, apps, farewell)
	}
}

// ending finds what takes an entry's access back, and what to say when it is done;
// authz.ErrNotFound for what cannot act for the person.
func (p *Pages) ending(r *http.Request, who person, kind page.EntryKind, id string) (
	farewell string, revoke func(context.Context, string, string) error, err error,
) {
	if kind == page.KindToken {
		t, err := p.ownToken(r, who, id)
		if err != nil {
			return "", nil, err
		}
		return "“" + t.Name + "” no longer works.", p.APITokens.Revoke, nil
	}
	granted, err := p.Consents.Apps(r.Context(), who.user.ID)
	if err != nil {
		return "", nil, err
	}
	for _, app := range granted {
		if app.Client.ID == id {
			return app.Client.DisplayName() + " no longer has access.", p.Consents.Revoke, nil
		}
	}
	return "", nil, authz.ErrNotFound
}

func entry(app consent.App, known *catalog.Snapshot) page.Entry {
	kind := page.KindApp
	switch {
	case strings.HasPrefix(app.Client.ID, gateway.PrefixClient):
		kind = page.KindGateway
	case app.Client.Metadata.FirstParty:
		kind = page.KindFirstParty
	}
	return page.Entry{
		Kind: kind, ID: app.Client.ID, Name: app.Client.DisplayName(), Host: hostOf(app.Client),
		Access: access(app.Scopes, app.Resources, known), Since: app.Since, LastUsed: app.LastUsed,
	}
}

// access tells in sentences what scopes allow: what is about the person first, then API by
// API. A scope that several of the APIs have stands with each of them.
func access(scopes authz.Scopes, resources []string, known *catalog.Snapshot) []page.Access {
	var out []page.Access
	var own page.Access
	for _, scope := range scopes.Within(authz.OIDCScopes()) {
		own.Sentences = append(own.Sentences, authz.OIDCSentence(scope))
	}
	if len(own.Sentences) > 0 {
		out = append(out, own)
	}
	for _, id := range resources {
		api, ok := known.API(id)
		if !ok {
			continue
		}
		of := page.Access{API: api.Name}
		for _, s := range api.Scopes {
			if scopes.Has(s.Name) {
				of.Sentences = append(of.Sentences, s.Description)
			}
		}
		if len(of.Sentences) > 0 {
			out = append(out, of)
		}
	}
	return out
}

// hostOf is where an app lives: by its own word, or else where it is sent answers.
func hostOf(c *authz.Client) string {
	for _, address := range append([]string{c.Metadata.ClientURI}, c.Metadata.RedirectURIs...) {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			return u.Host
		}
	}
	return ""
}
