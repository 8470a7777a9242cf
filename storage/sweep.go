package storage

import (
	"context"
	"time"
)

// sweepBatch bounds how many rows one statement of Sweep deletes, so that none holds its
// locks for long.
const sweepBatch = 1000

// Sweep deletes what has expired before now, table by table in bounded batches, and tells
// how many rows went. Grants stay for a day longer, so that nothing issued from one
// outlives it; so do places in the status lists. API tokens stay visible for 30 days. What
// Watch has read goes after an hour and is not counted.
func (s *Store) Sweep(ctx context.Context, now time.Time) (int64, error) {
	var total int64
	for _, step := range []struct {
		statement string
		before    time.Time
	}{
		{`DELETE FROM interactions WHERE id IN
			(SELECT id FROM interactions WHERE expires_at < $1 LIMIT $2)`, now},
		{`DELETE FROM grants WHERE id IN
			(SELECT id FROM grants WHERE expires_at < $1 LIMIT $2)`, now.Add(-24 * time.Hour)},
		{`DELETE FROM sessions WHERE id IN
			(SELECT id FROM sessions WHERE expires_at < $1 OR idle_expires_at < $1 LIMIT $2)`, now},
		{`DELETE FROM revoked_tokens WHERE jti IN
			(SELECT jti FROM revoked_tokens WHERE expires_at < $1 LIMIT $2)`, now},
		{`DELETE FROM replays WHERE (kind, issuer, jti_hash) IN
			(SELECT kind, issuer, jti_hash FROM replays WHERE expires_at < $1 LIMIT $2)`, now},
		{`DELETE FROM client_secrets WHERE id IN
			(SELECT id FROM client_secrets WHERE expires_at < $1 LIMIT $2)`, now},
		{`DELETE FROM api_tokens WHERE id IN
			(SELECT id FROM api_tokens WHERE expires_at < $1 LIMIT $2)`, now.Add(-30 * 24 * time.Hour)},
		{`DELETE FROM status_entries WHERE status_index IN
			(SELECT status_index FROM status_entries WHERE expires_at < $1 LIMIT $2)`, now.Add(-24 * time.Hour)},
	} {
		for n := int64(sweepBatch); n == sweepBatch; total += n {
			var err error
			if n, err = s.sweepOnce(ctx, step.statement, step.before); err != nil {
				return total, err
			}
		}
	}
	if s.engine.forgetChanges == nil {
		return total, nil
	}
	return total, s.engine.forgetChanges(ctx, s)
}

// sweepOnce deletes one batch. Another replica that sweeps the same rows may come to them in
// another order: the database then lets one of the two begin again.
func (s *Store) sweepOnce(ctx context.Context, statement string, before time.Time) (int64, error) {
	for {
		n, err := s.exec(ctx, "sweep", statement, at(before), sweepBatch)
		if err == nil || !s.engine.isDeadlock(err) {
			return n, err
		}
	}
}
