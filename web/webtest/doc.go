// Package webtest tests the server from outside: a browser that reads pages and fills in
// forms as a person would (browser.go), a real one (chromium.go), and a whole server on a
// database of its own (start.go). It knows ids and addresses that people and apps rely on,
// and nothing of what is behind them.
package webtest
