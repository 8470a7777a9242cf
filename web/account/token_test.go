package account_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/webtest"
)

const tokenPassword = "correct horse battery"

// holder is alice, signed in, where an API has scopes that she may give to tokens.
func holder(t *testing.T) (*webtest.Server, *webtest.Browser, *authz.User) {
	t.Helper()
	s := webtest.Start(t, storagetest.New(t))
	alice := s.Person("alice", tokenPassword)
	s.API(authz.API{Identifier: "https://orders.example", Name: "Orders", Scopes: []authz.APIScope{
		{Name: "orders:read", Description: "See your orders"}, {Name: "orders:write", Description: "Change your orders"},
	}})
	b := s.Browser()
	b.Open("/account/tokens").Fill("username", "alice").Fill("password", tokenPassword).Press("sign-in")
	return s, b, alice
}

// secretOf takes the token out of the page that shows it once.
func secretOf(t *testing.T, p *webtest.Page) string {
	t.Helper()
	_, rest, ok := strings.Cut(p.Body, authz.PrefixAPIToken)
	if !ok || len(rest) < 49 {
		t.Fatalf("no token on the page: %d %.300s", p.Status, p.Body)
	}
	return authz.PrefixAPIToken + rest[:49]
}

func TestAPersonMakesUsesAndRevokesAToken(t *testing.T) {
	t.Parallel()
	s, b, alice := holder(t)
	form := b.Open("/account/tokens/new?api=https://orders.example")
	if !form.Says("See your orders") {
		t.Fatalf("the form does not say what a scope allows: %d", form.Status)
	}
	made := b.Post("/account/tokens", webtestForm(form, "orders:read", "30", ""))
	secret := secretOf(t, made)
	v, err := s.APITokens.Verify(t.Context(), secret, netip.MustParseAddr("192.0.2.1"))
	if err != nil || v.User.ID != alice.ID || v.Scopes.String() != "orders:read" {
		t.Fatalf("the token does not verify: %+v %v", v, err)
	}
	list := b.Open("/account/tokens")
	if !list.Says("backup script") || strings.Contains(list.Body, secret) {
		t.Error("the list lacks the token, or shows it again")
	}
	if !b.Open("/account/apps").Says("backup script") {
		t.Error("the page of all that has access lacks the token")
	}
	gone := b.Post("/account/tokens/revoke", map[string][]string{"csrf": {list.Value("csrf")}, "id": {v.Token.ID}})
	if !gone.Says("“backup script” is revoked.") {
		t.Errorf("revoking: %d", gone.Status)
	}
	if _, err := s.APITokens.Verify(t.Context(), secret, netip.MustParseAddr("192.0.2.1")); err == nil {
		t.Error("a revoked token still works")
	}
}

// What an app made in a person's name is listed with the app, and goes with it.
// A link to the form of one API leads there, past the login page too.
func TestALinkToOneFormSurvivesTheSignIn(t *testing.T) {
	t.Parallel()
	s, _, _ := holder(t)
	form := s.Browser().Open("/account/tokens/new?api=https://orders.example").
		Fill("username", "alice").Fill("password", tokenPassword).Press("sign-in")
	if form.Value("api") != "https://orders.example" || !form.Says("See your orders") {
		t.Errorf("status %d, the form is for %q", form.Status, form.Value("api"))
	}
}

func TestTokensSayWhatMadeThem(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		s, app := start(t, open())
		b, _ := signIn(s, "alice")
		app.Redeem(b.Open(app.Ask("openid orders:read")).Press("allow"))
		alice, err := s.Store.UserByName(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		mint := func(name, madeBy string) *authz.APIToken {
			v, _, err := s.APITokens.Create(t.Context(), alice, apitoken.New{
				Name: name, API: orders, Scopes: authz.Scopes{"orders:read"}, ExpiresAt: s.Clock.Now().Add(time.Hour), MadeBy: madeBy,
			})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if mint("backup script", ""); b.Open("/account/tokens").Says("Made by") {
			t.Error("something made what the person made")
		}
		mint("copy", mint("sync", app.ID).ID)
		for _, path := range []string{"/account/tokens", "/account/apps"} {
			p := b.Open(path)
			if !p.Says("Made by Acme Calendar") || !p.Says("Made by sync") {
				t.Errorf("%s does not say what made the tokens: %s", path, p.Body)
			}
		}
		after := b.Post("/account/apps/revoke", map[string][]string{
			"csrf": {b.Open("/account/apps").Value("csrf")}, "kind": {"app"}, "id": {app.ID},
		})
		if !after.Says("backup script") || after.Says("sync") || after.Says("copy") {
			t.Errorf("what is left: %s", after.Body)
		}
	})
}

func webtestForm(p *webtest.Page, scope, expires, networks string) map[string][]string {
	return map[string][]string{
		"csrf": {p.Value("csrf")}, "api": {"https://orders.example"}, "name": {"backup script"},
		"scope": {scope}, "expires": {expires}, "cidrs": {networks},
	}
}

func TestAFormThatIsWrongComesBackFilledIn(t *testing.T) {
	t.Parallel()
	s, b, alice := holder(t)
	form := b.Open("/account/tokens/new?api=https://orders.example")
	for name, fields := range map[string]map[string][]string{
		"no scope":              webtestForm(form, "", "30", ""),
		"a scope of nobody":     webtestForm(form, "signet:admin", "30", ""),
		"no expiry":             webtestForm(form, "orders:read", "", ""),
		"too long":              webtestForm(form, "orders:read", "9999", ""),
		"a network that is not": webtestForm(form, "orders:read", "30", "my house"),
	} {
		p := b.Post("/account/tokens", fields)
		if p.Status != 422 || !strings.Contains(p.Body, "backup script") {
			t.Errorf("%s: %d", name, p.Status)
		}
	}
	all, err := s.APITokens.List(t.Context(), alice.ID)
	if err != nil || len(all) != 0 {
		t.Errorf("%d tokens were made: %v", len(all), err)
	}
}

// Nobody has to mend one thing to hear of the next.
func TestAllThatIsWrongWithATokenIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, b, _ := holder(t)
	fields := webtestForm(b.Open("/account/tokens/new?api=https://orders.example"), "", "400", "my house")
	fields["name"] = []string{"  "}
	delete(fields, "scope")
	p := b.Post("/account/tokens", fields)
	for _, words := range []string{"Give it a name.", "Choose at least one.", "Must lie within 365 days", "Write one network per line, such as 203.0.113.0/24."} {
		if p.Status != 422 || !p.Says(words) {
			t.Errorf("%d: the form does not say %q", p.Status, words)
		}
	}
	if strings.Count(p.Body, "autofocus") != 1 || !p.Says("Limit it to your network") {
		t.Errorf("%d controls to begin with", strings.Count(p.Body, "autofocus"))
	}
}

// Signet itself is there for everybody, and what few look for.
func TestTheServersOwnAPIIsTheLastToChoose(t *testing.T) {
	t.Parallel()
	s, b, alice := holder(t)
	s.API(authz.API{Identifier: "https://zebra.example", Name: "Zebra", Scopes: []authz.APIScope{{Name: "zebra:ride", Description: "Ride"}}})
	list := b.Open("/account/tokens/new")
	zebra, own := strings.Index(list.Body, "Zebra"), strings.Index(list.Body, "Manage this server and your account")
	if !(0 < zebra && zebra < own) {
		t.Errorf("Zebra at %d, Signet at %d: %s", zebra, own, list.Body)
	}
	if p := b.Open("/account/tokens/new?api=" + s.Issuer); p.Says("Everything") {
		t.Error("everything is offered to whom it is not given")
	}
	if err := s.People.GrantRole(t.Context(), alice.ID, authz.RoleAdministrator); err != nil {
		t.Fatal(err)
	}
	if p := b.Open("/account/tokens/new?api=" + s.Issuer); !p.Says("Everything") {
		t.Errorf("everything is not set apart: %s", p.Body)
	}
}

// The script adds a button; the token is there, whole, without it.
func TestANewTokenIsThereWithoutScript(t *testing.T) {
	t.Parallel()
	s, b, _ := holder(t)
	made := b.Post("/account/tokens", webtestForm(b.Open("/account/tokens/new?api=https://orders.example"), "orders:read", "30", ""))
	if _, err := s.APITokens.Verify(t.Context(), made.Text("token"), netip.MustParseAddr("192.0.2.1")); err != nil {
		t.Errorf("%q does not verify: %v", made.Text("token"), err)
	}
	if !strings.Contains(made.Body, `data-copy="token" hidden`) {
		t.Error("without its script the button to copy is there and does nothing")
	}
	if strings.Count(made.Body, made.Text("token")) != 1 {
		t.Error("the token stands elsewhere too")
	}
}

func TestExpiredTokensStayForThirtyDays(t *testing.T) {
	t.Parallel()
	s, b, _ := holder(t)
	secretOf(t, b.Post("/account/tokens", webtestForm(b.Open("/account/tokens/new?api=https://orders.example"), "orders:read", "7", "")))
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{7*24*time.Hour + time.Hour, true}, {(30 - 1) * 24 * time.Hour, true}, {24 * time.Hour, false}} {
		s.Clock.Advance(c.after)
		list := b.Open("/account/tokens").Fill("username", "alice").Fill("password", tokenPassword).Press("sign-in")
		if list.Says("backup script Expired") != c.want || list.Says("Ended (kept for 30 days)") != c.want {
			t.Errorf("%v later it is listed: %v: %s", c.after, !c.want, list.Body)
		}
	}
}

func TestReplacingATokenLeavesTheOldOneItsTime(t *testing.T) {
	t.Parallel()
	s, b, _ := holder(t)
	old := secretOf(t, b.Post("/account/tokens", webtestForm(b.Open("/account/tokens/new"), "orders:read", "30", "")))
	v, err := s.APITokens.Verify(t.Context(), old, netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	ask := b.Open("/account/tokens/rotate?id=" + v.Token.ID)
	fresh := secretOf(t, b.Post("/account/tokens/rotate", map[string][]string{
		"csrf": {ask.Value("csrf")}, "id": {v.Token.ID}, "overlap": {"3600"},
	}))
	works := func(secret string) bool {
		_, err := s.APITokens.Verify(t.Context(), secret, netip.MustParseAddr("192.0.2.1"))
		return err == nil
	}
	if !works(old) || !works(fresh) || old == fresh {
		t.Error("both should work for an hour")
	}
	s.Clock.Advance(2 * time.Hour)
	if works(old) || !works(fresh) {
		t.Error("after the overlap the new one alone should work")
	}
}

// A reload sends the form again: there is one token, and one that replaces it.
func TestAReloadMakesNoSecondToken(t *testing.T) {
	t.Parallel()
	s, b, alice := holder(t)
	form := webtestForm(b.Open("/account/tokens/new"), "orders:read", "30", "")
	secretOf(t, b.Post("/account/tokens", form))
	again := b.Post("/account/tokens", form)
	if again.Status != 422 || !again.Says("You have a token with this name already. Choose another, or replace that one.") || again.Value("name") != "backup script" {
		t.Errorf("the same form again: %d %s", again.Status, again.Body)
	}
	all := func() []*authz.APIToken {
		all, err := s.APITokens.List(t.Context(), alice.ID)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if n := len(all()); n != 1 {
		t.Errorf("%d tokens", n)
	}
	ask := b.Open("/account/tokens/rotate?id=" + all()[0].ID)
	rotate := map[string][]string{"csrf": {ask.Value("csrf")}, "id": {ask.Value("id")}, "overlap": {"86400"}}
	secretOf(t, b.Post("/account/tokens/rotate", rotate))
	for name, p := range map[string]*webtest.Page{
		"the same form again": b.Post("/account/tokens/rotate", rotate), "another form": b.Open("/account/tokens/rotate?id=" + ask.Value("id")),
	} {
		if p.URL.Path != "/account/tokens" || !p.Says("This token was replaced already.") {
			t.Errorf("%s: at %s: %s", name, p.URL, p.Body)
		}
	}
	list := b.Open("/account/tokens")
	if n := len(all()); n != 2 || !list.Says("Replaced") || !list.Says("Stops in ") || strings.Count(list.Body, "/account/tokens/rotate?id=") != 1 {
		t.Errorf("%d tokens: %s", n, list.Body)
	}
	s.Clock.Advance(25 * time.Hour)
	if list = b.Open("/account/tokens").Fill("username", "alice").Fill("password", tokenPassword).Press("sign-in"); !list.Says("Stopped 1 hour ago") {
		t.Errorf("after the overlap: %s", list.Body)
	}
}

func TestTokensOfOthersCannotBeTouched(t *testing.T) {
	t.Parallel()
	s, alices, _ := holder(t)
	secret := secretOf(t, alices.Post("/account/tokens", webtestForm(alices.Open("/account/tokens/new"), "orders:read", "30", "")))
	v, err := s.APITokens.Verify(t.Context(), secret, netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	s.Person("bob", tokenPassword)
	bobs := s.Browser()
	list := bobs.Open("/account/tokens").Fill("username", "bob").Fill("password", tokenPassword).Press("sign-in")
	if list.Says("backup script") {
		t.Error("bob sees alice's token")
	}
	for _, path := range []string{"/account/tokens/revoke", "/account/tokens/rotate"} {
		p := bobs.Post(path, map[string][]string{
			"csrf": {bobs.Open("/account/tokens/new").Value("csrf")}, "id": {v.Token.ID}, "overlap": {"0"},
		})
		if strings.Contains(p.Body, authz.PrefixAPIToken) {
			t.Errorf("%s gave bob a token", path)
		}
	}
	if p := alices.PostFromElsewhere("/account/tokens/revoke", map[string][]string{"id": {v.Token.ID}}); p.Status != 403 {
		t.Errorf("a form of another site: %d", p.Status)
	}
	if _, err := s.APITokens.Verify(t.Context(), secret, netip.MustParseAddr("192.0.2.1")); err != nil {
		t.Errorf("alice's token was harmed: %v", err)
	}
}
