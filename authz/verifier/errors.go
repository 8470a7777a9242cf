package verifier

import (
	"errors"
	"fmt"
)

// Why a token was not accepted; decide by them with errors.Is.
//
// All but [ErrUnavailable] and [ErrStaleStatus] are refusals: the token is no good, and asking
// again will not help. Those two say that nothing can be said now.
var (
	// ErrMalformed: not an access token of RFC 9068 at all, or one with a forbidden header or
	// without a required claim.
	ErrMalformed = errors.New("verifier: token is malformed")
	// ErrExpired: the exp claim is in the past.
	ErrExpired = errors.New("verifier: token has expired")
	// ErrNotYetValid: the nbf or iat claim is in the future; mostly a clock that is wrong.
	ErrNotYetValid = errors.New("verifier: token is not valid yet")
	// ErrWrongIssuer: the iss claim is not exactly the issuer given to New.
	ErrWrongIssuer = errors.New("verifier: token is from another issuer")
	// ErrWrongAudience: the aud claim does not hold the audience given to New.
	ErrWrongAudience = errors.New("verifier: token is for another audience")
	// ErrUnknownKey: the issuer publishes no key with the token's kid.
	ErrUnknownKey = errors.New("verifier: token is signed with an unknown key")
	// ErrBadSignature: the signature was not made by the key that the token names.
	ErrBadSignature = errors.New("verifier: token signature is wrong")
	// ErrRevoked: the issuer's status list says that the token is revoked, or its client disabled.
	ErrRevoked = errors.New("verifier: token is revoked")

	// ErrUnavailable: the issuer could not be asked for its keys, so the token is neither good
	// nor bad. Answer 503, never 401: a client that gets 401 throws a good token away.
	ErrUnavailable = errors.New("verifier: issuer is unavailable")
	// ErrStaleStatus: the token can be revoked, and the list that would tell was never fetched
	// or is older than allowed (see [WithMaxStale]). It is also an ErrUnavailable.
	ErrStaleStatus = fmt.Errorf("%w: status list is stale", ErrUnavailable)

	// ErrNoClaim is what [Token.Claim] gives for a claim that the token does not carry.
	ErrNoClaim = errors.New("verifier: token has no such claim")
)

var (
	errClosed         = fmt.Errorf("%w: verifier is closed", ErrUnavailable)
	errIssuerMismatch = errors.New("the issuer calls itself by another name")
)
