package storage

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/signet-auth/signet/authz"
)

// timestamp is a TIMESTAMPTZ column: UTC and microseconds on both engines. The zero time
// is NULL.
type timestamp time.Time

// at makes a parameter of a time.
func at(t time.Time) timestamp { return timestamp(t) }

// Value gives the driver the time; SQLite's turns it into microseconds.
func (t timestamp) Value() (driver.Value, error) {
	if time.Time(t).IsZero() {
		return nil, nil
	}
	return time.Time(t).UTC().Truncate(time.Microsecond), nil
}

// Scan reads a time from PostgreSQL, microseconds from SQLite.
func (t *timestamp) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = timestamp{}
	case time.Time:
		*t = timestamp(v.UTC())
	case int64:
		*t = timestamp(time.UnixMicro(v).UTC())
	default:
		return fmt.Errorf("read time: unexpected %T", src)
	}
	return nil
}

// into makes the destination of a scan of a time.
func into(t *time.Time) *timestamp { return (*timestamp)(t) }

// jsonOf is a JSONB column that holds a T.
type jsonOf[T any] struct{ v *T }

// asJSON makes a parameter, or the destination of a scan, of a structure.
func asJSON[T any](v *T) jsonOf[T] { return jsonOf[T]{v} }

// Value writes the structure; an absent one is NULL.
func (j jsonOf[T]) Value() (driver.Value, error) {
	if j.v == nil {
		return nil, nil
	}
	b, err := json.Marshal(j.v)
	if err != nil {
		return nil, fmt.Errorf("write json: %w", err)
	}
	return string(b), nil
}

// Scan reads the structure; NULL leaves it as it was.
func (j jsonOf[T]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(v, j.v)
	case string:
		return json.Unmarshal([]byte(v), j.v)
	}
	return fmt.Errorf("read json: unexpected %T", src)
}

// scopes is a TEXT column of space separated scopes.
type scopes struct{ v *authz.Scopes }

// Scan reads the set.
func (c scopes) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*c.v = authz.ParseScopes(v)
	case []byte:
		*c.v = authz.ParseScopes(string(v))
	default:
		return fmt.Errorf("read scopes: unexpected %T", src)
	}
	return nil
}
