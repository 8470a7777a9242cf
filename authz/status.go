package authz

import "strconv"

// StatusListSize is the number of entries of one status list: 128 KiB of bits, which
// compress to next to nothing while few are set.
const StatusListSize = 1 << 20

// Status is the place of a grant, an API token or a client in the published status lists
// (draft-ietf-oauth-status-list §6.2), as its tokens carry it.
type Status struct {
	List StatusList `json:"status_list"`
}

// StatusList names a bit of a list.
type StatusList struct {
	Index int64  `json:"idx"`
	URI   string `json:"uri"`
}

// StatusAt gives the place that a status index stands for; nil for 0, which is no place.
func StatusAt(issuer string, index int64) *Status {
	if index <= 0 {
		return nil
	}
	return &Status{List: StatusList{Index: index % StatusListSize, URI: StatusListURI(issuer, index/StatusListSize)}}
}

// StatusListURI is where a list is published.
func StatusListURI(issuer string, list int64) string {
	return issuer + "/status-lists/" + strconv.FormatInt(list, 10)
}
