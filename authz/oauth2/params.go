package oauth2

import (
	"mime"
	"net/http"
	"net/url"
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
			return invalidRequest("The parameter " + name + " was sent more than once.")
		}
		for _, one := range values {
			if len(one) > maxParamValue {
				return invalidRequest("The parameter " + name + " is too long.")
			}
			if !isText(one) {
				return invalidRequest("The parameter " + name + " is not text in UTF-8.")
			}
		}
		if len(values) == 1 && values[0] == "" {
			delete(v, name)
		}
	}
	return nil
}

// isText tells what can be stored and echoed as it was sent.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// synthetic is the request that fosite sees: parameters that are parsed already, and
// nothing else of what came from outside.
func synthetic(method string, v url.Values) *http.Request {
	return &http.Request{Method: method, URL: &url.URL{}, Header: http.Header{}, Form: v, PostForm: v}
}
