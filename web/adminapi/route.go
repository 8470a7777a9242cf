package adminapi

import (
	"net/http"

	"github.com/signet-auth/signet/authz"
)

// Route is one line of the table.
type Route struct {
	Method  string
	Path    string // a name in braces stands for one segment, as it was sent: an API's identifier is percent-encoded
	Scope   string // what a token must have, unless it has signet:admin; empty: no token is asked for
	Handler http.Handler
}

// Routes lists every URL of the API.
func (a *API) Routes() []Route {
	const clients, apis, users, roles = "/api/v1/clients", "/api/v1/apis", "/api/v1/users", "/api/v1/roles"
	const tokens, apps = "/api/v1/tokens", "/api/v1/account/apps"
	const id, name = "/{id}", "/{name}"
	return []Route{
		{"GET", "/api/openapi.json", "", http.HandlerFunc(describe)},

		a.on("GET", clients, authz.ScopeClientsRead, a.listClients),
		a.on("POST", clients, authz.ScopeClientsWrite, a.createClient),
		a.on("GET", clients+id, authz.ScopeClientsRead, a.showClient),
		a.on("PUT", clients+id, authz.ScopeClientsWrite, a.changeClient),
		a.on("PATCH", clients+id, authz.ScopeClientsWrite, a.changeClient),
		a.on("DELETE", clients+id, authz.ScopeClientsWrite, a.deleteClient),
		a.on("POST", clients+id+"/secrets", authz.ScopeClientsWrite, a.rotateSecret),
		a.on("POST", clients+id+"/disable", authz.ScopeClientsWrite, a.disableClient),
		a.on("POST", clients+id+"/enable", authz.ScopeClientsWrite, a.enableClient),

		a.on("GET", apis, authz.ScopeAPIsRead, a.listAPIs),
		a.on("POST", apis, authz.ScopeAPIsWrite, a.createAPI),
		a.on("GET", apis+id, authz.ScopeAPIsRead, a.showAPI),
		a.on("PUT", apis+id, authz.ScopeAPIsWrite, a.changeAPI),
		a.on("PATCH", apis+id, authz.ScopeAPIsWrite, a.changeAPI),
		a.on("DELETE", apis+id, authz.ScopeAPIsWrite, a.deleteAPI),

		a.on("GET", users, authz.ScopeUsersRead, a.listUsers),
		a.on("POST", users, authz.ScopeUsersWrite, a.createUser),
		a.on("GET", users+id, authz.ScopeUsersRead, a.showUser),
		a.on("PUT", users+id, authz.ScopeUsersWrite, a.changeUser),
		a.on("PATCH", users+id, authz.ScopeUsersWrite, a.changeUser),
		a.on("DELETE", users+id, authz.ScopeUsersWrite, a.deleteUser),
		a.on("PUT", users+id+"/password", authz.ScopeUsersWrite, a.setPassword),
		a.on("POST", users+id+"/disable", authz.ScopeUsersWrite, a.disableUser),
		a.on("POST", users+id+"/enable", authz.ScopeUsersWrite, a.enableUser),
		a.on("PUT", users+id+"/roles"+name, authz.ScopeUsersWrite, a.grantRole),
		a.on("DELETE", users+id+"/roles"+name, authz.ScopeUsersWrite, a.revokeRole),

		a.on("GET", roles, authz.ScopeUsersRead, a.listRoles),
		a.on("POST", roles, authz.ScopeUsersWrite, a.createRole),
		a.on("GET", roles+name, authz.ScopeUsersRead, a.showRole),
		a.on("PUT", roles+name, authz.ScopeUsersWrite, a.changeRole),
		a.on("PATCH", roles+name, authz.ScopeUsersWrite, a.changeRole),
		a.on("DELETE", roles+name, authz.ScopeUsersWrite, a.deleteRole),

		a.on("GET", tokens, authz.ScopeTokensRead, a.listTokens),
		a.on("DELETE", tokens+id, authz.ScopeTokensWrite, a.revokeAnyToken),

		a.mine("GET", ownTokens, a.listOwnTokens),
		a.mine("POST", ownTokens, a.createToken),
		a.mine("GET", ownTokens+id, a.showOwnToken),
		a.mine("DELETE", ownTokens+id, a.revokeOwnToken),
		a.mine("POST", ownTokens+id+"/rotate", a.rotateToken),
		a.mine("GET", apps, a.listApps),
		a.mine("DELETE", apps+id, a.revokeApp),

		{"POST", "/api/v1/leaked-tokens", "", open(a.reportLeak)},
	}
}

// mine makes a line about what belongs to the person who asks.
func (a *API) mine(method, path string, do func(*call) (*reply, error)) Route {
	return a.on(method, path, authz.ScopeAccount, func(c *call) (*reply, error) {
		if c.caller.UserID == "" {
			return nil, notAPerson()
		}
		return do(c)
	})
}

// open makes a handler for callers whom nobody knows.
func open(do func(*call) (*reply, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		run(&call{w: w, r: r}, do)
	})
}

// run does what a call asks for, and answers it.
func run(c *call, do func(*call) (*reply, error)) {
	answer, err := do(c)
	if err != nil {
		fail(c.w, c.r, err)
		return
	}
	answer.write(c.w, c.r)
}

// on makes a line whose handler runs for callers who hold the scope.
func (a *API) on(method, path, scope string, do func(*call) (*reply, error)) Route {
	return Route{method, path, scope, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := a.authenticate(r, scope)
		if err != nil {
			fail(w, r, err)
			return
		}
		run(&call{w: w, r: r.WithContext(asCaller(r.Context(), caller)), caller: caller}, do)
	})}
}
