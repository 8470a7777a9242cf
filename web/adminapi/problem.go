package adminapi

import (
	"errors"
	"maps"
	"net/http"

	"github.com/signet-auth/signet/authz"
)

// problem is the body of every error (RFC 9457 §3).
type problem struct {
	Type     string  `json:"type"`
	Title    string  `json:"title"`
	Status   int     `json:"status"`
	Detail   string  `json:"detail"`
	Code     string  `json:"code"`
	Instance string  `json:"instance,omitempty"` // the correlation id of the request
	Errors   []fault `json:"errors,omitempty"`
}

// fault says what is wrong with one part of a request: a JSON Pointer into the body
// (RFC 6901), or the name of a query parameter.
type fault struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Detail    string `json:"detail"`
}

// refusal is a reason not to do what a request asks for. Its texts are meant for whoever
// sent it.
type refusal struct {
	status int
	code   string
	detail string
	faults []fault
	header http.Header
	cause  error // for the log only
}

func (e *refusal) Error() string { return e.code + ": " + e.detail }
func (e *refusal) Unwrap() error { return e.cause }

const retryAfter = "5" // seconds

// translate says in HTTP what came up. What nobody has a word for is an outage: never a
// refusal, and never a success.
func translate(err error) *refusal {
	if ours, ok := errors.AsType[*refusal](err); ok {
		return ours
	}
	var invalid *authz.InvalidError
	switch {
	case errors.As(err, &invalid):
		return &refusal{
			status: http.StatusUnprocessableEntity, code: "invalid",
			detail: invalid.Error(),
			faults: []fault{{Pointer: "/" + invalid.Field, Detail: invalid.Reason}},
		}
	case errors.Is(err, authz.ErrNotFound):
		return &refusal{status: http.StatusNotFound, code: "not_found", detail: "There is no such thing, or not any more."}
	case errors.Is(err, authz.ErrConflict):
		return &refusal{status: http.StatusConflict, code: "conflict", detail: "The name is taken: choose another."}
	case errors.Is(err, authz.ErrStale):
		return stale()
	}
	return &refusal{
		status: http.StatusServiceUnavailable, code: "temporarily_unavailable", cause: err,
		detail: "The server cannot answer right now. Try again in a moment.",
		header: http.Header{"Retry-After": {retryAfter}},
	}
}

// fail answers with a problem and hands the cause to the log line.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	e := translate(err)
	if e.cause != nil {
		authz.NoteError(r.Context(), e.cause)
	}
	h := w.Header()
	maps.Copy(h, e.header)
	h.Set("Cache-Control", "no-store")
	writeJSON(w, r, e.status, "application/problem+json", problem{
		Type: "urn:signet:problem:" + e.code, Title: http.StatusText(e.status), Status: e.status,
		Detail: e.detail, Code: e.code, Instance: authz.OriginFrom(r.Context()).CorrelationID, Errors: e.faults,
	})
}

// renamed says of a field what it is called in the body.
func renamed(err error, from, to string) error {
	var invalid *authz.InvalidError
	if errors.As(err, &invalid) && invalid.Field == from {
		return authz.Invalid(to, invalid.Reason)
	}
	return err
}

// asParameter says that a field stands in the query.
func asParameter(err error) error {
	if invalid, ok := errors.AsType[*authz.InvalidError](err); ok {
		return badQuery(invalid.Field, invalid.Reason)
	}
	return err
}
