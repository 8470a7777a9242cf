package verifier

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// refusal is an answer that keeps a request from its handler (RFC 6750 §3.1). code is empty for
// a request that simply has no token.
type refusal struct {
	status            int
	code, description string
	scope             string
}

// bearer takes the token out of the Authorization header, the only place looked at: tokens in
// URLs end up in logs (RFC 9700 §4.3.2).
func bearer(h http.Header) (token string, no *refusal) {
	values := h.Values("Authorization")
	if len(values) > 1 {
		return "", badRequest("more than one Authorization header")
	}
	if len(values) == 0 {
		return "", noToken()
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", noToken()
	}
	token = strings.Trim(token, " ")
	if !isToken68(token) {
		return "", badRequest("the Authorization header holds no bearer token")
	}
	return token, nil
}

// isToken68 is the b64token of RFC 6750 §2.1.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return notCompact(r) && !strings.ContainsRune("~+/", r)
	}) < 0
}

func noToken() *refusal {
	return &refusal{status: http.StatusUnauthorized, description: "an access token is required"}
}

func badRequest(why string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "invalid_request", description: why}
}

// refusalFor translates an error of Verify, the one place where that is done. What is not known
// to be the token's fault is never answered as if it were.
func refusalFor(err error) *refusal {
	why := "the access token is not valid"
	switch {
	case errors.Is(err, ErrUnavailable):
		return &refusal{
			status: http.StatusServiceUnavailable, code: "temporarily_unavailable",
			description: "the access token cannot be checked at the moment",
		}
	case errors.Is(err, ErrExpired):
		why = "the access token has expired"
	case errors.Is(err, ErrRevoked):
		why = "the access token is revoked"
	case errors.Is(err, ErrWrongAudience):
		why = "the access token is for another API"
	}
	return &refusal{status: http.StatusUnauthorized, code: "invalid_token", description: why}
}

// write answers the request. resourceMetadata is the parameter of RFC 9728 §5.1, or empty.
func (no *refusal) write(w http.ResponseWriter, resourceMetadata string) {
	h := w.Header()
	if no.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	} else {
		h.Set("WWW-Authenticate", no.challenge(resourceMetadata))
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", mediaJSON)
	w.WriteHeader(no.status)
	_ = json.NewEncoder(w).Encode(struct {
		Error       string `json:"error,omitempty"`
		Description string `json:"error_description"`
	}{no.code, no.description})
}

func (no *refusal) challenge(resourceMetadata string) string {
	var parameters []string
	add := func(name, value string) {
		if value != "" {
			parameters = append(parameters, name+"="+quote(value))
		}
	}
	add("error", no.code)
	if no.code != "" {
		add("error_description", no.description)
	}
	add("scope", no.scope)
	add("resource_metadata", resourceMetadata)
	return strings.TrimSpace("Bearer " + strings.Join(parameters, ", "))
}

// quote makes a quoted-string (RFC 9110 §5.6.4).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
