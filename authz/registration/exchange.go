package registration

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/signet-auth/signet/authz"
)

const maxExchangeRules = 100

// checkExchange says whether what a client may exchange tokens for makes sense (RFC 8693):
// from one registered API to another, for scopes that the other has. A rule that the client
// had before may stay when an API is gone or has lost a scope: it gives nothing then, and
// must not stop other changes.
func (s *Service) checkExchange(ctx context.Context, m, was *authz.ClientMetadata) error {
	if len(m.TokenExchange) > 0 && !allows(*m, authz.GrantTokenExchange) {
		return authz.Invalid("token_exchange", "must be empty without the grant type "+authz.GrantTokenExchange)
	}
	if len(m.TokenExchange) > maxExchangeRules {
		return authz.Invalid("token_exchange", fmt.Sprintf("must have at most %d rules", maxExchangeRules))
	}
	for i, rule := range m.TokenExchange {
		same := func(r authz.ExchangeRule) bool { return r.From == rule.From && r.To == rule.To }
		if slices.ContainsFunc(m.TokenExchange[:i], same) {
			return authz.Invalid("token_exchange", "must not have two rules from "+rule.From+" to "+rule.To)
		}
		had := func(r authz.ExchangeRule) bool { return reflect.DeepEqual(r, rule) }
		if was != nil && slices.ContainsFunc(was.TokenExchange, had) {
			continue
		}
		if err := s.checkExchangeRule(ctx, rule); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkExchangeRule(ctx context.Context, rule authz.ExchangeRule) error {
	if _, err := s.api(ctx, "token_exchange", rule.From); err != nil {
		return err
	}
	to, err := s.api(ctx, "token_exchange", rule.To)
	if err != nil {
		return err
	}
	if len(rule.Scopes) == 0 {
		return authz.Invalid("token_exchange", "a rule must name the scopes that it gives")
	}
	if unknown := rule.Scopes.Without(to.ScopeNames()); len(unknown) > 0 {
		return authz.Invalid("token_exchange", rule.To+" does not have the scope "+unknown[0])
	}
	return nil
}
