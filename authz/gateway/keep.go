package gateway

import (
	"container/list"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

// key is what an answer is kept under: the hash of a credential, its kind, and the API. The
// scopes that a check demands are none of it: the short token has all that the credential
// has at the API, and each check holds its own demand against them.
type key struct {
	credential [sha256.Size]byte
	kind       kind
	api        string
}

func (q *question) key() key {
	return key{sha256.Sum256([]byte(q.credential.value)), q.credential.kind, q.target.api.Identifier}
}

// dependency is a row that answers rest on. The zero one stands for anything.
type dependency struct{ table, key string }

// dependencies are the rows that an answer rests on.
func (k key) dependencies(who *Identity) []dependency {
	out := []dependency{{"apis", k.api}}
	add := func(table, id string) {
		if d := (dependency{table, id}); id != "" && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	if strings.HasPrefix(who.Origin, authz.PrefixToken) {
		add("api_tokens", who.Origin)
	} else {
		add("grants", who.Origin)
	}
	if who.User != nil {
		add("users", who.User.ID)
	}
	add("clients", who.ClientID)
	for _, id := range who.Clients {
		add("clients", id)
	}
	add("sessions", who.SessionID)
	add("revoked_tokens", who.TokenID)
	return out
}

// entry is an answer that is kept.
type entry struct {
	answer
	key   key
	epoch uint64 // what had changed before it was looked up
	rests []dependency
}

// keep holds answers in bounded memory. Its owner sees to it that one at a time uses it.
type keep struct {
	max     int
	entries map[key]*list.Element // of *entry
	recent  *list.List            // the most recently asked for in front
	resting map[dependency]map[*entry]struct{}
}

func newKeep(limit int) *keep {
	k := &keep{max: limit}
	k.clear()
	return k
}

// get finds an answer that may be given; nil for none.
func (k *keep) get(key key, now time.Time) *entry {
	at, ok := k.entries[key]
	if !ok {
		return nil
	}
	e := at.Value.(*entry)
	if !e.good(now) {
		k.remove(at)
		return nil
	}
	k.recent.MoveToFront(at)
	return e
}

// put keeps an answer, unless something that it rests on is among what was missed.
func (k *keep) put(key key, e *entry, missed []dependency) {
	k.drop(key)
	e.rests = key.dependencies(e.who)
	for _, d := range missed {
		if d == (dependency{}) || slices.Contains(e.rests, d) {
			return
		}
	}
	k.entries[key] = k.recent.PushFront(e)
	for _, d := range e.rests {
		if k.resting[d] == nil {
			k.resting[d] = make(map[*entry]struct{}, 1)
		}
		k.resting[d][e] = struct{}{}
	}
	for k.recent.Len() > k.max {
		k.remove(k.recent.Back())
	}
}

// drop forgets an answer.
func (k *keep) drop(key key) {
	if at, ok := k.entries[key]; ok {
		k.remove(at)
	}
}

// dropResting forgets the answers that rest on a row.
func (k *keep) dropResting(d dependency) {
	for e := range k.resting[d] {
		k.drop(e.key)
	}
}

// clear forgets all answers.
func (k *keep) clear() {
	k.entries = make(map[key]*list.Element)
	k.recent = list.New()
	k.resting = make(map[dependency]map[*entry]struct{})
}

func (k *keep) remove(at *list.Element) {
	e := k.recent.Remove(at).(*entry)
	delete(k.entries, e.key)
	for _, d := range e.rests {
		if delete(k.resting[d], e); len(k.resting[d]) == 0 {
			delete(k.resting, d)
		}
	}
}
