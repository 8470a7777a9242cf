package registration

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	maxOverlap     = 90 * 24 * time.Hour
	maxLiveSecrets = 10
	prefixSecretID = "sec_"
)

// keepsSecret reports whether a client proves who it is by a shared secret.
func keepsSecret(m authz.ClientMetadata) bool {
	return m.AuthMethod == authz.AuthSecretBasic || m.AuthMethod == authz.AuthSecretPost
}

func (s *Service) newSecret(expires time.Time) (authz.Secret, authz.ClientSecret, error) {
	secret, err := authz.NewSecret(authz.PrefixClientSecret, s.cfg.Random)
	if err != nil {
		return "", authz.ClientSecret{}, err
	}
	id, err := authz.NewID(prefixSecretID, s.cfg.Random)
	if err != nil {
		return "", authz.ClientSecret{}, err
	}
	return secret, authz.ClientSecret{
		ID: id, Hash: secret.Hash(), CreatedAt: s.cfg.Now(), ExpiresAt: expires,
	}, nil
}

// RotateSecret gives a client a new secret. Those it had end after overlap, so that a
// deployment has time to change, or at once when it is 0.
func (s *Service) RotateSecret(ctx context.Context, id string, overlap time.Duration) (authz.Secret, error) {
	if overlap < 0 || overlap > maxOverlap {
		return "", authz.Invalid("overlap", fmt.Sprintf("must be between 0 and %d days", maxOverlap/(24*time.Hour)))
	}
	secret, kept, err := s.newSecret(time.Time{})
	if err != nil {
		return "", err
	}
	err = s.changeSecrets(ctx, id, kept, func(ctx context.Context) error {
		return s.cfg.Store.ExpireClientSecrets(ctx, id, kept.ID, s.cfg.Now().Add(overlap))
	}, overlap > 0)
	if err != nil {
		return "", err
	}
	s.record(ctx, authz.EventSecretRotated, id, map[string]string{"secret": kept.ID, "overlap": overlap.String()})
	return secret, nil
}

// AddSecret gives a client one secret more, beside those it has. A zero expires means that
// it does not end by itself.
func (s *Service) AddSecret(ctx context.Context, id string, expires time.Time) (authz.Secret, error) {
	if !expires.IsZero() && !expires.After(s.cfg.Now()) {
		return "", authz.Invalid("expires", "must be in the future")
	}
	secret, kept, err := s.newSecret(expires)
	if err != nil {
		return "", err
	}
	nothing := func(context.Context) error { return nil }
	if err := s.changeSecrets(ctx, id, kept, nothing, true); err != nil {
		return "", err
	}
	s.record(ctx, authz.EventSecretRotated, id, map[string]string{"secret": kept.ID, "added": "true"})
	return secret, nil
}

// changeSecrets adds a secret and does what goes with it, both or neither. The version of
// the client goes up: of two changes at once the later sees the earlier's secret.
func (s *Service) changeSecrets(ctx context.Context, id string, add authz.ClientSecret, also func(context.Context) error, beside bool) error {
	_, err := s.change(ctx, id, 0, edit{
		decide: func(c *authz.Client) error { return s.mayAdd(c, beside) },
		also: func(ctx context.Context, _ *authz.Client) error {
			if err := s.cfg.Store.InsertClientSecret(ctx, id, add); err != nil {
				return err
			}
			return also(ctx)
		},
	})
	return err
}

func (s *Service) mayAdd(c *authz.Client, beside bool) error {
	if !keepsSecret(c.Metadata) {
		return authz.Invalid("token_endpoint_auth_method", "a client that authenticates with "+c.Metadata.AuthMethod+" has no secret")
	}
	live := 0
	for _, secret := range c.Secrets {
		if secret.Live(s.cfg.Now()) {
			live++
		}
	}
	if beside && live >= maxLiveSecrets {
		return authz.Invalid("client_secret", fmt.Sprintf("a client has at most %d secrets at once", maxLiveSecrets))
	}
	return nil
}
