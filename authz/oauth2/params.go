package oauth2

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// What a request may carry at most. Real ones carry a tenth.
const (
	maxParams     = 64
	maxParamValue = 16 << 10
	maxBody       = 64 << 10
)

// repeatable are the parameters that may be sent more than once: RFC 8707 §2 and
// RFC 8693 §2.1. Any other repetition is an error (RFC 6749 §3.1, §3.2).
var repeatable = map[string]bool{"resource": true, "audience": true}

// bodyParams reads the parameters of a POST. The query is ignored: nothing that a form
// carries belongs in a URL.
func bodyParams(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return nil, &Error{Code: "invalid_request", Description: "Use POST.", Status: http.StatusMethodNotAllowed}
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("The body must be application/x-www-form-urlencoded.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return nil, invalidRequest("The body could not be read as a form of at most 64 KiB.")
	}
	return r.PostForm, strict(r.PostForm)
}

// queryParams reads the parameters of a GET.
func queryParams(r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > maxBody {
		return nil, invalidRequest("The query is longer than 64 KiB.")
	}
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalidRequest("The query could not be read.")
	}
	return v, strict(v)
}

// strict refuses repetitions, what is too long and what is no text, and drops parameters
// without a value, which count as not sent (RFC 6749 §3.1, §3.2).
func strict(v url.Values) error {
	if len(v) > maxParams {
		return invalidRequest("There are too many parameters.")
	}
	for name, values := range v {
		if len(values) > 1 && !repeatable[name] || len(values) > maxParams {
			return invalidRequest(called(name) + " was sent more than once.")
		}
		for _, one := range values {
			if len(one) > maxParamValue {
				return invalidRequest(called(name) + " is too long.")
			}
			if !isText(one) {
				return invalidRequest(called(name) + " is not text in UTF-8.")
			}
		}
		if len(values) == 1 && values[0] == "" {
			delete(v, name)
		}
	}
	return nil
}

// called names a parameter that we know. Any other name is a stranger's sentence, which has
// no place on our page.
func called(name string) string {
	if slices.Contains(authorizeNames, name) || slices.Contains(otherNames, name) {
		return "The parameter " + name
	}
	return "A parameter"
}

// authorizeNames are the parameters of an authorization request that are read here.
var authorizeNames = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "resource", "state", "nonce",
	"code_challenge", "code_challenge_method", "prompt", "max_age", "claims", "id_token_hint", "login_hint",
}

// otherNames are those of the other endpoints.
var otherNames = []string{
	"grant_type", "code", "code_verifier", "refresh_token", "client_secret", "client_assertion", "client_assertion_type",
	"subject_token", "subject_token_type", "requested_token_type", "actor_token", "actor_token_type", "audience",
	"token", "token_type_hint", "access_token", "request", "request_uri", "registration", "ui_locales", "acr_values", interactionParam,
}

// isText tells what can be stored and echoed as it was sent.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// synthetic is the request that fosite sees: parameters that are parsed already, and
// nothing else of what came from outside.
func synthetic(method string, v url.Values) *http.Request {
	return &http.Request{Method: method, URL: &url.URL{}, Header: http.Header{}, Form: v, PostForm: v}
}
