// Package audit records what happened: one log line at once, and one row soon after. The
// deciders say what is worth recording; this package fills in who, when and from where,
// takes out what must not be written, and never makes a request wait for the database.
//
// When the database cannot take rows, they wait in memory. Ordinary events (somebody signed
// in or out, mistyped, answered a consent page; a client failed to authenticate) wait up to
// Config.Buffer of all events; security events, and every kind that is not named ordinary,
// wait in a reserve of sixteen times as much. What finds no room has its log line but no
// row, and is counted in Dropped.
package audit
