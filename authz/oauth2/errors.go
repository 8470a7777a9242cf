package oauth2

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// Error is what the protocol says to a client: a registered error code (RFC 6749 §5.2,
// §4.1.2.1; OpenID Connect Core §3.1.2.6; RFC 8707 §2) and a sentence for the programmer.
type Error struct {
	Code        string
	Description string
	Status      int
	cause       error
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

// Unwrap gives the cause, which is logged and never sent.
func (e *Error) Unwrap() error { return e.cause }

// ErrInvalidToken says that an access token is not good, for whatever reason.
var ErrInvalidToken = errors.New("invalid token")

func fail(code, description string) *Error {
	return &Error{Code: code, Description: description, Status: http.StatusBadRequest}
}

func invalidRequest(description string) *Error { return fail("invalid_request", description) }
func invalidGrant(description string) *Error   { return fail("invalid_grant", description) }
func invalidScope(description string) *Error   { return fail("invalid_scope", description) }
func invalidTarget(description string) *Error  { return fail("invalid_target", description) }

func invalidClient(description string) *Error {
	return &Error{Code: "invalid_client", Description: description, Status: http.StatusUnauthorized}
}

// unavailable is an outage: the client is told to come back, never that it was wrong.
func unavailable(cause error) *Error {
	return &Error{
		Code: "temporarily_unavailable", Description: "The server cannot answer right now. Try again in a moment.",
		Status: http.StatusServiceUnavailable, cause: cause,
	}
}

// retryAfter is what a 503 carries, in seconds.
const retryAfter = "5"

// notFoundOr turns the sentinel of storage into what the protocol says about it, and
// anything else into an outage.
func notFoundOr(err error, refusal *Error) error {
	if errors.Is(err, authz.ErrNotFound) {
		return refusal
	}
	return unavailable(err)
}

// translate makes an *Error of whatever came up. fosite's own errors keep their code if it
// is a registered one.
func translate(err error) *Error {
	if ours, ok := errors.AsType[*Error](err); ok {
		return ours
	}
	var theirs *fosite.RFC6749Error
	if errors.As(err, &theirs) && theirs.CodeField < http.StatusInternalServerError {
		return &Error{
			Code: registered(theirs.ErrorField), Description: describe(theirs),
			Status: theirs.CodeField, cause: err,
		}
	}
	return unavailable(err)
}

func describe(e *fosite.RFC6749Error) string {
	if e.HintField != "" {
		return e.HintField
	}
	return e.DescriptionField
}

// registered keeps the codes of the IANA OAuth Extensions Error registry, and gives
// invalid_request for the others that fosite has.
func registered(code string) string {
	switch code {
	case "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type",
		"invalid_scope", "invalid_client", "invalid_grant", "unsupported_grant_type",
		"request_not_supported", "request_uri_not_supported", "registration_not_supported",
		"login_required", "consent_required", "interaction_required", "invalid_target":
		return code
	}
	return "invalid_request"
}

// sayable keeps a description within the characters of RFC 6749 §5.2 and within 400 of
// them: it may quote what a client has sent.
func sayable(s string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, s)
	if len(clean) > 400 {
		clean = clean[:400]
	}
	return clean
}

// writeError is the one place that writes an OAuth error to a program (RFC 6749 §5.2).
func (p *Provider) writeError(w http.ResponseWriter, r *http.Request, err error) {
	e := translate(err)
	h := w.Header()
	switch e.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Basic realm="Signet"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	noteCause(r, e)
	writeJSON(w, e.Status, map[string]string{"error": e.Code, "error_description": sayable(e.Description)})
}

// writeBearerError answers a request whose access token is missing or not good
// (RFC 6750 §3).
func (p *Provider) writeBearerError(w http.ResponseWriter, r *http.Request, e *Error) {
	challenge := `Bearer realm="Signet"`
	if e.Code != "" {
		challenge += `, error="` + e.Code + `", error_description="` + sayable(e.Description) + `"`
	}
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	} else {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	noteCause(r, e)
	if e.Code == "" {
		w.WriteHeader(e.Status)
		return
	}
	writeJSON(w, e.Status, map[string]string{"error": e.Code, "error_description": sayable(e.Description)})
}

// noteCause hands an outage's cause to the log line of the request.
func noteCause(r *http.Request, e *Error) {
	if e.Status >= http.StatusInternalServerError && e.cause != nil {
		authz.NoteError(r.Context(), e.cause)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "encode answer", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
