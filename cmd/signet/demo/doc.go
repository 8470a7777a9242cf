// Package demo is what the demo shows beside the server: a third-party app, Acme Calendar,
// written as a stranger would write it, with golang.org/x/oauth2 and go-oidc; a
// microservice, orders, that knows nothing but the verifier; and a walk through both with
// a browser of a few lines, for those who have none at hand.
//
// It imports nothing of the server: it stands where users stand.
package demo
