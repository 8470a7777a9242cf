package revocation

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/signet-auth/signet/authz"
)

// crowded is how many places in a row must be taken before a list counts as full. About half
// of them are then: a place takes two tries, and a million grants two lists. With few, chance
// would open a list for every few thousand, and who verifies would follow them all.
const crowded = 16

// Allocate takes a random free place until it expires. Places are random, so that nobody
// learns from two tokens which was made first; they are not taken again while a token may
// carry them.
func (l *Lists) Allocate(ctx context.Context, expires time.Time) (int64, error) {
	for conflicts := 0; ; {
		list := l.filling.Load()
		index, err := l.place(list)
		if err != nil {
			return 0, err
		}
		free, err := l.cfg.Store.ClaimStatusIndex(ctx, index, expires)
		if err != nil || free {
			return index, err
		}
		if conflicts++; conflicts >= crowded {
			l.filling.CompareAndSwap(list, list+1)
			conflicts = 0
		}
	}
}

// place gives a random index of a list; never 0, which means that there is none.
func (l *Lists) place(list int64) (int64, error) {
	raw := make([]byte, 4)
	for {
		if _, err := io.ReadFull(l.cfg.Random, raw); err != nil {
			return 0, fmt.Errorf("choose status index: %w", err)
		}
		// The size is a power of two: every index is as likely.
		index := list*authz.StatusListSize + int64(binary.BigEndian.Uint32(raw)%authz.StatusListSize)
		if index > 0 {
			return index, nil
		}
	}
}

// unclaimed is how long a place is kept for a client, which then has it for good. Who comes
// second to give it one leaves its place to that.
const unclaimed = time.Hour

// registered names a client, but not one that had the same id before or has it later.
type registered struct {
	id   string
	when int64
}

// ClientIndex gives a client its place, once and for good. Later calls are answered from
// memory.
func (l *Lists) ClientIndex(ctx context.Context, c *authz.Client) (int64, error) {
	if c.StatusIndex > 0 {
		return c.StatusIndex, nil
	}
	client := registered{c.ID, c.CreatedAt.UnixNano()}
	if known, ok := l.clients.Load(client); ok {
		return known.(int64), nil
	}
	fresh, err := l.Allocate(ctx, l.cfg.Now().Add(unclaimed))
	if err != nil {
		return 0, err
	}
	index, err := l.cfg.Store.SetClientStatusIndex(ctx, c.ID, fresh)
	if err != nil {
		return 0, err
	}
	l.clients.Store(client, index)
	return index, nil
}
