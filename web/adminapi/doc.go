// Package adminapi is the REST API under /api/v1, in JSON: for administrators clients, APIs,
// people, roles and API tokens, for everybody their own API tokens and apps, and for
// strangers a place to hand in tokens that they found. It reads requests strictly, asks for
// the scope of each route, guards every change against a lost update by ETag and If-Match
// (RFC 9110 §13), and answers errors as problem details (RFC 9457). What may be registered
// is decided by the packages it calls; the command line prints the same documents.
package adminapi
