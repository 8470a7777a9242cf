package apitoken

import (
	"context"
	"net/netip"

	"github.com/signet-auth/signet/authz"
)

const maxAgent = 512 // bytes

// Used notes in memory that a token was used; Run writes it down. It never waits for the
// database.
func (s *Service) Used(id string, address netip.Addr, agent string) {
	if len(agent) > maxAgent {
		agent = agent[:maxAgent]
	}
	use := authz.TokenUse{TokenID: id, At: s.cfg.Now(), Agent: agent}
	if address.IsValid() {
		use.Address = address.Unmap().String()
	}
	s.uses.Note(id, use)
}

// Run writes down when tokens were used, each at most once a minute, until ctx ends; then it
// writes what is left and returns. The store must stay open until then.
func (s *Service) Run(ctx context.Context) { s.uses.Run(ctx) }

// WriteUses writes the uses of those tokens of which none was written within the last
// minute. Run calls it every few seconds.
func (s *Service) WriteUses(ctx context.Context) error { return s.uses.Flush(ctx) }
