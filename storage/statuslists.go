package storage

import (
	"context"
	"time"

	"github.com/signet-auth/signet/authz"
)

// ClaimStatusIndex takes a place in the status lists until it expires, and reports whether
// the place was free. The grant, API token or client that is written with it next owns it:
// from then on no other sets its bit. A client keeps it for good.
func (s *Store) ClaimStatusIndex(ctx context.Context, index int64, expires time.Time) (bool, error) {
	n, err := s.exec(ctx, "claim status index", `
		INSERT INTO status_entries (status_index, owner, expires_at, suspended) VALUES ($1, '', $2, FALSE)
		ON CONFLICT (status_index) DO NOTHING`, index, at(expires))
	return n == 1, err
}

// SetClientStatusIndex gives a client its place, unless it has one, and tells which it has.
func (s *Store) SetClientStatusIndex(ctx context.Context, clientID string, index int64) (int64, error) {
	return get(ctx, s, "set status index of client", scanNumber, `
		UPDATE clients SET status_index = CASE WHEN status_index = 0 THEN $2 ELSE status_index END
		 WHERE id = $1 RETURNING status_index`, clientID, index)
}

// RevokedStatusIndexes lists the set bits between two indexes, the upper one excluded.
func (s *Store) RevokedStatusIndexes(ctx context.Context, from, to int64) ([]int64, error) {
	return list(ctx, s, "list revoked status indexes", scanNumber, `
		SELECT status_index FROM status_entries
		 WHERE revoked_at IS NOT NULL AND status_index >= $1 AND status_index < $2`, from, to)
}

// StatusLists tells how many status lists have a place that is taken.
func (s *Store) StatusLists(ctx context.Context) (int64, error) {
	highest, err := get(ctx, s, "count status lists", scanNumber, `
		SELECT COALESCE(MAX(status_index), -1) FROM status_entries`)
	if err != nil || highest < 0 {
		return 0, err
	}
	return highest/authz.StatusListSize + 1, nil
}
