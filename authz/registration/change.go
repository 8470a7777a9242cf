package registration

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

// maxTries is how often a change without a version may find that somebody else was faster.
const maxTries = 8

// edit is one change to a client.
type edit struct {
	// decide changes the client as it was read, or refuses. It may be called again when
	// somebody else was faster, and is never called inside of a transaction.
	decide func(c *authz.Client) error
	// also runs in the transaction that writes the client; nil: nothing more to write.
	also func(ctx context.Context, c *authz.Client) error
}

// change applies an edit to the client as it is now, or to the version that is named:
// authz.ErrStale when it is another by now.
func (s *Service) change(ctx context.Context, id string, version int64, e edit) (*authz.Client, error) {
	for range maxTries {
		c, err := s.changeOnce(ctx, id, version, e)
		if !isStale(err) || version != 0 {
			return c, err
		}
	}
	return nil, fmt.Errorf("change client %s: %w", id, authz.ErrStale)
}

func (s *Service) changeOnce(ctx context.Context, id string, version int64, e edit) (*authz.Client, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if version != 0 && c.Version != version {
		return nil, fmt.Errorf("change client %s: %w", id, authz.ErrStale)
	}
	if err := e.decide(c); err != nil {
		return nil, err
	}
	c.UpdatedAt = s.cfg.Now()
	err = s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.cfg.Store.UpdateClient(ctx, c); err != nil || e.also == nil {
			return err
		}
		return e.also(ctx, c)
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Update gives a client other metadata. They replace the old ones whole, so a caller starts
// from those; a field that must not be empty gets its default, and the default API goes when
// it is not one of the APIs any more. A version other than 0 must
// be the client's; authz.ErrStale otherwise. A client that from now on authenticates
// without a secret loses those it had, and one that needs a secret gets it by RotateSecret.
func (s *Service) Update(ctx context.Context, id string, version int64, m authz.ClientMetadata) (*authz.Client, error) {
	dropSecrets := false
	c, err := s.change(ctx, id, version, edit{
		decide: func(c *authz.Client) error {
			next := m
			fillEmpty(&next, c.Metadata.IDTokenAlg)
			if next.DefaultAPI == c.Metadata.DefaultAPI && !slices.Contains(next.APIs, next.DefaultAPI) {
				next.DefaultAPI = "" // it goes with its API
			}
			fillDefaultAPI(&next)
			if err := s.validate(ctx, &next, &c.Metadata); err != nil {
				return err
			}
			dropSecrets = keepsSecret(c.Metadata) && !keepsSecret(next)
			c.Metadata = next
			return nil
		},
		also: func(ctx context.Context, c *authz.Client) error {
			if !dropSecrets {
				return nil
			}
			c.Secrets = nil
			return s.cfg.Store.ExpireClientSecrets(ctx, id, "", s.cfg.Now())
		},
	})
	if err != nil {
		return nil, err
	}
	s.record(ctx, authz.EventClientChanged, id, nil)
	return c, nil
}

// SetDisabled switches a client off, or on again. While it is off it is refused everywhere;
// what it was granted is kept. The API tokens that it made are good no more from then on, and
// are revoked for good: whoever has one needs the client no more. Of very many the last are
// revoked within minutes; until then the client cannot be switched on, which is an
// *authz.InvalidError.
func (s *Service) SetDisabled(ctx context.Context, id string, disabled bool) error {
	if disabled {
		return s.disable(ctx, id)
	}
	return s.enable(ctx, id)
}

func (s *Service) disable(ctx context.Context, id string) error {
	changed := false
	_, err := s.change(ctx, id, 0, edit{decide: func(c *authz.Client) error {
		if changed = !c.Disabled(); changed {
			c.DisabledAt = s.cfg.Now()
		}
		return nil
	}})
	if err != nil {
		return err
	}
	// That the client is off does not wait for it, nor for what goes wrong with it: the rest
	// is revoked later.
	tokens, all, err := s.cfg.Store.EndAPITokensOf(ctx, id, s.cfg.Now())
	s.switched(ctx, id, true, changed, tokens, all && err == nil)
	return nil
}

// enable revokes what is left of the API tokens that the client made before it was disabled,
// and refuses while there are more. Others may disable the client meanwhile, so it looks
// again when the row is its own.
func (s *Service) enable(ctx context.Context, id string) error {
	c, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	var tokens int64
	if c.Disabled() {
		if tokens, _, err = s.cfg.Store.EndAPITokensOf(ctx, id, s.cfg.Now()); err != nil {
			return err
		}
	}
	changed := false
	_, err = s.change(ctx, id, 0, edit{
		decide: func(c *authz.Client) error {
			changed = c.Disabled()
			c.DisabledAt = time.Time{}
			return nil
		},
		also: func(ctx context.Context, _ *authz.Client) error {
			if !changed {
				return nil // what it has made is good
			}
			_, none, err := s.cfg.Store.EndAPITokensOf(ctx, id, s.cfg.Now())
			if err == nil && !none {
				return authz.Invalid("client_id", "has made API tokens that are still being revoked: try again in a minute")
			}
			return err
		},
	})
	s.switched(ctx, id, false, changed && err == nil, tokens, true)
	return err
}

// switched records that a client was switched off or on, or that API tokens ended.
func (s *Service) switched(ctx context.Context, id string, disabled, changed bool, tokens int64, all bool) {
	if !changed && tokens == 0 {
		return
	}
	detail := map[string]string{"disabled": fmt.Sprint(disabled)}
	if disabled || tokens > 0 {
		detail["api_tokens"] = fmt.Sprint(tokens)
	}
	if !all {
		detail[detailUnfinished] = "true"
	}
	s.record(ctx, authz.EventClientChanged, id, detail)
}

// detailUnfinished is of an event after which more goes by itself than it counts.
const detailUnfinished = "unfinished"

// Delete forgets a client, its secrets, what people consented to and what it was granted,
// and revokes the API tokens that it made. From then on it is gone for everybody. What there
// is very much of is removed later, and its id is taken until then. APIs that it owned have
// no owner afterwards: a later client of the same id is another. A version other than 0 must
// be the client's; authz.ErrStale otherwise.
func (s *Service) Delete(ctx context.Context, id string, version int64) error {
	if !validID(id) {
		return fmt.Errorf("delete client: %w", authz.ErrNotFound)
	}
	removed, err := s.cfg.Store.DeleteClient(ctx, id, version, s.cfg.Now())
	if err != nil {
		return err
	}
	detail := map[string]string{"grants": fmt.Sprint(removed.Grants), "api_tokens": fmt.Sprint(removed.APITokens)}
	if !removed.Finished {
		detail[detailUnfinished] = "true"
	}
	s.record(ctx, authz.EventClientDeleted, id, detail)
	return nil
}
