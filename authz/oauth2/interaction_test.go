package oauth2_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// pages is one interaction of a browser, driven by what the person does on its pages.
type pages struct {
	*world
	browser *browser
	id      string
}

// begin opens an authorization request that ends on a page.
func (w *world) begin(b *browser, v url.Values) pages {
	w.t.Helper()
	u := w.location(w.authorize(b, v))
	id := u.Query().Get("interaction")
	if id == "" {
		w.t.Fatalf("no page: sent to %s", u)
	}
	return pages{w, b, id}
}

// logIn signs somebody in on the login page of this interaction.
func (p pages) logIn(u *authz.User) {
	p.t.Helper()
	p.browser.session, p.browser.user = p.session(), u
	p.browser.session.UserID = u.ID
	_, err := p.provider.LoggedIn(p.browser.context(), p.id, p.browser.session)
	p.must(err)
}

// logInElsewhere signs somebody in with the browser, but not for this interaction.
func (p pages) logInElsewhere(u *authz.User) {
	p.browser.session, p.browser.user = p.session(), u
	p.browser.session.UserID = u.ID
}

// allow answers the consent page.
func (p pages) allow(scopes ...string) {
	p.t.Helper()
	_, err := p.provider.Answer(p.browser.context(), p.id, true, scopes)
	p.must(err)
}

func (p pages) deny() {
	p.t.Helper()
	_, err := p.provider.Answer(p.browser.context(), p.id, false, nil)
	p.must(err)
}

// next goes back to the authorization endpoint and says what comes of it: a page, "code", an
// error that the app gets, or "over" when the interaction is.
func (p pages) next() string {
	p.t.Helper()
	rec := p.get(p.browser, "/oauth2/authorize?interaction="+p.id)
	if rec.Code == 400 {
		return "over"
	}
	u := p.location(rec)
	if u.Host == "" {
		return u.Path
	}
	return outcomeOf(u.Query())
}

func (w *world) addUser(name string) *authz.User {
	w.t.Helper()
	now := w.clock.Now()
	u := &authz.User{ID: authz.PrefixUser + name, Username: name, CreatedAt: now, UpdatedAt: now, Version: 1}
	w.must(w.store.InsertUser(w.t.Context(), u))
	return u
}

// Whatever happens between the pages of an interaction, nobody's answer becomes another's
// and no login is skipped (OpenID Connect Core §3.1.2.1, §3.1.2.3).
func TestInteractionsAreNotConfused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		params []string
		story  func(p pages, bob *authz.User)
		want   string
	}{
		{"alice allows", nil, func(p pages, _ *authz.User) { p.allow("openid") }, "code"},
		{"alice allows, bob signs in elsewhere", nil, func(p pages, bob *authz.User) { p.allow("openid"); p.logInElsewhere(bob) }, "/consent"},
		{"alice allows, bob signs in for it", nil, func(p pages, bob *authz.User) { p.allow("openid"); p.logIn(bob) }, "/consent"},
		{"alice allows, bob signs in, alice again", nil, func(p pages, bob *authz.User) { p.allow("openid"); p.logIn(bob); p.logIn(p.alice) }, "code"}, // remembered
		{"alice denies, bob signs in elsewhere", nil, func(p pages, bob *authz.User) { p.deny(); p.logInElsewhere(bob) }, "/consent"},
		{"alice denies, bob signs in for it", nil, func(p pages, bob *authz.User) { p.deny(); p.logIn(bob) }, "/consent"},
		{"alice denies", nil, func(p pages, _ *authz.User) { p.deny() }, "access_denied"},
		{"alice signs out before the answer arrives", nil, func(p pages, _ *authz.User) { p.allow("openid"); p.browser.session, p.browser.user = nil, nil }, "/login"},
		{"alice allows and takes it back", nil, func(p pages, _ *authz.User) { p.allow("openid"); p.deny() }, "access_denied"},

		{"prompt=login, nothing done", []string{"prompt", "login"}, func(pages, *authz.User) {}, "/login"},
		{"prompt=login, allowed without a login", []string{"prompt", "login"}, func(p pages, _ *authz.User) { p.allow("openid") }, "/login"},
		{"prompt=login, logged in for something else", []string{"prompt", "login"}, func(p pages, _ *authz.User) { p.logInElsewhere(p.alice) }, "/login"},
		{"prompt=login, logged in", []string{"prompt", "login"}, func(p pages, _ *authz.User) { p.logIn(p.alice) }, "/consent"},
		{"prompt=login, logged in, then by bob elsewhere", []string{"prompt", "login"}, func(p pages, bob *authz.User) { p.logIn(p.alice); p.allow("openid"); p.logInElsewhere(bob) }, "/login"},
		{"prompt=login, logged in and allowed", []string{"prompt", "login"}, func(p pages, _ *authz.User) { p.logIn(p.alice); p.allow("openid") }, "code"},
		{"prompt=login consent, remembered", []string{"prompt", "login consent"}, func(p pages, _ *authz.User) { p.allow("openid"); p.logIn(p.alice) }, "/consent"},
		{"select_account, another account", []string{"prompt", "select_account"}, func(p pages, bob *authz.User) { p.logIn(bob) }, "/consent"},
		{"max_age, the session grows old on the page", []string{"max_age", "60"}, func(p pages, _ *authz.User) { p.clock.Advance(2 * time.Minute); p.allow("openid") }, "/login"},
		{"max_age, logged in for it", []string{"max_age", "60"}, func(p pages, _ *authz.User) { p.logIn(p.alice); p.clock.Advance(2 * time.Minute); p.allow("openid") }, "code"},
		{"max_age=0, allowed without a login", []string{"max_age", "0"}, func(p pages, _ *authz.User) { p.allow("openid") }, "/login"},

		{"a demand for alice, bob signs in for it", demandAlice(), func(p pages, bob *authz.User) { p.logIn(bob) }, "login_required"},
		{"a demand for alice, bob signs in elsewhere", demandAlice(), func(p pages, bob *authz.User) { p.logInElsewhere(bob) }, "/login"},
		{"a demand for alice, bob allows", demandAlice(), func(p pages, bob *authz.User) { p.logInElsewhere(bob); p.allow("openid") }, "/login"},
		{"an hour on the page", nil, func(p pages, _ *authz.User) { p.clock.Advance(time.Hour + time.Second) }, "over"},
		{"a client that is disabled meanwhile", nil, func(p pages, _ *authz.User) { p.allow("openid"); p.disable("web") }, "over"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				p := w.begin(w.signIn(), authorizeParams(tc.params...))
				tc.story(p, w.addUser("bob"))
				if got := p.next(); got != tc.want {
					t.Errorf("it goes on with %s, want %s", got, tc.want)
				}
			})
		})
	}
}

func demandAlice() []string {
	return []string{"claims", `{"id_token":{"sub":{"value":"usr_alice"}}}`, "prompt", "consent"}
}

// Once an interaction has had its answer, nothing can be made of it (RFC 6749 §10.5).
func TestAnAnsweredInteractionIsOver(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for name, answer := range map[string]func(p pages){
			"allowed": func(p pages) { p.allow("openid") }, "denied": func(p pages) { p.deny() },
		} {
			p := w.begin(w.signIn(), authorizeParams("prompt", "consent"))
			answer(p)
			p.next()
			ctx := p.browser.context()
			if _, err := w.provider.Answer(ctx, p.id, true, authz.Scopes{"openid"}); err == nil {
				t.Errorf("%s: it is answered again", name)
			}
			if _, err := w.provider.LoggedIn(ctx, p.id, p.browser.session); err == nil {
				t.Errorf("%s: it is logged in for again", name)
			}
			if _, err := w.provider.Pending(ctx, p.id); err == nil {
				t.Errorf("%s: its page is shown again", name)
			}
			if got := p.next(); got != "over" {
				t.Errorf("%s: it goes on with %s", name, got)
			}
		}
	})
}

// What a person allowed at one API says nothing of another that happens to use the same
// word: they are asked.
func TestAScopeAllowedAtOneAPIIsNotAllowedAtAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const photos, records = "https://photos.example", "https://records.example"
		now := w.clock.Now()
		for identifier, scopes := range map[string][]authz.APIScope{
			photos:  {{Name: "read", Description: "See your photos"}},
			records: {{Name: "read", Description: "Read your medical records"}, {Name: "list", Description: "Know your doctors"}},
		} {
			w.must(w.store.InsertAPI(t.Context(), &authz.API{Identifier: identifier, Name: identifier, Scopes: scopes, CreatedAt: now, UpdatedAt: now, Version: 1}))
		}
		w.addClient("both", func(m *authz.ClientMetadata) {
			m.APIs, m.Scope = []string{photos, records}, authz.OIDCScopes().With(authz.Scopes{"read", "list"})
		})
		ask := func(resource, scope string) string {
			u := w.location(w.authorize(w.signIn(), authorizeParams("client_id", "both", "resource", resource, "scope", scope)))
			if u.Host == "" {
				return u.Path
			}
			return outcomeOf(u.Query())
		}
		allow := func(resource, scope string) {
			w.begin(w.signIn(), authorizeParams("client_id", "both", "resource", resource, "scope", scope)).allow("openid", "offline_access", scope[len("openid "):])
		}
		allow(photos, "openid read")
		if got := ask(photos, "openid read"); got != "code" {
			t.Errorf("what was allowed: %s", got)
		}
		if got := ask(records, "openid read"); got != "/consent" {
			t.Errorf("another API: %s", got)
		}
		allow(records, "openid list")
		if got := ask(records, "openid list"); got != "code" {
			t.Errorf("what was allowed there: %s", got)
		}
		if got := ask(records, "openid read"); got != "/consent" {
			t.Errorf("the word of the one at the other: %s", got)
		}
	})
}
