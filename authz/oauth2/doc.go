// Package oauth2 is the protocol: it decides about authorization, token, revocation,
// introspection and userinfo requests, and writes their answers. It is the only importer
// of fosite, which serves as the skeleton of the authorize and token endpoints; the
// grants, client authentication, tokens, errors and storage behind it are ours.
//
// What is not in the list of handlers in provider.go does not exist: there is no implicit,
// hybrid or password grant.
//
// The pages belong to package web, which is told what to show through the hooks of Config;
// what is remembered belongs to storage, behind the Store interface.
package oauth2
