package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// testSweep lays out a row that has ended and one that has not, in every table where rows
// end, and sweeps at the very end of the second: what ends now has not ended before now.
func testSweep(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	now := noon().Add(40 * 24 * time.Hour)
	past := map[string]time.Duration{"old": -time.Microsecond, "new": 0}
	for id, ago := range past {
		end, day := now.Add(ago), 24*time.Hour
		i := newInteraction(id, "app")
		i.ExpiresAt = end
		must(t, s.InsertInteraction(ctx, i))
		g := newGrant(id, "app", "ann")
		g.ExpiresAt = end.Add(-day)
		must(t, s.InsertGrant(ctx, g))
		v := newSession(id, "ann")
		v.ExpiresAt, v.IdleExpiresAt = end, now.Add(day)
		must(t, s.InsertSession(ctx, v))
		v = newSession("idle-"+id, "ann")
		v.ExpiresAt, v.IdleExpiresAt = now.Add(day), end
		must(t, s.InsertSession(ctx, v))
		v = newSession("both-"+id, "ann")
		v.ExpiresAt, v.IdleExpiresAt = end, end
		must(t, s.InsertSession(ctx, v))
		must(t, s.RevokeToken(ctx, id, noon(), end))
		must(t, s.Consume(ctx, "kind", "app", hash(id), noon(), end))
		must(t, s.InsertClientSecret(ctx, "app", authz.ClientSecret{ID: id, Hash: hash(id), CreatedAt: noon(), ExpiresAt: end}))
		token := newAPIToken(id, "ann")
		token.ExpiresAt = end.Add(-30 * day)
		must(t, s.InsertAPIToken(ctx, token))
		_, err := s.ClaimStatusIndex(ctx, int64(len(id+ago.String())), end.Add(-time.Hour))
		must(t, err)
	}
	must(t, s.InsertClientSecret(ctx, "app", authz.ClientSecret{ID: "for ever", Hash: hash("e"), CreatedAt: noon()}))
	_, err := s.ClaimStatusIndex(ctx, 99, time.Time{})
	must(t, err)

	n, err := s.Sweep(ctx, now)
	must(t, err)
	same(t, "rows swept", n, int64(10))
	for table, want := range map[string]int{
		"interactions": 1, "grants": 1, "sessions": 3, "revoked_tokens": 1, "replays": 1, "client_secrets": 2,
		"api_tokens": 1, "status_entries": 2, "users": 2, "clients": 1,
	} {
		same(t, "rows left in "+table, s.count(ctx, t, table), want)
	}
	for _, id := range []string{"new", "idle-new", "both-new"} {
		must(t, s.DeleteSession(ctx, id, "ann"))
	}
	n, err = s.Sweep(ctx, now)
	must(t, err)
	same(t, "rows swept again", n, int64(0))
}

// testSweepBatches has more rows that ended than three statements delete.
func testSweepBatches(ctx context.Context, t *testing.T, s store) {
	const ended, live = 3000, 5
	must(t, s.InTx(ctx, func(ctx context.Context) error {
		for i := range ended + live {
			end := noon()
			if i >= ended {
				end = noon().Add(time.Hour)
			}
			id := fmt.Sprint(i)
			if err := s.RevokeToken(ctx, id, noon(), end); err != nil {
				return err
			}
			if err := s.Consume(ctx, "kind", id, hash(id), noon(), end); err != nil {
				return err
			}
		}
		return nil
	}))
	n, err := s.Sweep(ctx, noon().Add(time.Minute))
	must(t, err)
	same(t, "rows swept", n, int64(2*ended))
	same(t, "revoked tokens left", s.count(ctx, t, "revoked_tokens"), live)
	same(t, "replays left", s.count(ctx, t, "replays"), live)
}
