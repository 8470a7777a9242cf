package parts_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// The REST API notes the use of an app as the gateway does.
func TestUsesOfAppsAtTheRESTAPIAreNoted(t *testing.T) {
	t.Parallel()
	s, alice := restOf(t)
	app := s.App("helper", "https://helper.example/cb", func(m *authz.ClientMetadata) {
		m.Scope, m.APIs = authz.Scopes{authz.ScopeOpenID, authz.ScopeAccount}, []string{s.Issuer}
	})
	consent := s.Browser().Open(app.Ask("openid "+authz.ScopeAccount, "resource", s.Issuer)).
		Fill("username", "alice").Fill("password", passwords).Press("sign-in")
	tokens := app.Redeem(consent.Press("allow"))
	used := func() time.Time {
		t.Helper()
		if err := s.GrantUses.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		apps, err := s.Consents.Apps(t.Context(), alice.ID)
		if err != nil || len(apps) != 1 {
			t.Fatalf("apps %+v: %v", apps, err)
		}
		return apps[0].LastUsed
	}
	before := used()
	s.Clock.Advance(5 * time.Minute)
	if status, body := call(t, s, http.MethodGet, ownTokens, tokens.AccessToken, "198.51.100.7", ""); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	if after := used(); after.Sub(before) < 5*time.Minute {
		t.Errorf("last used at %v, before it at %v", after, before)
	}
}
