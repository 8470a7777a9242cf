// Package gateway decides whether a request may pass a reverse proxy to an API: by API
// token, by access token, or by the browser session of a person who signed in at the
// protected host. What passes carries a short access token (RFC 9068) instead, so that the
// services behind see one kind of credential only.
//
// Decide is the whole decision and looks at nothing but its arguments. A Service asks who
// shows the credential, has the short token signed, and keeps both for at most half of the
// token's life; what is revoked meanwhile it hears of through Changed. No failure of a
// lookup ever allows a request that was not allowed within that time.
//
// What a proxy says and how it wants its answer is the web's, dialect by dialect. Verifying
// tokens and signing is done by others, through the interfaces declared here.
package gateway
