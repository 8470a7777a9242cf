package page

import (
	"maps"
	"net/url"
	"time"

	"github.com/signet-auth/signet/authz"
)

var (
	noon     = time.Date(2026, 10, 9, 12, 0, 0, 0, time.UTC)
	visitor  = Layout{CSRF: "csrf-value", Now: noon}
	person   = Layout{CSRF: "csrf-value", Now: noon, User: "Alice Example", Flash: Flash{Text: "Done."}}
	refused  = Layout{CSRF: "csrf-value", Now: noon, User: "Alice Example", Flash: Flash{Text: "The token could not be replaced.", Failed: true}}
	calendar = App{Name: "Acme Calendar", HomeURL: "https://calendar.acme.example/", PolicyURL: "https://calendar.acme.example/privacy", TermsURL: "https://calendar.acme.example/terms"}
	orders   = Access{API: "Acme Orders", Sentences: []string{"See your orders", "Place and cancel orders in your name"}}
)

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"

// samples are all pages as people see them, in every state that has words of its own.
func samples() map[string]Page {
	out := accountSamples()
	maps.Copy(out, map[string]Page{
		"login":                Login{Layout: visitor, App: calendar, Interaction: "interaction-id"},
		"login-own":            Login{Layout: visitor, ReturnTo: "/account/apps"},
		"login-wrong":          Login{Layout: visitor, App: calendar, Interaction: "interaction-id", Username: "alice", Problem: WrongCredentials},
		"login-too-many-tries": Login{Layout: visitor, App: calendar, Interaction: "interaction-id", Username: "alice", Problem: TooManyTries, Wait: 40 * time.Second},
		"login-incomplete":     Login{Layout: visitor, App: calendar, Interaction: "interaction-id", Username: "alice", Problem: Incomplete},
		"login-instead":        Login{Layout: person, App: calendar, AppHost: "calendar.acme.example", Interaction: "interaction-id", StayURL: "/consent?interaction=interaction-id"},
		"login-expired":        Login{Layout: visitor, Problem: SessionExpired},
		"consent":              consentSample(),
		"consent-on-device":    Consent{Layout: person, App: App{Name: "acme-cli"}, Interaction: "interaction-id", Username: "alice", OnDevice: true, Groups: consentSample().Groups[1:]},
		"error":                Error{Layout: visitor, Code: "invalid_request", Reason: "The app asked in a way that is not allowed.", ID: "01K73Z6X8G5V2QH4N9C1T0RWMB"},
		"error-back":           Error{Layout: visitor, Code: "temporarily_unavailable", Reason: "The database does not answer.", Advice: "Wait a minute, then try again.", ID: "01K7", Back: Link{"Back to Acme Calendar", "https://calendar.acme.example/"}},
		"logout":               Logout{Layout: person, App: calendar, Interaction: "interaction-id", Username: "alice"},
		"logged-out":           LoggedOut{Layout: visitor, Back: Link{"Back to Acme Calendar", "https://calendar.acme.example/"}},
		"setup":                Setup{Layout: visitor, Token: "setup-token", MinPassword: 12},
		"setup-refused":        Setup{Layout: visitor, Token: "setup-token", MinPassword: 12, Username: "a b", Name: "A", Email: "a@", Problems: Problems{"username": "Use letters.", "name": "Too long.", "email": "Not an address.", "password": "Too short."}},
		"setup-done":           SetupDone{Layout: person, Username: "alice"},
		"form-post":            FormPost{Layout: visitor, App: calendar, Action: "https://calendar.acme.example/callback", Params: url.Values{"code": {"sgc_x"}, "state": {"a b&c"}}},
	})
	return out
}

func consentSample() Consent {
	return Consent{
		Layout: person, App: calendar, Interaction: "interaction-id", Username: "alice", RedirectHost: "calendar.acme.example",
		Groups: []ConsentGroup{
			{Scopes: []ConsentScope{
				{Name: "openid", Sentence: authz.OIDCSentence("openid")},
				{Name: "email", Sentence: authz.OIDCSentence("email"), Optional: true, Checked: true, Detail: "alice@acme.example"},
				{Name: "offline_access", Sentence: authz.OIDCSentence("offline_access"), Optional: true, Checked: true, Detail: "For at most 180 days."},
			}},
			{API: "Acme Orders", Scopes: []ConsentScope{
				{Name: "orders:read", Sentence: "See your orders", Optional: true, Checked: true},
				{Name: "orders:write", Sentence: "Place and cancel orders in your name", Optional: true, New: true},
			}},
		},
		NotAsked: []string{"See your invoices", "Change your address"},
	}
}

func accountSamples() map[string]Page {
	api, own := TokenAPI{"https://orders.acme.example", "Acme Orders", false}, TokenAPI{"https://id.acme.example", "Signet", true}
	scopes := []TokenScope{{"orders:read", "See your orders", true, false}, {"orders:write", "Place and cancel orders in your name", false, false}}
	wide := []TokenScope{{"signet:account", "See and change your own account", false, false}, {"signet:admin", "Run this server", false, true}}
	return map[string]Page{
		"account":        Account{Layout: person, Username: "alice", Email: "alice@acme.example", Since: noon.AddDate(-1, 0, 0), Entries: 4, Sessions: 2, Tokens: 1},
		"account-claims": Account{Layout: person, Username: "alice", Claims: []AccountClaim{{"department", "sales"}, {"https://acme.example/claims/teams", "a, b"}}},
		"apps": AccountApps{Layout: person, Entries: []Entry{
			{Kind: KindApp, ID: "app-1", Name: "Acme Calendar", Host: "calendar.acme.example", Access: []Access{{Sentences: []string{"See your email address"}}, orders}, Since: noon.AddDate(0, -2, 0), LastUsed: noon.Add(-2 * time.Hour), Place: "203.0.113.7"},
			{Kind: KindToken, ID: "token-1", Name: "backup script", Access: []Access{orders}, Since: noon.AddDate(0, 0, -3), Expires: noon.AddDate(0, 0, 10)},
			{Kind: KindGateway, ID: "gate-1", Name: "Acme Wiki", Host: "wiki.acme.example", Since: noon.Add(-time.Hour), LastUsed: noon},
			{Kind: KindApp, ID: "app-3", Name: "Old Planner", Access: []Access{{API: "Planner", Sentences: []string{"See one", "See two", "See three", "See four", "See five", "See six", "See seven"}}}, Since: noon.AddDate(-1, 0, 0), LastUsed: noon.AddDate(0, -7, 0)},
			{Kind: KindFirstParty, ID: "app-2", Name: "Signet console", Since: noon.AddDate(-1, 0, 0)},
		}},
		"sessions": AccountSessions{Layout: person, Sessions: []SessionEntry{
			{ID: "session-1", Current: true, UserAgent: firefox, Address: "203.0.113.7", Place: "Lisbon", Started: noon.AddDate(0, 0, -3), LastSeen: noon},
			{ID: "session-2", UserAgent: "Mozilla/5.0 (iPhone) Safari/604.1", Address: "2001:db8::1", Started: noon.AddDate(0, 0, -9), LastSeen: noon.Add(-26 * time.Hour)},
		}},
		"sessions-unknown": AccountSessions{Layout: refused, Sessions: []SessionEntry{{ID: "session-1", Current: true, UserAgent: firefox}, {ID: "session-2", UserAgent: "curl/8.9"}}},
		"tokens": AccountTokens{Layout: person, Tokens: []TokenEntry{
			{ID: "token-1", Name: "backup script", Access: orders, Created: noon.AddDate(0, 0, -3), Expires: noon.AddDate(0, 3, 0), LastUsed: noon.Add(-3 * time.Minute), Address: "198.51.100.20", UserAgent: "curl/8.9", CIDRs: []string{"198.51.100.0/24", "2001:db8::/48"}},
			{ID: "token-2", Name: "spreadsheet", MadeBy: "Acme Calendar", Status: TokenExpiring, Access: orders, Created: noon.AddDate(0, 0, -27), Expires: noon.AddDate(0, 0, 3)},
			{ID: "token-3", Name: "old laptop", Status: TokenLeaked, Access: orders, Created: noon.AddDate(0, 0, -60), Expires: noon.AddDate(0, 1, 0), Ended: noon.AddDate(0, 0, -2)},
			{ID: "token-4", Name: "import", Status: TokenExpired, Access: orders, Created: noon.AddDate(0, 0, -60), Expires: noon.AddDate(0, 0, -20), Ended: noon.AddDate(0, 0, -20)},
			{ID: "token-5", Name: "test", Status: TokenRevoked, Access: orders, Created: noon.AddDate(0, 0, -60), Expires: noon.AddDate(0, 1, 0), Ended: noon.Add(-time.Hour)},
			{ID: "token-6", Name: "build", Status: TokenReplaced, Access: orders, Created: noon.AddDate(0, 0, -60), Expires: noon.Add(25 * time.Hour)},
			{ID: "token-7", Name: "deploy", Status: TokenReplaced, Access: orders, Created: noon.AddDate(0, 0, -60), Expires: noon.AddDate(0, 1, 0), Ended: noon.AddDate(0, 0, -3)},
		}},
		"token-apis":      AccountTokenAPIs{Layout: person, APIs: []TokenAPI{api, own}},
		"token-new":       AccountTokenNew{Layout: person, API: api, Scopes: scopes},
		"token-new-own":   AccountTokenNew{Layout: person, API: own, Scopes: wide},
		"token-refused":   AccountTokenNew{Layout: person, API: api, Scopes: scopes, MaxDays: 90, Name: "x", Expires: "date", ExpiresOn: "2027-12-01", CIDRs: "300.1.2.3/8", Problems: Problems{"name": "Taken.", "scope": "Choose one.", "expires": "Too late.", "cidrs": "Not a network."}},
		"token-created":   AccountTokenCreated{Layout: person, Name: "backup script", API: "Acme Orders", Token: authz.Secret("sgp_secret"), Expires: noon.AddDate(0, 0, 30)},
		"token-replaced":  AccountTokenCreated{Layout: person, Name: "backup script", API: "Acme Orders", Token: authz.Secret("sgp_secret"), Expires: noon.AddDate(0, 0, 30), OverlapUntil: noon.AddDate(0, 0, 1)},
		"token-rotate":    AccountTokenRotate{Layout: person, ID: "token-1", Name: "backup script", LastUsed: noon.Add(-time.Hour)},
		"sessions-single": AccountSessions{Layout: person, Sessions: []SessionEntry{{ID: "session-1", Current: true}}},
	}
}

// emptyPages are all pages with nothing filled in. Only a form post must have an address.
func emptyPages() map[string]Page {
	out := map[string]Page{}
	for _, p := range pages() {
		if f, ok := p.(FormPost); ok {
			f.Action = "http://127.0.0.1:8000/callback"
			p = f
		}
		out["empty-"+p.Template()] = p
	}
	return out
}
