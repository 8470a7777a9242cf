package authz

import "errors"

// What storage and the deciders say to each other. Anything else that comes back from
// storage is an outage, and is shown to nobody as a refusal.
var (
	// ErrNotFound means that no such row exists, or none that meets the condition.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that a unique name is taken already.
	ErrConflict = errors.New("already exists")
	// ErrStale means that the row was changed by somebody else since it was read.
	ErrStale = errors.New("changed by somebody else since it was read")
	// ErrReplay means that a value that may be used once was seen before.
	ErrReplay = errors.New("used before")
)

// InvalidError says which field of a noun is wrong and why. Its text is meant for the
// person or program that sent the value: it names no internals.
type InvalidError struct {
	Field  string
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// Invalid makes an *InvalidError.
func Invalid(field, reason string) error { return &InvalidError{Field: field, Reason: reason} }
