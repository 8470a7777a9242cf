package apitoken

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// maxLeaked is how many tokens one report may have, which one statement looks for.
const maxLeaked = 100

// Revoke ends a token of a person, or of anybody when userID is empty, which only an
// administrator's request may leave so, and with it those that it made and that they made.
// Revoking twice is fine; authz.ErrNotFound when there is no such token or it is somebody
// else's.
func (s *Service) Revoke(ctx context.Context, userID, id string) error {
	if !validID(id) {
		return errNone
	}
	v, err := s.cfg.Store.APIToken(ctx, id)
	if err != nil {
		return err
	}
	if userID != "" && v.UserID != userID {
		return errNone
	}
	reason := authz.RevokedByUser
	if userID == "" {
		reason = authz.RevokedByAdmin
	}
	return s.revoke(ctx, v, reason, authz.EventAPITokenRevoked)
}

// Leaked takes tokens that somebody found in the open and revokes those that exist. It says
// nothing about which those are; what has not the form of a token is passed over without a
// statement, and all others are looked for with one. The error is an *authz.InvalidError for
// more than 100 tokens, or an outage, after which the report must be sent again.
func (s *Service) Leaked(ctx context.Context, tokens []string) error {
	if len(tokens) > maxLeaked {
		return authz.Invalid("tokens", fmt.Sprintf("must be at most %d: send the others in another report", maxLeaked))
	}
	reported := make(map[string]authz.Secret, len(tokens))
	for _, token := range tokens {
		if token = strings.TrimSpace(token); authz.WellFormed(authz.PrefixAPIToken, token) {
			secret := authz.Secret(token)
			reported[authz.APITokenID(secret.Hash())] = secret
		}
	}
	if len(reported) == 0 {
		return nil
	}
	found, err := s.cfg.Store.APITokensByID(ctx, slices.Sorted(maps.Keys(reported)))
	if err != nil {
		return fmt.Errorf("look for leaked API tokens: %w", err)
	}
	for _, v := range found {
		if !v.Live(s.cfg.Now()) || !reported[v.ID].Matches(v.Hash) {
			continue
		}
		if err := s.revoke(ctx, v, authz.RevokedLeaked, authz.EventAPITokenLeaked); err != nil {
			return err
		}
	}
	return nil
}

// revoke ends a token, and records it if it was not revoked before.
func (s *Service) revoke(ctx context.Context, v *authz.APIToken, reason, kind string) error {
	n, err := s.cfg.Store.RevokeAPIToken(ctx, v.ID, v.UserID, reason, s.cfg.Now())
	if err != nil || n == 0 {
		return err
	}
	detail := map[string]string{"reason": reason}
	if n > 1 {
		detail["with"] = fmt.Sprint(n - 1) // that it made
	}
	s.record(ctx, kind, v, detail)
	return nil
}
