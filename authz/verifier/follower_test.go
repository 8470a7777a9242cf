package verifier_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-auth/signet/authz/verifier"
)

func TestPolling(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change    func(*signet)
		low, high int // requests in 10 min
	}{
		"a server that holds back":       {func(*signet) {}, 20, 25},
		"a server that ignores wait":     {func(s *signet) { s.list.ignoresWait = true }, 30, 40}, // its ttl is 20 s
		"a server that is slow as well":  {func(s *signet) { s.list.ignoresWait, s.slow = true, 2*time.Second }, 30, 40},
		"a server that refuses wait":     {func(s *signet) { s.refuseWait(0) }, 50, 70},
		"a proxy that cuts after 20 s":   {func(s *signet) { s.refuseWait(20 * time.Second) }, 45, 60},
		"ttl of a millisecond":           {func(s *signet) { s.list.ignoresWait, s.list.claims = true, map[string]any{"ttl": 0.001} }, 100, 130},
		"ttl of a year":                  {func(s *signet) { s.list.ignoresWait, s.list.claims = true, map[string]any{"ttl": 3e7} }, 10, 18},
		"a list that changes constantly": {func(s *signet) { s.list.ignoresWait = true; s.everChanging() }, 1000, 1210},
		"a server that is down":          {func(s *signet) { s.answers["/status-lists/1"] = http.NotFound }, 40, 65},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				key := newEdDSA("k")
				s := newSignet(key)
				test.change(s)
				v := s.start(t)
				_ = errorOf(v, withStatus(key, 1))
				time.Sleep(10 * time.Minute)
				if n := s.count("/status-lists/1"); n < test.low || n > test.high {
					t.Errorf("%d requests in 10 min, want %d to %d", n, test.low, test.high)
				}
			})
		})
	}
}

// refuseWait lets requests fail that ask for the answer to be held back, after a time.
func (s *signet) refuseWait(after time.Duration) {
	s.answers["/status-lists/1"] = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("wait") {
			time.Sleep(after)
			w.WriteHeader(http.StatusGatewayTimeout)
			return
		}
		s.statusList(w, r)
	}
}

func (s *signet) everChanging() {
	n := 0
	s.answers["/status-lists/1"] = func(w http.ResponseWriter, r *http.Request) {
		n++
		s.mark(n%64, byte(n/64)&1^1)
		s.statusList(w, r)
	}
}

func TestListThatGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		s.list.ignoresWait = true
		v := s.start(t)
		want(t, "in the list", errorOf(v, withStatus(key, 1)), nil)
		time.Sleep(10 * time.Second)
		s.set(func(s *signet) { s.list.bytes = make([]byte, 128); s.announce() })
		want(t, "beyond what was seen", errorOf(v, withStatus(key, 1000)), nil)
		before := s.count("/status-lists/1")
		for range 1000 {
			want(t, "beyond the list", errorOf(v, withStatus(key, 5000)), verifier.ErrStaleStatus)
		}
		if n := s.count("/status-lists/1") - before; n > 1 {
			t.Errorf("%d requests at once", n)
		}
	})
}

func TestLaggingReplicaDoesNotUndoARevocation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		iat  time.Duration // of the answer that lags, against the one before
		want error         // for the token that the newer list had revoked
		more error         // for one that only the older list has revoked
	}{
		"two seconds older": {-2 * time.Second, verifier.ErrRevoked, verifier.ErrRevoked},
		"of the same time":  {0, verifier.ErrRevoked, verifier.ErrRevoked},
		"an hour older":     {-time.Hour, verifier.ErrRevoked, nil},
		"newer":             {2 * time.Second, nil, verifier.ErrRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				key := newES256("k")
				s := newSignet(key)
				v := s.start(t)
				s.mark(1, 1)
				issued := time.Now()
				want(t, "revoked", errorOf(v, withStatus(key, 1)), verifier.ErrRevoked)
				s.set(func(s *signet) {
					s.list.claims = map[string]any{"iat": issued.Add(test.iat).Unix()}
					s.list.bytes = make([]byte, 64)
					s.mark2(3)
				})
				time.Sleep(2 * time.Second)
				want(t, "revoked before", errorOf(v, withStatus(key, 1)), test.want)
				want(t, "revoked in the answer", errorOf(v, withStatus(key, 3)), test.more)
			})
		})
	}
}

// Two answers that lag are both older than the list held, and neither undoes what it says.
func TestTwoLaggingAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		v := s.start(t)
		s.mark(1, 1)
		issued := time.Now()
		for _, behind := range []time.Duration{0, 3 * time.Second, 2 * time.Second, time.Second} {
			want(t, fmt.Sprint("before the answer behind by ", behind), errorOf(v, withStatus(key, 1)), verifier.ErrRevoked)
			s.set(func(s *signet) {
				s.list.claims = map[string]any{"iat": issued.Add(-behind).Unix()}
				s.list.bytes = make([]byte, 64)
				s.announce()
			})
			time.Sleep(2 * time.Second)
		}
		want(t, "after all", errorOf(v, withStatus(key, 1)), verifier.ErrRevoked)
	})
}

// "Not modified", said of an old list while a new one has come by another way, changes nothing.
func TestLateNotModifiedDoesNotUndoARevocation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		s.answers["/status-lists/1"] = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("wait") {
				time.Sleep(10 * time.Second)
				w.WriteHeader(http.StatusNotModified)
				return
			}
			s.statusList(w, r)
		}
		v := s.start(t)
		want(t, "at first", errorOf(v, withStatus(key, 1)), nil)
		time.Sleep(2 * time.Second)
		s.set(func(s *signet) { s.list.bytes = make([]byte, 128); s.mark2(1) })
		want(t, "in the part that is new", errorOf(v, withStatus(key, 1000)), nil)
		want(t, "revoked", errorOf(v, withStatus(key, 1)), verifier.ErrRevoked)
		time.Sleep(10 * time.Second)
		want(t, "after the late answer", errorOf(v, withStatus(key, 1)), verifier.ErrRevoked)
	})
}

func TestClientTimeoutDoesNotCutLongPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		client := &http.Client{Transport: s, Timeout: 2 * time.Second}
		v := s.start(t, verifier.WithHTTPClient(client))
		want(t, "token", errorOf(v, withStatus(key, 1)), nil)
		time.Sleep(10 * time.Minute)
		if n := s.count("/status-lists/1"); n > 25 {
			t.Errorf("%d requests in 10 min", n)
		}
		s.set(func(s *signet) { s.hang = true })
		begun := time.Now()
		want(t, "unknown kid", verify(v, newES256("other")), verifier.ErrUnavailable)
		equal(t, "wait for an ordinary request", time.Since(begun), 2*time.Second)
	})
}

func TestListWithoutUseIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		v := s.start(t)
		want(t, "token", errorOf(v, withStatus(key, 1)), nil)
		time.Sleep(16 * time.Minute)
		before := s.count("/status-lists/1")
		time.Sleep(time.Hour)
		if n := s.count("/status-lists/1") - before; n > 0 {
			t.Errorf("%d requests for a list that nobody uses", n)
		}
		s.mark(1, 1)
		want(t, "when used again", errorOf(v, withStatus(key, 1)), verifier.ErrRevoked)
		want(t, "when used again", errorOf(v, withStatus(key, 2)), nil)
		time.Sleep(10 * time.Second)
		s.mark(2, 1)
		time.Sleep(600 * time.Millisecond)
		want(t, "news when used again", errorOf(v, withStatus(key, 2)), verifier.ErrRevoked)
	})
}

func TestListAboutToExpireIsFetchedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := newES256("k")
		s := newSignet(key)
		v := s.start(t)
		for range 3 * 60 { // the list's exp is an hour away when it is fetched, its ETag never changes
			want(t, "token", errorOf(v, withStatus(key, 1)), nil)
			time.Sleep(time.Minute)
		}
	})
}
