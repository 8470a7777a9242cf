package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-auth/signet/authz/verifier"
)

// verify gives the error of verifying a fresh token that key signed.
func verify(v *verifier.Verifier, key *signingKey) error {
	_, err := v.Verify(context.Background(), key.token(with(map[string]any{"exp": time.Now().Add(time.Minute).Unix()})))
	return err
}

const unknownKidPause = 30 * time.Second

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error is %v, want %v", what, got, want)
	}
}

func TestServiceStartsBeforeTheIssuer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		s.down = true
		v := s.start(t)
		want(t, "issuer is down", verify(v, key), verifier.ErrUnavailable)
		want(t, "readiness", v.Ready(context.Background()), verifier.ErrUnavailable)
		s.set(func(s *signet) { s.down = false })
		time.Sleep(time.Second)
		want(t, "issuer is up", verify(v, key), nil)
		want(t, "readiness", v.Ready(context.Background()), nil)
	})
}

func TestAttemptsAreLimitedWhileThereAreNoKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		s.down = true
		v := s.start(t)
		for range 50 {
			want(t, "issuer is down", verify(v, key), verifier.ErrUnavailable)
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.count("/.well-known/oauth-authorization-server"); n > 6 {
			t.Errorf("%d attempts in 5 s", n)
		}
	})
}

func TestNewDoesNotWaitLongForASilentIssuer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSignet(newES256("k"))
		s.hang = true
		begun := time.Now()
		s.start(t)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("New took %s", took)
		}
	})
}

func TestKeysServeThroughAnOutage(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"refusing", "silent"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				key := newES256("k")
				s := newSignet(key)
				v := s.start(t)
				s.set(func(s *signet) { s.down, s.hang = how == "refusing", how == "silent" })
				time.Sleep(24 * time.Hour)
				begun := time.Now()
				want(t, "a day later", verify(v, key), nil)
				if took := time.Since(begun); took > 2*time.Second {
					t.Errorf("the first token waited %s", took)
				}
				waited := time.Duration(0)
				for range 600 {
					begun := time.Now()
					want(t, "during the outage", verify(v, key), nil)
					waited = max(waited, time.Since(begun))
					time.Sleep(time.Second)
				}
				if waited > 0 {
					t.Errorf("a token waited %s though the outage was known", waited)
				}
				if n := s.count("/.well-known/oauth-authorization-server"); n > 70 {
					t.Errorf("%d attempts in 10 min", n)
				}
				want(t, "unknown key in an outage", verify(v, newES256("other")), verifier.ErrUnavailable)
			})
		})
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := newES256("first"), newES256("second")
		s := newSignet(first)
		v := s.start(t)
		want(t, "first key", verify(v, first), nil)
		s.set(func(s *signet) { s.keys = []*signingKey{second, first} })
		want(t, "second key at once", verify(v, second), nil)
		want(t, "first key still", verify(v, first), nil)
	})
}

func TestWithdrawnKeyDies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := newES256("first"), newES256("second")
		s := newSignet(first)
		v := s.start(t)
		claims := with(map[string]any{"exp": time.Now().Add(time.Hour).Unix()})
		seenBefore := first.token(claims)
		_, err := v.Verify(context.Background(), seenBefore)
		want(t, "before", err, nil)

		s.set(func(s *signet) { s.keys = []*signingKey{second} })
		time.Sleep(6 * time.Minute)
		want(t, "fresh token", verify(v, first), verifier.ErrUnknownKey)
		_, err = v.Verify(context.Background(), seenBefore)
		want(t, "token seen before", err, verifier.ErrUnknownKey)

		impostor := newES256("first")
		s.set(func(s *signet) { s.keys = []*signingKey{impostor} })
		time.Sleep(6 * time.Minute)
		_, err = v.Verify(context.Background(), seenBefore)
		want(t, "another key under the same kid", err, verifier.ErrBadSignature)
	})
}

func TestUnknownKidIsAskedForAtMostEvery30s(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		s.cacheControl = "max-age=3600"
		v := s.start(t)
		for i := range 601 {
			want(t, "made-up kid", verify(v, newEdDSA(fmt.Sprint("made-up-", i))), verifier.ErrUnknownKey)
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.count("/jwks") - 1; n != 3 {
			t.Errorf("%d fetches in 60 s, want 3", n)
		}
	})
}

func TestFetchesAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, next := newES256("k"), newES256("next")
		s := newSignet(key)
		s.down = true
		v := s.start(t)
		time.Sleep(time.Minute)
		s.set(func(s *signet) { s.down, s.slow = false, time.Second })
		all := func(what string, key *signingKey) {
			before := s.count("/jwks")
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { want(t, what, verify(v, key), nil) })
			}
			wg.Wait()
			if n := s.count("/jwks") - before; n != 1 {
				t.Errorf("%s: %d fetches, want 1", what, n)
			}
		}
		all("first keys", key)
		s.set(func(s *signet) { s.keys = append(s.keys, next) })
		all("unknown kid", next)
		time.Sleep(time.Hour)
		all("expired keys", key)
	})
}

func TestWaitersHonourTheirContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		s.down = true
		v := s.start(t)
		time.Sleep(time.Minute)
		s.set(func(s *signet) { s.down, s.slow = false, 3*time.Second })
		token := key.token(goodClaims())
		var wg sync.WaitGroup
		wg.Go(func() { // the first to ask gives up, the second must not suffer
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			begun := time.Now()
			_, err := v.Verify(ctx, token)
			want(t, "impatient", err, verifier.ErrUnavailable)
			want(t, "impatient", err, context.DeadlineExceeded)
			if took := time.Since(begun); took != time.Second {
				t.Errorf("impatient waited %s", took)
			}
		})
		wg.Go(func() {
			_, err := v.Verify(context.Background(), token)
			want(t, "patient", err, nil)
		})
		wg.Wait()
	})
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cacheControl string
		low, high    int // fetches in an hour of a token every second, besides the first
	}{
		"nothing said":    {"", 12, 17},
		"ten minutes":     {"public, max-age=600", 6, 8},
		"a second":        {"max-age=1", 60, 80},
		"no-store":        {"no-store", 60, 80},
		"a year":          {"max-age=31536000", 1, 2},
		"not a number":    {"max-age=soon", 12, 17},
		"capitals":        {"Public, Max-Age=600", 6, 8},
		"aged on the way": {"max-age=3600", 6, 8}, // with Age: 3000
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				key := newEdDSA("k")
				s := newSignet(key)
				s.cacheControl = test.cacheControl
				if name == "aged on the way" {
					s.age = "3000"
				}
				v := s.start(t)
				for range 3600 {
					want(t, "token", verify(v, key), nil)
					time.Sleep(time.Second)
				}
				if n := s.count("/jwks") - 1; n < test.low || n > test.high {
					t.Errorf("%d fetches in an hour, want %d to %d", n, test.low, test.high)
				}
				if n := s.count("/.well-known/oauth-authorization-server"); n != 1 {
					t.Errorf("%d discoveries, want 1", n)
				}
			})
		})
	}
}

func TestKeysThatMoveAreFoundAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, next := newES256("k"), newES256("next")
		s := newSignet(key)
		v := s.start(t)
		s.set(func(s *signet) {
			s.keys = []*signingKey{next}
			s.answers["/moved"] = s.jwks
			delete(s.answers, "/jwks")
			s.answers["/.well-known/oauth-authorization-server"] = func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuer, issuer+"/moved")
			}
		})
		want(t, "not found at the old place", verify(v, next), verifier.ErrUnavailable)
		time.Sleep(unknownKidPause)
		want(t, "found at the new place", verify(v, next), nil)
	})
}

func TestTokenSeenBeforeExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		v := newSignet(key).start(t)
		token := key.token(goodClaims()) // for 10 min, and 30 s of leeway
		for range 10*60 + 29 {
			want(t, "in time", errorOf(v, token), nil)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		want(t, "too late", errorOf(v, token), verifier.ErrExpired)
	})
}

// A failure of long ago does not say that the issuer is still down.
func TestKeysWithdrawnAfterAnOutageDoNotServeAnIdleService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := newES256("first"), newES256("second")
		s := newSignet(first)
		v := s.start(t)
		time.Sleep(time.Hour)
		s.set(func(s *signet) { s.down = true })
		want(t, "during the outage", verify(v, first), nil)
		s.set(func(s *signet) { s.down, s.keys = false, []*signingKey{second} })
		time.Sleep(8 * time.Hour)
		want(t, "the morning after", verify(v, first), verifier.ErrUnknownKey)
	})
}

func TestUnchangedKeysAreNotSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		v := s.start(t)
		for range 5 {
			time.Sleep(6 * time.Minute)
			want(t, "token", verify(v, key), nil)
		}
		equal(t, "fetches", s.count("/jwks"), 6)
		equal(t, "of which without a body", s.count("304 /jwks"), 5)
	})
}

func TestKeysThatMustNotVerifyArePassedOver(t *testing.T) {
	t.Parallel()
	good, encryption, noKid, second := newES256("good"), newES256("enc"), newES256(""), newES256("good")
	mismatch, symmetric := newRSA("mismatch", "RS256"), []byte("0123456789abcdef0123456789abcdef")
	s := newSignet(good, noKid, second)
	mismatched := mismatch.jwk()
	mismatched.Algorithm = "ES256"
	forEncryption := encryption.jwk()
	forEncryption.Use = "enc"
	s.extraKeys = []any{
		map[string]any{"kty": "EC", "crv": "P-999", "kid": "strange"}, 7, mismatched, forEncryption,
		jose.JSONWebKey{Key: symmetric, KeyID: "oct", Algorithm: "HS256"},
		jose.JSONWebKey{Key: encryption.private, KeyID: "private", Algorithm: "ES256"},
	}
	v := s.start(t)
	want(t, "good key", verify(v, good), nil)
	for _, key := range []*signingKey{encryption, mismatch, {kid: "private", alg: "ES256", private: encryption.private}} {
		want(t, key.kid, verify(v, key), verifier.ErrUnknownKey)
	}
	want(t, "no kid", verify(v, noKid), verifier.ErrMalformed)
	want(t, "second with a kid", verify(v, second), verifier.ErrBadSignature)
}

func TestClosedVerifier(t *testing.T) {
	t.Parallel()
	key := newES256("k")
	v := newSignet(key).start(t)
	v.Close()
	v.Close()
	want(t, "known key", verify(v, key), nil)
	want(t, "unknown key", verify(v, newES256("other")), verifier.ErrUnavailable)
	_, err := v.Verify(context.Background(), key.token(with(status(1, listURI))))
	want(t, "token with a status", err, verifier.ErrUnavailable)
}
