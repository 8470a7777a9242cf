package keys

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

// snapshot is all that is known of the keys at one moment. It never changes.
type snapshot struct {
	list   []*key // in the order in which they are published
	byKID  map[string]*key
	active map[string]*key // by algorithm; "" is the default one
	next   map[string]*key // by algorithm
	body   []byte          // the JWK Set
	etag   string
}

// newSnapshot opens rows, except those that before has opened already. Rows with an
// algorithm that this program does not know are left to a newer one. The order of the key
// set is the same on every replica: what signs, what comes, what goes.
func newSnapshot(rows []authz.SigningKey, before *snapshot, cfg *Config, now time.Time) (*snapshot, error) {
	s := &snapshot{byKID: map[string]*key{}, active: map[string]*key{}, next: map[string]*key{}}
	for _, row := range rows {
		if !known(row.Alg) {
			continue
		}
		k, err := before.reopen(row, cfg.Master, now)
		if err != nil {
			return nil, err
		}
		s.list = append(s.list, k)
		s.byKID[k.KID] = k
		switch {
		case k.State == authz.KeyActive && slices.Contains(cfg.Algorithms, k.Alg):
			s.active[k.Alg] = k
		case k.State == authz.KeyNext:
			s.next[k.Alg] = k
		}
	}
	if k, ok := s.active[cfg.Algorithms[0]]; ok {
		s.active[""] = k
	}
	slices.SortFunc(s.list, func(a, b *key) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), cmp.Compare(a.Alg, b.Alg), cmp.Compare(a.KID, b.KID))
	})
	var err error
	if s.body, err = marshalSet(s.list); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(s.body)
	s.etag = `"` + hex.EncodeToString(sum[:16]) + `"`
	return s, nil
}

func rank(state authz.KeyState) int {
	return slices.Index([]authz.KeyState{authz.KeyActive, authz.KeyNext, authz.KeyRetired}, state)
}

// reopen gives the key of a row, from memory when it was opened before.
func (s *snapshot) reopen(row authz.SigningKey, master *Master, now time.Time) (*key, error) {
	k := &key{SigningKey: row, seen: now}
	if old, ok := s.byKID[row.KID]; ok && old.same(row) {
		k.material = old.material
		if old.State == row.State {
			k.seen = old.seen
		}
		return k, nil
	}
	var err error
	k.material, err = openRow(row, master)
	return k, err
}
