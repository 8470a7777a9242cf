package keys

import (
	"context"
	"fmt"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// maxTries is how often a withdrawal may find that somebody else has rotated first.
const maxTries = 8

// Withdraw is for a key that is stolen: the next key signs now, however young it is, and the
// old one goes at once, with those that were retired before it, for one of Algorithms or,
// with "", for all. What they signed is refused here as soon as a replica has read its keys
// again, and by a service when it fetches the key set again: one that keeps the old set
// believes the stolen key until then.
func (r *Ring) Withdraw(ctx context.Context, alg string) error {
	algs, err := r.chosen(alg)
	if err != nil {
		return err
	}
	for _, alg := range algs {
		if err := r.withdraw(ctx, alg); err != nil {
			return err
		}
	}
	return nil
}

// withdraw rotates until none of the keys that have signed is left: whoever rotates at the
// same moment only retires one.
func (r *Ring) withdraw(ctx context.Context, alg string) error {
	var signed []string
	for _, k := range r.snap.Load().list {
		if k.Alg == alg && k.State != authz.KeyNext {
			signed = append(signed, k.KID)
		}
	}
	for range maxTries {
		detail := map[string]string{"forced": "true", "withdrawn": strings.Join(signed, " ")}
		if err := r.rotate(ctx, alg, r.cfg.Store.ReplaceSigningKey, authz.Event{Detail: detail}); err != nil {
			return err
		}
		if !r.knowsAny(signed) {
			return nil
		}
	}
	return fmt.Errorf("withdraw %s key: others rotate all the time", alg)
}

func (r *Ring) knowsAny(kids []string) bool {
	known := r.snap.Load().byKID
	for _, kid := range kids {
		if known[kid] != nil {
			return true
		}
	}
	return false
}
