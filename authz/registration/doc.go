// Package registration registers clients: it fills in what was left out, refuses what no
// client may be (RFC 7591 §2, OpenID Connect Registration §2), and looks after their
// secrets. How a client proves who it is, and what it then may have, is decided by package
// oauth2; who may register one is the caller's.
package registration
