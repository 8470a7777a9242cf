package storage

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

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

// jsonOf is a JSONB column that holds a T: an object, a list, or null.
type jsonOf[T any] struct{ v *T }

// asJSON makes a parameter, or the destination of a scan, of a structure.
func asJSON[T any](v *T) jsonOf[T] { return jsonOf[T]{v} }

var jsonNull = []byte("null")

// Value writes the structure; an absent one is NULL. A bare number or string is refused:
// SQLite would make of it what its column type says.
func (j jsonOf[T]) Value() (driver.Value, error) {
	if j.v == nil {
		return nil, nil
	}
	if raw, ok := any(j.v).(*json.RawMessage); ok && len(*raw) == 0 {
		return string(jsonNull), nil
	}
	b, err := json.Marshal(j.v)
	if err != nil {
		return nil, fmt.Errorf("write json: %w", err)
	}
	structured := b[0] == '{' || b[0] == '[' || bytes.Equal(b, jsonNull)
	if !structured || !utf8.Valid(b) || holdsNUL(b) {
		return nil, fmt.Errorf("write json: %w", errUnstorable)
	}
	return string(b), nil
}

// Scan reads the structure; NULL and null leave it as it was.
func (j jsonOf[T]) Scan(src any) error {
	var text []byte
	switch v := src.(type) {
	case nil:
		return nil
	case []byte:
		text = v
	case string:
		text = []byte(v)
	default:
		return fmt.Errorf("read json: unexpected %T", src)
	}
	if bytes.Equal(text, jsonNull) {
		return nil
	}
	return json.Unmarshal(text, j.v)
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

// errUnstorable is what a stranger gets for bytes that PostgreSQL has no place for. SQLite
// would take them, and then two installations would differ in what they accept.
var errUnstorable = authz.Invalid("value", "holds characters that cannot be stored")

// storable refuses text that is not UTF-8 or holds a NUL.
func storable(args []any) error {
	for _, arg := range args {
		if s, ok := arg.(string); ok && (!utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0) {
			return errUnstorable
		}
	}
	return nil
}

// holdsNUL reports whether JSON text has an escaped NUL in one of its strings.
func holdsNUL(text []byte) bool {
	escape := []byte(`\u0000`)
	for {
		i := bytes.Index(text, escape)
		if i < 0 {
			return false
		}
		backslashes := len(text[:i+1]) - len(bytes.TrimRight(text[:i+1], `\`))
		if backslashes%2 == 1 {
			return true
		}
		text = text[i+len(escape):]
	}
}

// plain makes text that only describes fit to be stored: a browser that names itself in
// Latin-1 must be able to log in, and what it did must reach the audit log.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
