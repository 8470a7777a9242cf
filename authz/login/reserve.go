package login

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Draw is how long an attempt that has run out of its own waits for the reserve, and how
// long others may still come and draw lots with it. It must leave room in the time that a
// request has.
const Draw = 5 * time.Second

// reserve is what attempts have together that have run out of their own: one of a key goes
// through in each refill of the limiter. It is not the first who comes, because that would
// always be a program that waits for the moment, but one of all who come within the time of
// a draw, each with the same chance. Nobody can tell a person from a guesser at the same
// address, so that this is all that can be done for the person without more guesses for
// the other.
type reserve struct {
	cfg *Config

	mu    sync.Mutex
	draws map[string]*draw
}

// draw is a lot that is being drawn.
type draw struct {
	ends   time.Time
	came   uint64
	holder *lot // who goes through if nobody else comes
}

// lot is one attempt in a draw.
type lot struct{ lose context.CancelCauseFunc }

var errLost = errors.New("another attempt has drawn the lot")

func newReserve(cfg *Config) *reserve {
	return &reserve{cfg: cfg, draws: map[string]*draw{}}
}

// enter waits until an attempt may go through. *ThrottledError when another has the luck,
// or none goes through at this time; any other error is the end of ctx.
func (r *reserve) enter(ctx context.Context, key string) error {
	ctx, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	mine := &lot{lose}
	left, err := r.join(key, mine)
	if err != nil {
		return err
	}
	return r.finish(key, mine, r.cfg.Wait(ctx, left))
}

// join has an attempt take part in the draw of a key, or begin one, and tells how long it
// goes on. Of n who have come, each holds the lot with a chance of 1/n.
func (r *reserve) join(key string, mine *lot) (time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.cfg.Now()
	d, open := r.draws[key]
	if !open {
		if len(r.draws) >= r.cfg.Waiting {
			return 0, &ThrottledError{RetryAfter: Draw}
		}
		if ok, wait := r.cfg.Reserve.Take(key); !ok {
			return 0, &ThrottledError{RetryAfter: wait}
		}
		r.draws[key] = &draw{ends: now.Add(Draw), came: 1, holder: mine}
		return Draw, nil
	}
	d.came++
	if !luck(r.cfg.Random, d.came) {
		return 0, r.refusal(key)
	}
	d.holder.lose(errLost)
	d.holder = mine
	return min(max(d.ends.Sub(now), 0), Draw), nil
}

// finish ends the draw for who holds the lot. One who goes away leaves it to whoever comes
// next.
func (r *reserve) finish(key string, mine *lot, waited error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.draws[key]; d == nil || d.holder != mine {
		return r.refusal(key)
	}
	delete(r.draws, key)
	if waited != nil {
		r.cfg.Reserve.Give(key)
		return fmt.Errorf("wait for the reserve: %w", waited)
	}
	return nil
}

// refusal says when the next draw of a key may begin.
func (r *reserve) refusal(key string) error {
	ok, wait := r.cfg.Reserve.Take(key)
	if ok {
		r.cfg.Reserve.Give(key)
		wait = Draw
	}
	return &ThrottledError{RetryAfter: wait}
}

// luck is true with a chance of 1/n; without randomness it is not.
func luck(random io.Reader, n uint64) bool {
	var raw [8]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return false
	}
	return binary.BigEndian.Uint64(raw[:])%n == 0
}
