package login

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Limiter counts attempts per key.
type Limiter interface {
	// Take spends one attempt of key; without one it says when the next comes.
	Take(key string) (ok bool, retryAfter time.Duration)
	// Give returns one attempt to key.
	Give(key string)
}

// What the limiters of a Config should allow: so many attempts in a row, and one more after
// each Refill. A person who mistypes is not stopped. Who guesses gets some 3000 tries a day
// at one name from one address: 288 at once as they come back, and 2880 of the reserve,
// which all names that are tried too often there share.
const (
	AddressBurst  = 60
	AddressRefill = 5 * time.Second
	NameBurst     = 10
	NameRefill    = 5 * time.Minute
	ReserveBurst  = 1
	ReserveRefill = 30 * time.Second
	AttackBurst   = 30
	AttackRefill  = time.Minute
	// Slowness is how long an attempt at a name under attack waits before it is answered.
	Slowness = time.Second
)

// ThrottledError refuses an attempt before anybody has looked at the password.
type ThrottledError struct{ RetryAfter time.Duration }

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many attempts: try again in %s", e.RetryAfter.Round(time.Second))
}

// attempt is an Attempt as it is counted. The name is counted as it was typed: whether a
// username and an email address are the same person's must not show in what they share. The
// reserve they do share, with every other name that is tried too often from there.
type attempt struct {
	Attempt
	name    string
	network string
	address string // the key of the address, of the pair, of the name, and in the reserve
	pair    string
	account string
	reserve string
	drawn   bool // it goes on by the reserve, and has spent nothing else
}

func newAttempt(ctx context.Context, a Attempt) attempt {
	from := authz.OriginFrom(ctx)
	own := from.Network()
	c := attempt{Attempt: a, name: fold(a.Username), network: from.Neighbourhood()}
	c.address = "address:" + own
	c.pair = "pair:" + own + ":" + c.name
	c.account = "account:" + c.name
	c.reserve = c.address
	if a.KnownDevice {
		c.address = ""
		c.pair = "known:" + own + ":" + c.name
		c.account = ""
		c.reserve = c.pair
	}
	return c
}

// ofDevice counts an attempt by the browser it came from alone.
func (c attempt) ofDevice(d device) attempt {
	c.address, c.pair, c.account = "", "device:"+d.id, ""
	c.reserve = c.pair
	return c
}

// take spends what an attempt costs. Where there is nothing left to spend it may still go
// on by the reserve, after a while and with luck.
func (s *Service) take(ctx context.Context, c attempt) (attempt, error) {
	ok, wait := s.spend(c)
	switch {
	case ok:
		return c, nil
	case s.reserve == nil:
		return c, &ThrottledError{RetryAfter: wait}
	}
	err := s.reserve.enter(ctx, c.reserve)
	if throttled := new(ThrottledError); errors.As(err, &throttled) {
		return c, &ThrottledError{RetryAfter: min(wait, throttled.RetryAfter)}
	}
	c.drawn = err == nil
	return c, err
}

// spend takes the attempt of the pair first, so that who hammers one name does not spend
// those of everybody at the same address.
func (s *Service) spend(c attempt) (ok bool, retryAfter time.Duration) {
	if ok, wait := s.cfg.PerName.Take(c.pair); !ok || c.address == "" {
		return ok, wait
	}
	ok, wait := s.cfg.PerAddress.Take(c.address)
	if !ok {
		s.cfg.PerName.Give(c.pair)
	}
	return ok, wait
}

// slow lets an attempt wait when its name is under attack. It refuses nobody.
func (s *Service) slow(ctx context.Context, c attempt) error {
	if c.account == "" {
		return nil
	}
	if ok, _ := s.cfg.PerAccount.Take(c.account); ok {
		return nil
	}
	if err := s.cfg.Wait(ctx, Slowness); err != nil {
		return fmt.Errorf("wait for a name under attack: %w", err)
	}
	return nil
}

// giveBack returns what an attempt cost: who knows the password was not guessing.
func (s *Service) giveBack(c attempt) {
	switch {
	case c.drawn:
		s.cfg.Reserve.Give(c.reserve)
	case c.address != "":
		s.cfg.PerAddress.Give(c.address)
		fallthrough
	default:
		s.cfg.PerName.Give(c.pair)
	}
	if c.account != "" {
		s.cfg.PerAccount.Give(c.account)
	}
}

// recordThrottled notes a refusal, but not each one of a flood: its rows are never dropped,
// and would fill the database.
func (s *Service) recordThrottled(ctx context.Context, c attempt) {
	if ok, _ := s.cfg.PerAccount.Take("event:" + c.network); ok {
		s.cfg.Audit.Record(ctx, authz.Event{Kind: authz.EventLoginThrottled})
	}
}

// fold is how names that people type are compared; it is how storage finds them.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
