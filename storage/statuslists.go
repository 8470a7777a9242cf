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
		INSERT INTO status_entries (status_index, owner, client_id, expires_at) VALUES ($1, '', '', $2)
		ON CONFLICT (status_index) DO NOTHING`, index, at(expires))
	return n == 1, err
}

// SetClientStatusIndex gives a client its place, unless it has one, and tells which it has.
func (s *Store) SetClientStatusIndex(ctx context.Context, clientID string, index int64) (int64, error) {
	return get(ctx, s, "set status index of client", scanNumber, `
		UPDATE clients SET status_index = CASE WHEN status_index = 0 THEN $2 ELSE status_index END
		 WHERE id = $1 AND deleted_at IS NULL RETURNING status_index`, clientID, index)
}

// RevokedStatusIndexes lists the places between two indexes, the upper one excluded, whose
// bits are to be set, some of them twice: those of clients that are disabled, for as long as
// an access token may live that was made before, and those of what was revoked. These come
// last: what a client had that is being removed goes over from the ones to the others, and no
// place goes the other way. (One statement for both would be planned for a client and a range
// of no particular size, and read all places where no client is disabled at all.)
func (s *Store) RevokedStatusIndexes(ctx context.Context, from, to int64, now time.Time) ([]int64, error) {
	clients, err := s.disabledClients(ctx, now)
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, id := range clients {
		places, err := list(ctx, s, "list status indexes of client", scanNumber, `
			SELECT status_index FROM status_entries
			 WHERE client_id = $1 AND status_index >= $2 AND status_index < $3`, id, from, to)
		if err != nil {
			return nil, err
		}
		all = append(all, places...)
	}
	revoked, err := list(ctx, s, "list revoked status indexes", scanNumber, `
		SELECT status_index FROM status_entries
		 WHERE revoked_at IS NOT NULL AND status_index >= $1 AND status_index < $2`, from, to)
	return append(all, revoked...), err
}

// disabledClients gives the clients that are disabled, or deleted and not removed yet, for so
// short a time that an access token may live which was made before.
func (s *Store) disabledClients(ctx context.Context, now time.Time) ([]string, error) {
	return list(ctx, s, "list disabled clients", scanText, `
		SELECT id FROM clients WHERE disabled_at > $1`, at(now.Add(-tokenLife-skew)))
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
