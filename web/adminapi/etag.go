package adminapi

import (
	"net/http"
	"strconv"
	"strings"
)

// etag is the strong validator of a version (RFC 9110 §8.8.3).
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// unchanged reports whether If-None-Match names the version (RFC 9110 §13.1.2).
func unchanged(r *http.Request, version int64) bool {
	for _, tag := range tags(r.Header.Values("If-None-Match")) {
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag(version) {
			return true
		}
	}
	return false
}

// mustMatch holds a change to what its sender has seen: If-Match has to be there
// (RFC 6585 §3) and to name the version (RFC 9110 §13.1.1). A weak validator names none.
func mustMatch(r *http.Request, version int64) error {
	given := r.Header.Values("If-Match")
	if len(given) == 0 {
		return &refusal{
			status: http.StatusPreconditionRequired, code: "precondition_required",
			detail: "Say which version you have seen: send its ETag as If-Match, or * for any.",
		}
	}
	for _, tag := range tags(given) {
		if tag == "*" || tag == etag(version) {
			return nil
		}
	}
	return stale()
}

func stale() *refusal {
	return &refusal{
		status: http.StatusPreconditionFailed, code: "precondition_failed",
		detail: "It was changed since you read it. Read it again and repeat the change.",
	}
}

// tags splits a list. Our own validators hold no commas, so that one inside of quotes
// belongs to a tag that matches nothing anyway.
func tags(values []string) []string {
	out := strings.Split(strings.Join(values, ","), ",")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}
