package adminapi

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Limiter says how often somebody may do something.
type Limiter interface {
	// Take spends one of the attempts of key; without one, it says when the next comes.
	Take(key string) (ok bool, retryAfter time.Duration)
}

// leakReport is what somebody has found in the open.
type leakReport struct {
	Tokens []string `json:"tokens"`
}

// thanks is the answer to every report: who sends one does not learn what was in it.
type thanks struct {
	Message string `json:"message"`
}

// reportLeak takes tokens from anybody who found them. Nobody needs to be known for that:
// who has a token could do worse with it.
func (a *API) reportLeak(c *call) (*reply, error) {
	if ok, wait := a.LeakReports.Take(neighbourhood(authz.OriginFrom(c.ctx()).Address)); !ok {
		return nil, tooMany(wait)
	}
	var in leakReport
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Tokens == nil {
		return nil, authz.Invalid("tokens", "must be the list of tokens that were found")
	}
	if err := a.APITokens.Leaked(c.ctx(), in.Tokens); err != nil {
		return nil, err
	}
	return &reply{status: http.StatusAccepted, body: thanks{
		Message: "Thank you. Those that are API tokens of this server do not work any more, and their owners are told.",
	}}, nil
}

// neighbourhood is what counts as one sender: an address, or of IPv6 the /64 that one
// subscriber has.
func neighbourhood(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Unmap().Is4() {
		return address
	}
	network, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}

// tooMany is RFC 6585 §4.
func tooMany(wait time.Duration) error {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	return &refusal{
		status: http.StatusTooManyRequests, code: "too_many_requests",
		detail: "There were too many requests from this address. Try again later: see Retry-After.",
		header: http.Header{"Retry-After": {strconv.Itoa(seconds)}},
	}
}
