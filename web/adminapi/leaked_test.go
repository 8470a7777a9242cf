package adminapi_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

const leaks = "/api/v1/leaked-tokens"

func report(t *testing.T, tokens ...string) string {
	t.Helper()
	text, err := json.Marshal(map[string][]string{"tokens": append([]string{}, tokens...)})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Who reports tokens does not learn which of them exist, and those that do end.
func TestALeakedTokenEndsAndTheReporterLearnsNothing(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	id, secret := w.makeToken(mine, newToken("n", orders, `["orders:read"]`, "2026-03-31T00:00:00Z", ""))
	_, other := w.makeToken(mine, newToken("m", orders, `["orders:read"]`, "2026-03-31T00:00:00Z", ""))
	wrongSum := secret[:len(secret)-1] + map[bool]string{true: "1", false: "0"}[secret[len(secret)-1] == '0']
	full := make([]string, 100)
	for i := range full {
		full[i] = secret
	}
	var answers []string
	for i, tokens := range [][]string{{}, {"x", ""}, {wrongSum}, {"\x00", strings.Repeat("sgp_", 100)}, {secret}, {secret}, full} {
		got := w.want(202, request{method: "POST", path: leaks, token: "-", body: report(t, tokens...), address: "198.51.100." + strconv.Itoa(i)})
		answers = append(answers, got.body+got.Header.Get("Content-Length"))
		if works := w.works(secret); works != (i < 4) {
			t.Errorf("after report %d the token works: %v", i, works)
		}
	}
	golden(t, "leaked-answer.json", indented(t, w.want(202, request{method: "POST", path: leaks, token: "bad", body: report(t), address: "198.51.100.99"})))
	for _, one := range answers {
		if one != answers[0] {
			t.Errorf("answers differ: %s and %s", answers[0], one)
		}
	}
	if !w.works(other) {
		t.Error("a token that nobody reported has ended")
	}
	if got := w.want(200, request{method: "GET", path: ownTokens + "/" + id, token: mine}).json(t); got["status"] != "leaked" {
		t.Errorf("its owner is told %v", got["status"])
	}
	if err := w.audit.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := w.store.Events(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	noted := 0
	for _, e := range events {
		if e.Kind == authz.EventAPITokenLeaked {
			noted++
			if e.Address != "198.51.100.4" || e.Detail["token"] != id {
				t.Errorf("noted %+v", e)
			}
		}
	}
	if noted != 1 {
		t.Errorf("noted %d times", noted)
	}
}

func TestAReportThatIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := make([]string, 101)
	for i, c := range []struct {
		status int
		body   string
	}{
		{422, `{}`}, {400, `{"tokens":null}`}, {400, `{"tokens":[null]}`}, {400, `{"tokens":[1]}`}, {400, `{"tokens":"x"}`},
		{400, `["x"]`}, {400, `{"tokens":[],"token":"x"}`}, {422, report(t, many...)}, {415, ""},
		{413, report(t, strings.Repeat("x", 64<<10))},
	} {
		w.want(c.status, request{method: "POST", path: leaks, token: "-", body: c.body, address: "198.51.100." + strconv.Itoa(i)})
	}
}

func TestReportsAreCountedByAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	send := func(status int, address string) response {
		t.Helper()
		return w.want(status, request{method: "POST", path: leaks, token: "-", body: report(t), address: address})
	}
	for range 3 {
		send(202, "192.0.2.1")
		send(202, "2001:db8::1")
	}
	if got := send(429, "192.0.2.1"); got.Header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
	}
	send(429, "2001:db8::ffff") // the same subscriber
	send(202, "2001:db8:0:1::1")
	send(202, "192.0.2.2")
	w.want(429, request{method: "POST", path: leaks, token: "-", body: "{", address: "192.0.2.1"}) // before it is read
	w.advance(time.Minute)
	send(202, "192.0.2.1")
}

// A report that could not be looked into is to be sent again.
func TestALostReportIsNotThankedFor(t *testing.T) {
	t.Parallel()
	w := withOrders(t)
	_, secret := w.makeToken(mine, newToken("n", orders, `["orders:read"]`, "2026-03-31T00:00:00Z", ""))
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.want(503, request{method: "POST", path: leaks, token: "-", body: report(t, secret)})
}
