package statuslist

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/revocation"
	"github.com/signet-auth/signet/web/answer"
)

// question is what a caller asks for.
type question struct {
	list int64
	wait time.Duration
	etag []string // those the caller has, without W/
	gzip bool
}

var errWait = errors.New("the wait is no number of seconds")

func parse(r *http.Request) (question, error) {
	q := question{etag: entityTags(r.Header), gzip: takesGzip(r.Header)}
	digits := strings.TrimPrefix(r.URL.Path, Path)
	list, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || strconv.FormatInt(list, 10) != digits { // one list has one address
		return q, authz.ErrNotFound
	}
	q.list = list
	if wait := r.URL.Query().Get("wait"); wait != "" {
		seconds, err := strconv.ParseUint(wait, 10, 31)
		if err != nil {
			return q, errWait
		}
		q.wait = min(time.Duration(seconds)*time.Second, revocation.MaxWait)
	}
	return q, nil
}

// entityTags reads If-None-Match, which compares weakly (RFC 9110 §13.1.2). No tag of ours
// has a comma in it, so a list can be cut there.
func entityTags(h http.Header) []string {
	var out []string
	for _, line := range h.Values("If-None-Match") {
		for one := range strings.SplitSeq(line, ",") {
			out = append(out, strings.TrimPrefix(strings.TrimSpace(one), "W/"))
		}
	}
	return out
}

// takesGzip reads Accept-Encoding (RFC 9110 §12.5.3): only who names gzip gets it.
func takesGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(line, ",") {
			coding, weight, weighed := strings.Cut(one, ";")
			if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				continue
			}
			_, q, _ := strings.Cut(weight, "=")
			value, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return !weighed || err == nil && value > 0
		}
	}
	return false
}

func (q question) has(etag string) bool {
	for _, one := range q.etag {
		if one == etag || one == "*" {
			return true
		}
	}
	return false
}

// refuse says why there is no list.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	t := answer.Outage(err)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		t = answer.Trouble{Status: http.StatusNotFound, Code: "not_found", Reason: "There is no such status list."}
	case errors.Is(err, errWait):
		t = answer.Trouble{Status: http.StatusBadRequest, Code: "invalid_request", Reason: "The wait must be a whole number of seconds."}
	}
	h.cfg.Answers.Problem(w, r, t)
}
