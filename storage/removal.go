package storage

import (
	"context"
	"errors"
	"time"

	"github.com/signet-auth/signet/authz"
)

// atOnce is how many batches of each table a call takes along by itself. What is left then is
// the sweep's: no administrator waits for it, and no statement of it takes long.
const atOnce = 2

// DeleteClient forgets a client and all that hangs on it. A version other than 0 must be the
// row's; authz.ErrStale otherwise. One statement marks it as gone, which it is from then on
// for everybody, and so is all that was granted to it. What hangs on it goes in batches: of a
// client with few grants all of it now, of one with very many the rest with Sweep. Until then
// its id is not to be had. In a transaction it joins it.
func (s *Store) DeleteClient(ctx context.Context, id string, version int64, now time.Time) (authz.Removal, error) {
	err := s.InTx(ctx, func(ctx context.Context) error {
		n, err := s.exec(ctx, "delete client", `
			UPDATE clients SET deleted_at = $3, disabled_at = COALESCE(disabled_at, $3)
			 WHERE id = $1 AND (version = $2 OR $2 = 0) AND deleted_at IS NULL`, id, version, at(now))
		if err != nil {
			return err
		}
		if n == 0 {
			_, err := s.Client(ctx, id)
			return staleOr("delete client", err)
		}
		_, err = s.DisownAPIs(ctx, id, now)
		return err
	})
	if err != nil {
		return authz.Removal{}, err
	}
	removed, err := s.removeClient(ctx, id, atOnce, now)
	if s.transaction(ctx) == nil {
		err = nil // the client is gone all the same, and the sweep takes what is left
	}
	return removed, err
}

// removal is, table by table, what there may be very much of that hangs on a client. Each
// statement looks again whether the client was deleted: another may have its id by now. And
// each asks for a range in the order of an index: PostgreSQL takes all clients for equally
// popular, and would look for the last rows of this one through the whole table otherwise.
var removal = []string{
	`DELETE FROM grants WHERE id IN
		(SELECT id FROM grants WHERE client_id BETWEEN $1 AND $1
		    AND (SELECT deleted_at FROM clients WHERE clients.id = $1) IS NOT NULL
		  ORDER BY client_id LIMIT $2)`,
	`DELETE FROM consents WHERE (user_id, client_id) IN
		(SELECT user_id, client_id FROM consents WHERE client_id BETWEEN $1 AND $1
		    AND (SELECT deleted_at FROM clients WHERE clients.id = $1) IS NOT NULL
		  ORDER BY client_id LIMIT $2)`,
	`DELETE FROM interactions WHERE id IN
		(SELECT id FROM interactions WHERE client_id BETWEEN $1 AND $1
		    AND (SELECT deleted_at FROM clients WHERE clients.id = $1) IS NOT NULL
		  ORDER BY client_id LIMIT $2)`,
}

// removeClient removes what hangs on a client that was deleted, in at most so many batches of
// each table, or in as many as it takes: at last the row. What somebody adds to it at that
// moment goes with it.
func (s *Store) removeClient(ctx context.Context, id string, batches int, now time.Time) (removed authz.Removal, err error) {
	if removed.APITokens, err = s.revokeMadeBy(ctx, id, batches, now); err != nil {
		return removed, err
	}
	for table, statement := range removal {
		n, err := s.batches(ctx, batches, statement, id)
		if table == 0 {
			removed.Grants = n
		}
		if removed.Rows += n; err != nil {
			return removed, err
		}
	}
	if left, err := s.madeByLeft(ctx, id, now); err != nil || left {
		return removed, err
	}
	n, err := s.exec(ctx, "remove client", `
		DELETE FROM clients WHERE id = $1 AND deleted_at IS NOT NULL
		   AND NOT EXISTS (SELECT 1 FROM grants WHERE client_id = $1)
		   AND NOT EXISTS (SELECT 1 FROM consents WHERE client_id = $1)
		   AND NOT EXISTS (SELECT 1 FROM interactions WHERE client_id = $1)`, id)
	removed.Rows += n
	removed.Finished = n == 1
	return removed, err
}

// finish goes on with what calls have begun and left: it removes the clients that were
// deleted, and revokes what those have made that were disabled within a day. (What one made
// that was disabled before is good no more, and revoked before that is enabled again.)
// What goes wrong with one of them keeps none of the others.
func (s *Store) finish(ctx context.Context, now time.Time) (rows int64, err error) {
	disabled, err := s.disabledClients(ctx, now)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range disabled {
		_, err := s.revokeMadeBy(ctx, id, 0, now)
		failed = append(failed, err)
	}
	deleted, err := list(ctx, s, "list deleted clients", scanText, `
		SELECT id FROM clients WHERE deleted_at IS NOT NULL`)
	failed = append(failed, err)
	for _, id := range deleted {
		removed, err := s.removeClient(ctx, id, 0, now)
		rows += removed.Rows
		failed = append(failed, err)
	}
	return rows, errors.Join(failed...)
}
