package interaction_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
	"github.com/signet-auth/signet/web/webtest"
)

func TestSetupMakesOneAdministrator(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	link := "/setup?token=" + s.People.SetupToken().Reveal()
	b := s.Browser()
	form := b.Open(link)
	if form.Status != http.StatusOK {
		t.Fatalf("status %d: %s", form.Status, form.Body)
	}
	again := form.Fill("username", "root").Fill("name", "Ruth Root").Fill("email", "ruth@example.com").
		Fill("password", "short").Press("create")
	if again.Status != http.StatusUnprocessableEntity || !again.Has("password-problem") ||
		again.Value("username") != "root" || again.Value("password") != "" {
		t.Fatalf("status %d: %s", again.Status, again.Body)
	}
	all := again.Fill("username", "ruth root").Fill("email", "ruth@").Fill("password", "short").Press("create")
	for field, words := range map[string]string{
		"username": "Use only letters a-z, digits and . _ - @ +, without spaces.",
		"email":    "Must be an email address.", "password": "Must have at least 8 characters.",
	} {
		if got := all.Text(field + "-problem"); got != words {
			t.Errorf("about the %s: %q, want %q", field, got, words)
		}
	}
	if strings.Count(all.Body, "autofocus") != 1 || !strings.Contains(all.Body, `value="ruth root" autocomplete="username"`) {
		t.Errorf("the first field to mend has not the focus: %s", all.Body)
	}
	second := s.Browser().Open(link)
	done := all.Fill("username", "root").Fill("email", "ruth@example.com").Fill("password", password).Press("create")
	if done.Status != http.StatusCreated || sessionOf(b) == "" {
		t.Fatalf("status %d: %s", done.Status, done.Body)
	}
	account := done.Link("Go to your account")
	if account.URL.Path != "/account" || !account.Says("Ruth Root") {
		t.Errorf("at %s: %s", account.URL, account.Body)
	}
	root, err := s.People.Get(t.Context(), "root")
	if err != nil || !authz.Scopes(root.Roles).Has(authz.RoleAdministrator) {
		t.Errorf("the account is %+v, %v", root, err)
	}
	for name, p := range map[string]*webtest.Page{
		"the form that was open": second.Fill("username", "eve").Fill("password", password).Press("create"),
		"the link a second time": s.Browser().Open(link),
	} {
		if p.Status != http.StatusGone || !p.Says("set up already") {
			t.Errorf("%s: status %d: %s", name, p.Status, p.Body)
		}
	}
}

// Of any number who press the button at once, one is made administrator.
func TestSetupRace(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		t.Parallel()
		s := webtest.Start(t, open())
		const parties = 8
		forms := make([]*webtest.Page, parties)
		for i := range forms {
			forms[i] = s.Browser().Open("/setup?token="+s.People.SetupToken().Reveal()).
				Fill("username", fmt.Sprintf("root%d", i)).Fill("password", password)
		}
		statuses := make(chan int, parties)
		for _, form := range forms {
			go func() {
				status := 0
				defer func() { statuses <- status }()
				status = form.Press("create").Status
			}()
		}
		got := map[int]int{}
		for range parties {
			got[<-statuses]++
		}
		if got[http.StatusCreated] != 1 || got[http.StatusGone] != parties-1 {
			t.Errorf("statuses %v, want one 201 and the others 410", got)
		}
	})
}

func TestSetupNeedsItsLink(t *testing.T) {
	t.Parallel()
	s := webtest.Start(t, storagetest.New(t))
	form := s.Browser().Open("/setup?token=" + s.People.SetupToken().Reveal())
	form.Fill("username", "eve").Fill("password", password)
	for name, p := range map[string]*webtest.Page{
		"no token":            s.Browser().Open("/setup"),
		"a wrong token":       s.Browser().Open("/setup?token=guess"),
		"a form without one":  form.Forge("token", "").Press("create"),
		"a form with a guess": form.Forge("token", "guess").Press("create"),
	} {
		if p.Status != http.StatusNotFound || !p.Says("This link does not work") || p.Has("create") ||
			p.Text("error") != "setup_link_invalid" || p.Text("error-id") == "" {
			t.Errorf("%s: status %d: %s", name, p.Status, p.Body)
		}
	}
	p := form.Forge("token", s.People.SetupToken().Reveal()).Forge("csrf", "").Press("create")
	if p.Status != http.StatusForbidden || p.Text("error") != "form_expired" {
		t.Errorf("without a form token: status %d: %s", p.Status, p.Body)
	}
	if open, err := s.People.NeedsSetup(t.Context()); err != nil || !open {
		t.Errorf("needs setup: %v, %v", open, err)
	}
}
