package storage

import (
	"context"

	"github.com/signet-auth/signet/authz"
)

const eventColumns = `id, at, kind, actor, user_id, client_id, grant_id, address, user_agent,
	correlation_id, detail`

// InsertEvents remembers events, all or none.
func (s *Store) InsertEvents(ctx context.Context, events []authz.Event) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		for i := range events {
			if err := s.insertEvent(ctx, &events[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) insertEvent(ctx context.Context, e *authz.Event) error {
	detail := make(map[string]string, len(e.Detail))
	for k, v := range e.Detail {
		detail[plain(k)] = plain(v)
	}
	_, err := s.exec(ctx, "insert event", `
		INSERT INTO events (id, at, kind, actor, user_id, client_id, grant_id, address, user_agent,
			correlation_id, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING`,
		e.ID, at(e.At), e.Kind, plain(e.Actor), plain(e.UserID), plain(e.ClientID), plain(e.GrantID),
		plain(e.Address), plain(e.UserAgent), plain(e.CorrelationID), asJSON(&detail))
	return err
}

// Events lists the newest events, of one person or, without one, of all.
//
// Two statements, because one that serves both could not use the index of the person's.
func (s *Store) Events(ctx context.Context, userID string, limit int) ([]authz.Event, error) {
	scan := func(row scanner) (authz.Event, error) {
		var e authz.Event
		err := row.Scan(&e.ID, into(&e.At), &e.Kind, &e.Actor, &e.UserID, &e.ClientID, &e.GrantID,
			&e.Address, &e.UserAgent, &e.CorrelationID, asJSON(&e.Detail))
		return e, err
	}
	if userID == "" {
		return list(ctx, s, "list events", scan, `
			SELECT `+eventColumns+` FROM events ORDER BY at DESC, id LIMIT $1`, limit)
	}
	return list(ctx, s, "list events of user", scan, `
		SELECT `+eventColumns+` FROM events WHERE user_id = $1 ORDER BY at DESC, id LIMIT $2`, userID, limit)
}
