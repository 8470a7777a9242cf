// Package web speaks HTTP: every URL of the server in one table (routes.go), and the
// listener (server.go). What happens around handlers is web/middleware's, pages are made in
// web/interaction and web/account, and the protocol's endpoints in authz/oauth2. Nothing is
// decided here.
package web
