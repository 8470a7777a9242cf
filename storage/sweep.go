package storage

import (
	"context"
	"errors"
	"time"
)

const (
	// sweepBatch bounds how many rows one statement of Sweep touches, so that none holds its
	// locks for long.
	sweepBatch = 1000

	// tokenLife is the longest that an access token lives.
	tokenLife = 24 * time.Hour
	// skew is how far the clocks of those who verify tokens may be apart.
	skew = time.Hour
)

// Sweep deletes what has expired before now, table by table in bounded batches, and tells
// how many rows went. Grants stay for a day longer, so that nothing issued from one
// outlives it. API tokens stay visible for 30 days. Places in the status lists become free
// when the last token that carries them has expired, of what was revoked a day after that.
// What is left of deleted clients goes as well, and the API tokens of disabled ones end.
// What Watch has read goes after an hour and is not counted.
func (s *Store) Sweep(ctx context.Context, now time.Time) (int64, error) {
	// What is revoked is refused by the server itself: no token carries the place after those
	// that were made already.
	_, err := s.batches(ctx, 0, `
		UPDATE status_entries SET expires_at = $1 WHERE status_index IN
			(SELECT status_index FROM status_entries
			  WHERE expires_at IS NULL AND revoked_at IS NOT NULL LIMIT $2)`, at(now.Add(tokenLife)))
	if err != nil {
		return 0, err
	}
	var total int64
	for _, step := range []struct {
		statement string
		before    time.Time
	}{
		// Before the grants, whose deletion would set the bits of places that have ended.
		{`DELETE FROM status_entries WHERE status_index IN
			(SELECT status_index FROM status_entries WHERE expires_at < $1 LIMIT $2)`, now.Add(-skew)},
		{`DELETE FROM interactions WHERE id IN
			(SELECT id FROM interactions WHERE expires_at < $1 LIMIT $2)`, now},
		{`DELETE FROM grants WHERE id IN
			(SELECT id FROM grants WHERE expires_at < $1 LIMIT $2)`, now.Add(-tokenLife)},
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
	} {
		n, err := s.batches(ctx, 0, step.statement, at(step.before))
		if total += n; err != nil {
			return total, err
		}
	}
	rows, err := s.finish(ctx, now)
	if s.engine.forgetChanges != nil {
		err = errors.Join(err, s.engine.forgetChanges(ctx, s))
	}
	return total + rows, err
}

// batches runs a statement batch by batch, at most so many times, or without a limit until
// nothing is left for it to do, and tells how many rows it touched. Its last parameter is the
// size of a batch. Another replica that touches the same rows may come to them in another
// order: the database then lets one of the two begin again.
func (s *Store) batches(ctx context.Context, most int, statement string, args ...any) (total int64, err error) {
	args = append(args, sweepBatch)
	for done, n := 0, int64(sweepBatch); n == sweepBatch && (most == 0 || done < most); done++ {
		n, err = s.exec(ctx, "sweep", statement, args...)
		switch {
		case err == nil:
			total += n
		case s.engine.isDeadlock(err):
			n = sweepBatch
		default:
			return total, err
		}
	}
	return total, nil
}
