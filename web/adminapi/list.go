package adminapi

import (
	"net/http"
	"strconv"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// page is one part of a list. Next, if there is more, is the after of the following part.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// window reads ?limit=&after=.
func (c *call) window() (after string, limit int, err error) {
	limit = defaultLimit
	for name, values := range c.r.URL.Query() {
		switch {
		case len(values) > 1:
			return "", 0, badQuery(name, "comes more than once")
		case name == "after":
			after = values[0]
		case name == "limit":
			if limit, err = strconv.Atoi(values[0]); err != nil || limit < 1 || limit > maxLimit {
				return "", 0, badQuery(name, "must be a number from 1 to 200")
			}
		default:
			return "", 0, badQuery(name, "is not known here")
		}
	}
	return after, limit, nil
}

func badQuery(name, why string) error {
	return &refusal{
		status: http.StatusBadRequest, code: "malformed", detail: "The query is not what this address takes: see errors.",
		faults: []fault{{Parameter: name, Detail: why}},
	}
}

// part makes a page of one more item than it may have, if there are as many.
func part[T, D any](found []T, limit int, show func(T) D, key func(T) string) page[D] {
	out := page[D]{Items: make([]D, 0, len(found))}
	if len(found) > limit {
		found = found[:limit]
		out.Next = key(found[limit-1])
	}
	for _, one := range found {
		out.Items = append(out.Items, show(one))
	}
	return out
}
