package verifier

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	maxToken = 16 << 10        // bytes
	firstTry = 5 * time.Second // how long New waits for an issuer that does not answer
)

// Verifier tells good access tokens of one issuer for one audience from all others. It is safe
// for concurrent use; a service needs one for each API that it serves.
type Verifier struct {
	issuer, audience string
	leeway           time.Duration
	now              func() time.Time
	log              *slog.Logger

	background *background
	keys       *keySource
	status     *statusSource
	seen       cache
	resource   resource
}

// New makes a Verifier for tokens of issuer, a URL exactly as it stands in their iss claim,
// that are meant for audience, the identifier under which the API is registered there.
//
// New tries to fetch the issuer's keys, for as long as ctx lasts and 5 s at most. An issuer that
// cannot be reached is no error, so that services and Signet may start in any order: the keys are
// fetched when they are first needed, and until then Verify answers [ErrUnavailable]. Call
// [Verifier.Ready] to insist. An error means that an argument is wrong, which includes an issuer
// that calls itself otherwise.
//
// Close the Verifier when it is no longer needed.
func New(ctx context.Context, issuer, audience string, options ...Option) (*Verifier, error) {
	c := newConfig(issuer, audience, options)
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	about, err := newResource(c)
	if err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	b, f := newBackground(), newFetcher(c.client, c.allowHTTP)
	keys := newKeySource(issuer, f, b, c.now, c.log)
	v := &Verifier{
		issuer: issuer, audience: audience, leeway: c.leeway, now: c.now, log: c.log,
		background: b, keys: keys, resource: about,
		status: newStatusSource(statusPolicy{
			issuer: issuer, fetch: f, now: c.now, log: c.log,
			leeway: c.leeway, maxStale: c.maxStale, failOpen: c.failOpen,
		}, keys, b),
	}
	ctx, cancel := context.WithTimeout(ctx, firstTry)
	defer cancel()
	if err := v.Ready(ctx); errors.Is(err, errIssuerMismatch) {
		v.Close()
		return nil, fmt.Errorf("verifier: %w", err)
	}
	return v, nil
}

// Ready gives nil when there are keys to verify with, after asking the issuer for them where
// that is necessary, and [ErrUnavailable] when there are none. It fits a readiness probe.
func (v *Verifier) Ready(ctx context.Context) error {
	_, err := v.keys.current(ctx)
	return err
}

// Close ends all background work and waits until it has ended. Afterwards v knows only what it
// knew before.
func (v *Verifier) Close() { v.background.stop() }

// Verify says whether token, a compact JWT without "Bearer", is a good access token: made by the
// issuer, for this audience, now, and not revoked (RFC 9068 §4). The error is one of this
// package's. Verify waits, within ctx, only when the issuer has to be asked first.
func (v *Verifier) Verify(ctx context.Context, token string) (*Token, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxToken)
	}
	id := sha256.Sum256([]byte(token))
	good, err := v.recall(ctx, id)
	if err != nil {
		return nil, err
	}
	if good == nil {
		if good, err = v.examine(ctx, token); err != nil {
			return nil, err
		}
		v.seen.add(id, good)
	}
	if good.claims.Status != nil {
		if err := v.status.check(ctx, good.claims.Status.List); err != nil {
			return nil, err
		}
	}
	return good.token.clone(), nil
}

// recall gives a token that was accepted before, has not reached its exp, and whose key is still
// published. All others are examined afresh.
func (v *Verifier) recall(ctx context.Context, id [sha256.Size]byte) (*accepted, error) {
	known := v.seen.get(id)
	if known == nil || !v.now().Before(known.token.ExpiresAt) {
		return nil, nil
	}
	key, err := v.keys.find(ctx, known.kid)
	if err != nil {
		return nil, err
	}
	if key != known.key {
		return nil, nil
	}
	return known, nil
}

// examine checks all but the revocation. The claims come before the signature: they are cheaper,
// and a token from elsewhere should not make us ask our issuer for its key.
func (v *Verifier) examine(ctx context.Context, raw string) (*accepted, error) {
	t, err := parseJWS(raw, "at+jwt")
	if err != nil {
		return nil, err
	}
	c, err := parseClaims(t.payload)
	if err != nil {
		return nil, err
	}
	if err := c.meantFor(v.issuer, v.audience); err != nil {
		return nil, err
	}
	if err := c.current(v.now(), v.leeway); err != nil {
		return nil, err
	}
	key, err := v.keys.find(ctx, t.header.KeyID)
	if err != nil {
		return nil, err
	}
	if err := t.signedBy(key); err != nil {
		return nil, err
	}
	return &accepted{claims: c, token: c.token(t.payload), kid: t.header.KeyID, key: key}, nil
}
