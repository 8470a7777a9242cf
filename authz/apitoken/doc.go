// Package apitoken makes, verifies, replaces and revokes API tokens: what a person gives to
// a script or a third-party program so that it may do a part of what they may do, at one
// API, until a day. The token itself is shown once; its SHA-256 is kept.
//
// What a token may do is decided anew at each use, so that taking a role away from a person
// narrows their tokens at once. Which request needs which scope is the gateway's and the
// API's to say; pages and JSON are the web's.
package apitoken
