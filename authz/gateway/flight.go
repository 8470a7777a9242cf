package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

// answer is what is known of a credential at an API.
type answer struct {
	who     *Identity
	token   string // empty: the credential is not good for this API
	headers map[string]string
	from    time.Time // when it was looked up
	until   time.Time // when it is to be looked up and signed anew
}

// good reports whether an answer may be given. One that seems to come from the future may
// not: the clock was set back, and nobody knows how old it is.
func (a *answer) good(now time.Time) bool {
	return !now.Before(a.from) && now.Before(a.until)
}

// flight is a lookup that is under way.
type flight struct {
	question question
	before   *entry        // the answer that is asked for again; nil: there is none
	epoch    uint64        // when it began
	missed   []dependency  // what has changed since
	done     chan struct{} // closed when answer and err are set
	answer   answer
	err      error
}

// answer gives what is known of the credential of a question, from memory or by a lookup
// that all who ask the same at the moment share.
func (s *Service) answer(ctx context.Context, q *question) (answer, error) {
	k := q.key()
	s.mu.Lock()
	e := s.kept.get(k, s.cfg.Now())
	if e != nil && (e.epoch == s.epoch || s.cfg.Now().Before(s.quiet)) {
		s.mu.Unlock()
		return e.answer, nil
	}
	f := s.join(k, q, e) //nolint:contextcheck // the lookup is for everybody who waits, and outlives the first of them
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.answer, f.err
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
}

// join finds the flight for a key or begins one. One that has missed a change is not joined:
// whoever asks after a revocation was heard of is not answered from before it.
func (s *Service) join(k key, q *question, before *entry) *flight {
	if f, ok := s.flights[k]; ok {
		if len(f.missed) == 0 && f.epoch == s.epoch {
			return f
		}
		f.missed = append(f.missed, dependency{}) // it hears of no change any more
	}
	f := &flight{question: *q, before: before, epoch: s.epoch, done: make(chan struct{})}
	s.flights[k] = f
	go s.fly(k, f)
	return f
}

// fly looks up, signs and keeps. It is nobody's in particular: it goes on when those who
// wait for it go away.
func (s *Service) fly(k key, f *flight) {
	timeout := lookupTimeout
	if f.before != nil {
		timeout = againTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	session, err := s.find(ctx, f)
	s.land(k, f, err)
	close(f.done)
	if session != nil && s.cfg.Seen != nil && f.answer.from.Sub(session.LastSeenAt) >= time.Minute {
		s.cfg.Seen(ctx, session)
	}
}

// find fills in the answer of a flight, and gives the browser session behind it, if any.
func (s *Service) find(ctx context.Context, f *flight) (*authz.Session, error) {
	now := s.cfg.Now()
	who, session, err := s.identify(ctx, &f.question, now)
	if err != nil {
		return nil, err
	}
	f.answer = answer{who: who, from: now}
	if f.before != nil && f.before.who.still(who) {
		f.answer.token, f.answer.headers, f.answer.until = f.before.token, f.before.headers, f.before.until
		return session, nil
	}
	f.before = nil // it is known to be wrong
	return session, s.sign(ctx, f)
}

// sign has the short token made, unless the credential is for another API. The answer is
// good for half of the token's life, and no longer than the credential.
func (s *Service) sign(ctx context.Context, f *flight) error {
	a, q := &f.answer, &f.question
	a.until = earlier(a.from.Add(s.cfg.Lifetime/2), a.who.Ends)
	if !a.who.reaches(q.target) || a.who.powerless(q.target) {
		return nil
	}
	claims := Claims{
		API: q.target.api, Scopes: a.who.Scopes, ClientID: a.who.ClientID, User: a.who.User,
		Origin: a.who.Origin, Status: a.who.Status,
		AuthTime: a.who.AuthTime, ACR: a.who.ACR, AMR: a.who.AMR,
		Lifetime: min(s.cfg.Lifetime, a.who.Ends.Sub(a.from)),
	}
	if q.credential.kind == kindAccessToken {
		claims.Token = q.credential.value
	}
	token, expires, err := s.cfg.Mint(ctx, claims)
	if err != nil {
		return fmt.Errorf("mint token: %w", err)
	}
	a.token, a.headers = token, headers(a.who)
	a.until = earlier(a.until, a.from.Add(expires.Sub(a.from)/2))
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// land ends a flight: it keeps a good answer unless what it rests on has changed meanwhile,
// forgets a refused one, and goes back to the answer from before when nobody could be asked.
func (s *Service) land(k key, f *flight, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[k] == f {
		delete(s.flights, k)
	}
	switch {
	case err == nil:
		s.kept.put(k, &entry{key: k, answer: f.answer, epoch: f.epoch}, f.missed)
		return
	case f.before == nil || errors.Is(err, ErrRefused):
		s.kept.drop(k)
	default:
		now := s.cfg.Now()
		s.quiet = now.Add(quietFor)
		if s.kept.get(k, now) == f.before {
			f.answer = f.before.answer
			return
		}
	}
	f.answer, f.err = answer{}, err
}
