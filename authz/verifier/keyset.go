package verifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysFreshLow     = time.Minute
	keysFreshDefault = 5 * time.Minute
	keysFreshHigh    = time.Hour
)

// keySet is what the issuer published at one moment. It does not change: a newer one replaces it.
type keySet struct {
	keys    map[string]*publicKey
	etag    string
	fetched time.Time
	renew   time.Time // from here on it is renewed in passing
	expires time.Time // from here on a caller waits for a newer one, if there is one to be had
}

// parseKeySet reads a JWKS (RFC 7517 §5). Keys that cannot verify access tokens are passed
// over, and named in skipped, so that an issuer may publish others beside them. Keys that were
// in old keep their identity: what was verified with one can tell that it is still published.
func parseKeySet(body []byte, old *keySet) (set *keySet, skipped []error, err error) {
	var document struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return nil, nil, fmt.Errorf("parse JWKS: %w", err)
	}
	if document.Keys == nil {
		return nil, nil, errors.New("parse JWKS: no keys member")
	}
	set = &keySet{keys: make(map[string]*publicKey, len(*document.Keys))}
	for _, raw := range *document.Keys {
		if err := set.add(raw, old); err != nil {
			skipped = append(skipped, err)
		}
	}
	return set, skipped, nil
}

func (s *keySet) add(raw []byte, old *keySet) error {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return fmt.Errorf("parse key: %w", err)
	}
	key, err := usable(&jwk)
	if err != nil {
		return err
	}
	if s.keys[jwk.KeyID] != nil {
		return fmt.Errorf("second key with kid %q", jwk.KeyID)
	}
	if old != nil {
		if held := old.keys[jwk.KeyID]; held != nil && held.equal(key) {
			key = held
		}
	}
	s.keys[jwk.KeyID] = key
	return nil
}

// dated gives the set as it is after an answer at now that may be kept for fresh.
func (s *keySet) dated(now time.Time, fresh time.Duration, etag string) *keySet {
	return &keySet{
		keys: s.keys, etag: etag, fetched: now,
		renew:   now.Add(fresh * 3 / 4),
		expires: now.Add(fresh),
	}
}
