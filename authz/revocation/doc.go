// Package revocation tells others what has been revoked: it gives grants, API tokens and
// clients their places in status lists, and publishes the lists as signed, compressed
// tokens (draft-ietf-oauth-status-list). What sets a bit is the database's to know; how a
// list travels over HTTP is package web's.
package revocation
