package apitoken

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// maxLeaked is how many tokens one report may have.
const maxLeaked = 1000

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
// statement. The error is an *authz.InvalidError for more than 1000 tokens, or an outage,
// after which the report must be sent again.
func (s *Service) Leaked(ctx context.Context, tokens []string) error {
	if len(tokens) > maxLeaked {
		return authz.Invalid("tokens", fmt.Sprintf("must be at most %d", maxLeaked))
	}
	seen := make(map[string]bool, len(tokens))
	for _, token := range tokens {
		token = strings.TrimSpace(token)
		if seen[token] || !authz.WellFormed(authz.PrefixAPIToken, token) {
			continue
		}
		seen[token] = true
		if err := s.leaked(ctx, authz.Secret(token)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) leaked(ctx context.Context, token authz.Secret) error {
	v, err := s.cfg.Store.APIToken(ctx, authz.APITokenID(token.Hash()))
	if errors.Is(err, authz.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for leaked API token: %w", err)
	}
	if !token.Matches(v.Hash) {
		return nil
	}
	return s.revoke(ctx, v, authz.RevokedLeaked, authz.EventAPITokenLeaked)
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
