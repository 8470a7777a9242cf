package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-auth/signet/authz/verifier"
)

// withStatus gives a lasting token with a place in the list.
func withStatus(key *signingKey, index int) string {
	claims := with(status(index, listURI))
	claims["exp"] = time.Now().Add(24 * time.Hour).Unix()
	return key.token(claims)
}

func errorOf(v *verifier.Verifier, token string) error {
	_, err := v.Verify(context.Background(), token)
	return err
}

func TestRevocationArrives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		v := s.start(t)
		token, other := withStatus(key, 7), withStatus(key, 8)
		want(t, "at first", errorOf(v, token), nil)
		for _, idle := range []time.Duration{0, 3 * time.Second, 31 * time.Second, 10 * time.Minute} {
			time.Sleep(idle)
			want(t, fmt.Sprint("before, after ", idle), errorOf(v, token), nil)
			s.mark(7, 1)
			time.Sleep(600 * time.Millisecond)
			want(t, fmt.Sprint("revoked, after ", idle), errorOf(v, token), verifier.ErrRevoked)
			want(t, "its neighbour", errorOf(v, other), nil)
			time.Sleep(2 * time.Second)
			s.mark(7, 0)
			time.Sleep(600 * time.Millisecond)
		}
	})
}

func TestListIsAskedForOnceWhateverTheLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		v := s.start(t)
		s.slow = time.Second
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { want(t, "token", errorOf(v, withStatus(key, i)), nil) })
		}
		wg.Wait()
		if n := s.count("/status-lists/1") - s.count("/status-lists/1?wait=30"); n != 1 {
			t.Errorf("%d fetches at once, want 1", n)
		}
	})
}

func TestFirstSightHonoursTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		v := s.start(t)
		s.slow = 3 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := v.Verify(ctx, withStatus(key, 1))
		want(t, "impatient", err, verifier.ErrStaleStatus)
		want(t, "impatient", err, context.DeadlineExceeded)
		time.Sleep(3 * time.Second)
		want(t, "later", errorOf(v, withStatus(key, 1)), nil)
	})
}

func TestStaleList(t *testing.T) {
	t.Parallel()
	open := verifier.InsecureFailOpen()
	tests := map[string]struct {
		options    []verifier.Option
		after      time.Duration
		good, seen error // what a good and a known revoked token get
	}{
		"still fresh":                {nil, 4 * time.Minute, nil, verifier.ErrRevoked},
		"stale":                      {nil, 6 * time.Minute, verifier.ErrStaleStatus, verifier.ErrRevoked},
		"stale by own choice":        {[]verifier.Option{verifier.WithMaxStale(time.Minute)}, 2 * time.Minute, verifier.ErrStaleStatus, verifier.ErrRevoked},
		"fresh by own choice":        {[]verifier.Option{verifier.WithMaxStale(30 * time.Minute)}, 20 * time.Minute, nil, verifier.ErrRevoked},
		"fail open, stale":           {[]verifier.Option{open}, 2 * time.Hour, nil, verifier.ErrRevoked},
		"past its exp":               {[]verifier.Option{verifier.WithMaxStale(5 * time.Hour)}, 2 * time.Hour, verifier.ErrStaleStatus, verifier.ErrRevoked},
		"fail open, past the exp":    {[]verifier.Option{open, verifier.WithMaxStale(5 * time.Hour)}, 2 * time.Hour, nil, verifier.ErrRevoked},
		"past its exp in the leeway": {[]verifier.Option{verifier.WithMaxStale(5 * time.Hour)}, time.Hour + 20*time.Second, nil, verifier.ErrRevoked},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				key := newES256("k")
				s := newSignet(key)
				s.mark(2, 1)
				v := s.start(t, test.options...)
				good, revoked := withStatus(key, 1), withStatus(key, 2)
				want(t, "good at first", errorOf(v, good), nil)
				want(t, "revoked at first", errorOf(v, revoked), verifier.ErrRevoked)
				s.set(func(s *signet) { s.down = true; s.announce() })
				for rest := test.after; rest > 0; rest -= 10 * time.Minute {
					time.Sleep(min(rest, 10*time.Minute))
					begun := time.Now()
					_ = errorOf(v, good) // in use: else the list would be forgotten
					if took := time.Since(begun); took > 0 {
						t.Errorf("waited %s in a known outage", took)
					}
				}
				want(t, "good", errorOf(v, good), test.good)
				want(t, "good, as an outage", errorOf(v, good), asOutage(test.good))
				want(t, "revoked", errorOf(v, revoked), test.seen)
				s.set(func(s *signet) { s.down = false })
				time.Sleep(16 * time.Second)
				want(t, "good after the outage", errorOf(v, good), nil)
			})
		})
	}
}

func asOutage(err error) error {
	if err == nil {
		return nil
	}
	return verifier.ErrUnavailable
}

func TestShortMaxStaleIsMetWithoutWaiting(t *testing.T) {
	t.Parallel()
	for name, ignoresWait := range map[string]bool{"a server that holds back": false, "one that does not": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				key := newES256("k")
				s := newSignet(key)
				v := s.start(t, verifier.WithMaxStale(10*time.Second))
				s.list.ignoresWait = ignoresWait
				want(t, "first token", errorOf(v, withStatus(key, 1)), nil)
				s.set(func(s *signet) { s.slow = 500 * time.Millisecond })
				for range 120 {
					time.Sleep(time.Second)
					begun := time.Now()
					want(t, "token", errorOf(v, withStatus(key, 1)), nil)
					equal(t, "wait", time.Since(begun), time.Duration(0))
				}
			})
		})
	}
}

func TestListThatWasNeverThere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []verifier.Option
		want    error
	}{
		"fail closed": {nil, verifier.ErrStaleStatus},
		"fail open":   {[]verifier.Option{verifier.InsecureFailOpen()}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				key := newES256("k")
				s := newSignet(key)
				v := s.start(t, test.options...)
				s.set(func(s *signet) { s.down = true })
				for range 3 {
					want(t, "token", errorOf(v, withStatus(key, 1)), test.want)
				}
				s.set(func(s *signet) { s.down = false; s.mark2(1) })
				time.Sleep(2 * time.Second)
				want(t, "when the list is there", errorOf(v, withStatus(key, 1)), verifier.ErrRevoked)
			})
		})
	}
}

// mark2 is mark for who holds the lock.
func (s *signet) mark2(index int) {
	s.list.bytes[index/8] |= 1 << (index % 8)
	s.announce()
}

func TestStatusListsThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	other := newES256("k")
	claims := func(changes map[string]any) func(*list) { return func(l *list) { l.claims = changes } }
	lst := func(bits any, packed string) func(*list) {
		return claims(map[string]any{"status_list": map[string]any{"bits": bits, "lst": packed}})
	}
	past := time.Now().Add(-time.Hour).Unix()
	tests := map[string]func(*list){
		"signed by somebody else":  func(l *list) { l.signer = other },
		"an access token":          func(l *list) { l.header = map[string]any{"typ": "at+jwt"} },
		"alg none":                 func(l *list) { l.header = map[string]any{"alg": "none"} },
		"another list":             claims(map[string]any{"sub": issuer + "/status-lists/2"}),
		"the address with wait":    claims(map[string]any{"sub": listURI + "?wait=30"}),
		"another issuer":           claims(map[string]any{"iss": "https://evil.example"}),
		"no iat":                   claims(map[string]any{"iat": nil}),
		"expired":                  claims(map[string]any{"exp": past}),
		"no list":                  claims(map[string]any{"status_list": nil}),
		"three bits":               lst(3, pack([]byte{0})),
		"no bits":                  lst(0, pack([]byte{0})),
		"not base64":               lst(1, "§"),
		"not compressed":           lst(1, "AAAA"),
		"cut off":                  lst(1, pack(make([]byte, 1000))[:12]),
		"unpacks to 17 MiB":        lst(1, pack(make([]byte, 17<<20))),
		"more than 4 MiB of token": claims(map[string]any{"filler": strings.Repeat("x", 4<<20)}),
		"nothing in it":            lst(1, pack(nil)),
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newES256("k")
			s := newSignet(key)
			change(s.list)
			err := errorOf(s.start(t), withStatus(key, 1))
			want(t, "token", err, verifier.ErrStaleStatus)
			if errors.Is(err, verifier.ErrRevoked) {
				t.Error("looks revoked")
			}
		})
	}
}

func TestStatusValues(t *testing.T) {
	t.Parallel()
	// The lists of the draft's examples with one and with two bits, as they are printed there.
	tests := map[string]struct {
		bits     int
		packed   string
		statuses []byte
	}{
		"one bit":    {1, "eNrbuRgAAhcBXQ", []byte{1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1}},
		"two bits":   {2, "eNo76fITAAPfAgc", []byte{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3}},
		"four bits":  {4, pack([]byte{0x21, 0x0f, 0x80}), []byte{1, 2, 15, 0, 0, 8}},
		"eight bits": {8, pack([]byte{0, 1, 128, 255}), []byte{0, 1, 128, 255}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newES256("k")
			s := newSignet(key)
			s.list.claims = map[string]any{"status_list": map[string]any{"bits": test.bits, "lst": test.packed}}
			v := s.start(t)
			for index, status := range test.statuses {
				expected := verifier.ErrRevoked
				if status == 0 {
					expected = nil
				}
				want(t, fmt.Sprint("index ", index), errorOf(v, withStatus(key, index)), expected)
			}
			want(t, "index beyond", errorOf(v, withStatus(key, len(test.statuses))), verifier.ErrStaleStatus)
			want(t, "index far beyond", errorOf(v, withStatus(key, 1<<62)), verifier.ErrStaleStatus)
		})
	}
}
