// Package storage remembers. One Store serves PostgreSQL and embedded SQLite with one set
// of statements; what differs stands in the engine struct and nowhere else.
//
// The rules of a statement that runs on both engines, held by a test of this package:
//
//  1. Placeholders are $1, $2, …, and a statement is a raw string at the place of its use.
//  2. The database never tells the time: now is a parameter.
//  3. RETURNING, ON CONFLICT, common table expressions and row values are fine.
//  4. What may happen once is one conditional UPDATE, INSERT or DELETE whose row count is
//     looked at. Never FOR UPDATE, never a read that a later write relies on.
//  5. A condition on a boolean is "AND active", never "AND active = TRUE".
//  6. Identifiers and enumerations are TEXT NOT NULL.
//  7. Times are TIMESTAMPTZ through the timestamp type: UTC, microseconds.
//  8. Lists and structures are JSONB through jsonOf, and SQL never looks into them.
//  9. Case-insensitive means that the folded form has a column of its own.
//  10. No casts, no database functions for time, no sequences, no arrays.
package storage
