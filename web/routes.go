package web

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/statuslist"
)

// route is one line of the table. A method "*" takes all; GET takes HEAD as well. A path
// that ends in a slash takes everything below it.
type route struct {
	method  string
	path    string
	policy  policy
	handler http.HandlerFunc
}

// policy says who a route is for, and so what happens around its handler.
type policy int

const (
	ownPage   policy = iota // for a person: session, our own forms only
	appPage                 // the same, where apps send people to
	entry                   // for a person, from any site: the authorization endpoint
	backend                 // for programs that authenticate themselves; no scripts of other sites
	client                  // for programs and for scripts of any site, by token or credential
	document                // public, cacheable, for anybody
	rest                    // the REST API: bearer tokens
	check                   // for reverse proxies that ask whether to let a request through
	protected               // for a person, at the host of another service
	static                  // what pages are made of
	probe                   // for whoever watches the process
	unknown                 // what is not in the table
)

// routes is every URL of the server. Those of the REST API stand in web/adminapi/route.go,
// where each has its scope, and those that are reached through reverse proxies only in
// web/gatewayapi/api.go.
func (s *Site) routes() []route {
	var table []route
	// These come first: the router tries line after line, and proxies ask for each request of
	// every service.
	for _, one := range s.Gateway.Routes() {
		p := protected
		if one.Check {
			p = check
		}
		table = append(table, route{one.Method, one.Path, p, one.Handler})
	}
	table = append(table, []route{
		{"GET", "/.well-known/openid-configuration", document, s.Protocol.Metadata},
		{"GET", "/.well-known/oauth-authorization-server", document, s.Protocol.Metadata},
		{"GET", "/.well-known/jwks.json", document, s.Protocol.JWKS},

		{"GET", "/oauth2/authorize", entry, s.Protocol.Authorize},
		{"POST", "/oauth2/authorize", entry, s.Protocol.Authorize},
		{"POST", "/oauth2/token", client, s.Protocol.Token},
		{"POST", "/oauth2/revoke", client, s.Protocol.Revoke},
		{"POST", "/oauth2/introspect", backend, s.Protocol.Introspect},
		{"GET", "/oauth2/userinfo", client, s.Protocol.UserInfo},
		{"POST", "/oauth2/userinfo", client, s.Protocol.UserInfo},

		{"GET", "/login", appPage, s.steps.ShowLogin},
		{"POST", "/login", appPage, s.steps.Login},
		{"GET", "/consent", appPage, s.steps.ShowConsent},
		{"POST", "/consent", appPage, s.steps.Consent},
		{"GET", "/logout", ownPage, s.steps.ShowLogout},
		{"POST", "/logout", ownPage, s.steps.Logout},
		{"GET", "/error", appPage, s.steps.ShowError},
		{"GET", "/setup", ownPage, s.steps.ShowSetup},
		{"POST", "/setup", ownPage, s.steps.Setup},

		{"GET", "/", ownPage, s.account.Home},
		{"GET", "/account", ownPage, s.account.Overview},
		{"GET", "/account/apps", ownPage, s.account.Apps},
		{"POST", "/account/apps/revoke", ownPage, s.account.RevokeApp},
		{"GET", "/account/sessions", ownPage, s.account.Sessions},
		{"POST", "/account/sessions/end", ownPage, s.account.EndSession},
		{"POST", "/account/sessions/end-others", ownPage, s.account.EndOtherSessions},

		{"GET", "/account/tokens", ownPage, s.account.Tokens},
		{"POST", "/account/tokens", ownPage, s.account.CreateToken},
		{"GET", "/account/tokens/new", ownPage, s.account.ShowNewToken},
		{"GET", "/account/tokens/rotate", ownPage, s.account.ShowRotateToken},
		{"POST", "/account/tokens/rotate", ownPage, s.account.RotateToken},
		{"POST", "/account/tokens/revoke", ownPage, s.account.RevokeToken},

		{"GET", statuslist.Path + "{list}", document, s.statuses.ServeHTTP},

		{"GET", "/static/", static, s.Pages.Assets().ServeHTTP},
		{"GET", "/favicon.ico", static, s.Pages.Assets().Icon},
		{"GET", "/healthz", probe, s.health},
		{"GET", "/readyz", probe, s.ready},
	}...)
	for _, one := range s.REST.Routes() {
		table = append(table, route{one.Method, one.Path, rest, one.Handler.ServeHTTP})
	}
	return table
}

// around lists what happens around the handlers of a policy, the first thing first.
func (s *Site) around(p policy, path string) []middleware.Middleware {
	https := strings.HasPrefix(s.Issuer, "https://")
	observe := func(level slog.Level, refuse middleware.Refusal, headers http.Header) []middleware.Middleware {
		return []middleware.Middleware{middleware.Observe(s.Log, s.Now, path, level, refuse), middleware.Headers(headers)}
	}
	people, programs := s.answers.Page, s.answers.Problem
	bound := middleware.Bound(s.AnswerWithin)
	browser := middleware.Browser(s.cookies, s.Random, people)
	session := middleware.Session(s.cookies, s.Sessions, people)
	flash := middleware.Flash(s.cookies)
	switch p {
	case ownPage:
		return append(observe(slog.LevelInfo, people, middleware.PageSecurity(https)),
			s.sameOrigin, middleware.Form(people), bound, browser, session, flash)
	case appPage:
		return append(observe(slog.LevelInfo, people, middleware.AppPageSecurity(https)),
			s.sameOrigin, middleware.Form(people), bound, browser, session)
	case entry:
		return append(observe(slog.LevelInfo, people, middleware.AppPageSecurity(https)),
			middleware.Revisit(s.cookies, s.Issuer, people), bound, browser, session)
	case backend, client, rest:
		return append(observe(slog.LevelInfo, programs, noStore(middleware.Security(https))), bound)
	case document: // from memory, but for status lists, which bound what they wait for themselves
		return observe(slog.LevelInfo, programs, middleware.Security(https))
	case check:
		// One line per request of every service would drown the log. What the proxy hands on
		// to its own clients must not bind their host to https.
		return observe(slog.LevelDebug, programs, noStore(middleware.Security(false)))
	case protected:
		return observe(slog.LevelInfo, programs, noStore(middleware.Security(false)))
	case static:
		return observe(slog.LevelDebug, programs, middleware.Security(https))
	case probe: // Ready bounds itself
		return observe(slog.LevelDebug, programs, noStore(middleware.Security(https)))
	}
	return observe(slog.LevelInfo, s.answers.ByAccept, middleware.AppPageSecurity(https))
}

func noStore(h http.Header) http.Header {
	h.Set("Cache-Control", "no-store")
	return h
}

// openToScripts reports whether scripts of other sites may read the answers.
func (p policy) openToScripts() bool { return p == client || p == document }

// forPeople reports whether refusals are pages.
func (p policy) forPeople() bool { return p == ownPage || p == appPage || p == entry }

// resource is all that can be done at one path.
type resource struct {
	path    string
	policy  policy
	methods map[string]http.Handler
}

// byPath gathers the lines of the table that have a path in common, in its order.
func byPath(table []route) []resource {
	var out []resource
	for _, line := range table {
		i := slices.IndexFunc(out, func(r resource) bool { return r.path == line.path })
		if i < 0 {
			i = len(out)
			out = append(out, resource{line.path, line.policy, map[string]http.Handler{}})
		}
		out[i].methods[line.method] = line.handler
	}
	return out
}

// allow lists the methods of a resource as the Allow header has them (RFC 9110 §10.2.1).
func (r resource) allow() []string {
	var out []string
	for method := range r.methods {
		out = append(out, method)
		if method == http.MethodGet {
			out = append(out, http.MethodHead)
		}
	}
	slices.Sort(out)
	return out
}

func (r resource) handler(method string) http.Handler {
	if h := r.methods["*"]; h != nil {
		return h
	}
	if h := r.methods[method]; h != nil || method != http.MethodHead {
		return h
	}
	return r.methods[http.MethodGet]
}

// resource makes the handler of a path: what its policy asks for, then the method's own.
// A method that it does not have is told before anything is read or set.
func (s *Site) resource(one resource) http.Handler {
	around := s.around(one.policy, one.path)
	observed, inner := around[:2], around[2:]
	if one.policy.openToScripts() {
		observed = append(slices.Clone(observed), middleware.AnyOrigin(one.allow()...))
	}
	guarded := map[string]http.Handler{}
	for method, h := range one.methods {
		guarded[method] = middleware.Chain(h, inner...)
	}
	one.methods = guarded
	allow := strings.Join(one.allow(), ", ")
	return middleware.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := one.handler(r.Method); h != nil {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", allow)
		s.wrongMethod(one.policy)(w, r, answer.Trouble{
			Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
			Reason: "This address does not take " + verb(r.Method) + " requests.",
			Advice: "Go back to where you came from and try again.",
			Back:   answer.ToAccount(),
		})
	}), observed...)
}

func (s *Site) wrongMethod(p policy) middleware.Refusal {
	if p.forPeople() {
		return s.answers.Page
	}
	return s.answers.Problem
}

// verb keeps invented methods out of the answer.
func verb(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "such"
}
