// Package verifier is what a service imports to accept Signet's access tokens: it checks them on
// the spot, asks nobody per request, and still learns within a second or so that one is revoked.
//
// # Use
//
// Make one [Verifier] per API, with Signet's issuer URL and the identifier of the API there:
//
//	v, err := verifier.New(ctx, "https://signet.example", "https://orders.example")
//	if err != nil {
//		return err
//	}
//	defer v.Close()
//
//	mux := http.NewServeMux()
//	mux.Handle("GET /orders", v.RequireScope("orders:read")(listOrders))
//	mux.Handle("POST /orders", v.RequireScope("orders:write")(placeOrder))
//	mux.Handle("GET /me", v.Middleware(me))
//
// A handler asks who is there:
//
//	token, _ := verifier.FromContext(r.Context())
//	orders := store.OrdersOf(token.Subject)
//
// What does not speak HTTP calls [Verifier.Verify] itself, and decides by the errors listed
// below.
//
// # What is checked
//
// A token is accepted when it is a JWT access token (RFC 9068) whose header names a key of the
// issuer and brings none of its own, whose signature (ES256, RS256, PS256 or EdDSA, as the key
// says) is that key's, whose iss and aud are exactly those given to New, which has sub, client_id,
// jti, iat and exp, and whose time has come and has not passed, give or take 30 seconds
// ([WithLeeway]).
//
// Not checked is what only the service knows: whether the scopes suffice (RequireScope does that),
// whether the subject may touch this order, and whether the sender holds the key of a bound token
// ([Token.Confirmation]); behind Signet's gateway, the gateway has checked the latter.
//
// # Revocation
//
// Tokens that can be revoked carry a place in a status list (draft-ietf-oauth-status-list). The
// first token with a list has it fetched; from then on a goroutine follows the list with
// requests that Signet answers as soon as something changes, until no such token has come for a
// quarter of an hour. The list must live at the issuer, and be signed by one of its keys.
//
// When the list has not been confirmed for 5 minutes ([WithMaxStale]), a token with a status is
// neither accepted nor refused: Verify gives [ErrStaleStatus], Middleware answers 503. A service
// that would rather accept a revoked token than turn good ones away sets [InsecureFailOpen].
//
// # Outages
//
// An outage never looks like a refusal. A service may start before Signet does, see [New]. Once
// there are keys, they serve through an outage of any length, and no token waits for attempts to
// renew them once the outage is known. All that cannot be told is [ErrUnavailable], which Middleware answers
// with 503 and Retry-After. Fetches are bounded in time and size, shared by all who wait for
// them, and stay on one host; tokens with made-up key ids cause at most one every 30 seconds.
//
// # Cost
//
// Tokens seen before are recognised by their SHA-256 without checking the signature again; the
// clock, the key and the status list are looked at each time. The memory for it is bounded.
package verifier
