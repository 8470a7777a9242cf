package adminapi

import (
	"net/http"

	"github.com/signet-auth/signet/authz"
)

// Route is one line of the table.
type Route struct {
	Method  string
	Path    string // names in braces stand for one percent-encoded segment
	Scope   string // what a token must have, unless it has signet:admin; empty: no token is asked for
	Handler http.Handler
}

// Routes lists every URL of the API.
func (a *API) Routes() []Route {
	const clients, apis, users, roles = "/api/v1/clients", "/api/v1/apis", "/api/v1/users", "/api/v1/roles"
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
	}
}

// on makes a line whose handler runs for callers who hold the scope.
func (a *API) on(method, path, scope string, do func(*call) (*reply, error)) Route {
	return Route{method, path, scope, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := a.authenticate(r, scope)
		if err != nil {
			fail(w, r, err)
			return
		}
		c := &call{w: w, r: r.WithContext(asCaller(r.Context(), caller)), caller: caller}
		answer, err := do(c)
		if err != nil {
			fail(w, r, err)
			return
		}
		answer.write(w, r)
	})}
}
