package verifier

import (
	"crypto/sha256"
	"sync"
)

const cacheSize = 4096 // tokens, in two halves

// accepted is a token whose signature and claims were found good, with what must be looked at
// again each time: the clock, the key and the status list.
type accepted struct {
	claims *claims
	token  *Token
	kid    string
	key    *publicKey
}

// cache remembers accepted tokens under their SHA-256, so that a token that comes a thousand
// times has its signature checked once. Only good tokens get in, so a stranger cannot push
// them out. It keeps two halves: when the young one is full it becomes the old one, and what
// was old and not asked for since is forgotten.
type cache struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]*accepted
}

func (c *cache) get(id [sha256.Size]byte) *accepted {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.young[id]; a != nil {
		return a
	}
	a := c.old[id]
	if a != nil {
		c.put(id, a)
	}
	return a
}

func (c *cache) add(id [sha256.Size]byte, a *accepted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(id, a)
}

// put wants the lock held.
func (c *cache) put(id [sha256.Size]byte, a *accepted) {
	if len(c.young) >= cacheSize/2 || c.young == nil {
		c.young, c.old = make(map[[sha256.Size]byte]*accepted), c.young
	}
	c.young[id] = a
}
