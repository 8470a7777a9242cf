// Package interaction holds the pages between an app's request and its answer, one file
// per step: sign in, consent, sign out, first setup, and the words for what went wrong. A
// step never leads to another: each sends the browser back to the authorization endpoint,
// which decides what still stands in the way. What is decided about people, sessions and
// requests is decided in authz; cookies and headers are web/middleware's.
package interaction
