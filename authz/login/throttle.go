package login

import (
	"context"
	"fmt"
	"net/netip"
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
// each Refill. A person who mistypes is not stopped; who guesses gets about 3000 tries a
// day at one name from one place.
const (
	AddressBurst  = 60
	AddressRefill = 5 * time.Second
	NameBurst     = 10
	NameRefill    = 30 * time.Second
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
// username and an address are the same person's must not show in what they share.
type attempt struct {
	Attempt
	name    string
	prefix  string
	address string // the key of the address, of the pair, and of the name
	pair    string
	account string
}

func newAttempt(ctx context.Context, a Attempt) attempt {
	c := attempt{Attempt: a, name: fold(a.Username), prefix: prefixOf(authz.OriginFrom(ctx).Address)}
	c.address = "address:" + c.prefix
	c.pair = "pair:" + c.prefix + ":" + c.name
	c.account = "account:" + c.name
	if a.KnownDevice {
		c.address = ""
		c.pair = "known:" + c.prefix + ":" + c.name
		c.account = ""
	}
	return c
}

// ofDevice counts an attempt by the browser it came from alone.
func (c attempt) ofDevice(d device) attempt {
	c.address, c.pair, c.account = "", "device:"+d.id, ""
	return c
}

// take spends what an attempt costs. The pair comes first, so that who hammers one name
// does not spend the attempts of everybody at the same address.
func (s *Service) take(c attempt) error {
	if ok, wait := s.cfg.PerName.Take(c.pair); !ok {
		return &ThrottledError{RetryAfter: wait}
	}
	if c.address == "" {
		return nil
	}
	if ok, wait := s.cfg.PerAddress.Take(c.address); !ok {
		s.cfg.PerName.Give(c.pair)
		return &ThrottledError{RetryAfter: wait}
	}
	return nil
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
	s.cfg.PerName.Give(c.pair)
	if c.address != "" {
		s.cfg.PerAddress.Give(c.address)
	}
	if c.account != "" {
		s.cfg.PerAccount.Give(c.account)
	}
}

// recordThrottled notes a refusal, but not each one of a flood: its rows are never dropped,
// and would fill the database.
func (s *Service) recordThrottled(ctx context.Context, c attempt) {
	if ok, _ := s.cfg.PerAccount.Take("event:" + c.prefix); ok {
		s.cfg.Audit.Record(ctx, authz.Event{Kind: authz.EventLoginThrottled})
	}
}

// prefixOf gives the network that one subscriber has: /24 of IPv4, /64 of IPv6.
func prefixOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	bits := 64
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return address
	}
	return p.String()
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
