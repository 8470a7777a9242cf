package gateway_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz/gateway"
)

func TestDuringAnOutageWhatIsKeptGoesOn(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, known := w.apiToken()
	_, unknown := w.apiToken()
	cookie, _ := w.cookie()
	first := w.check(asking(known), gateway.Allow)
	w.check(browsing(cookie), gateway.Allow)
	w.down.Store(true)
	for range 29 {
		w.clock.Advance(time.Second)
		w.service.Changed("", "") // what Watch says each second while the database is gone
		if v := w.check(asking(known), gateway.Allow); v.Token != first.Token {
			t.Fatal("another token during the outage")
		}
		w.check(browsing(cookie), gateway.Allow)
		w.check(asking(unknown), gateway.Unavailable)
	}
	w.check(asking(known, "orders:reed"), gateway.Misconfigured)
	w.check(gateway.Facts{Method: "POST", URL: parse(orders)}, gateway.Unauthenticated)
	w.clock.Advance(time.Second)
	w.check(asking(known), gateway.Unavailable)
	w.check(browsing(cookie), gateway.Unavailable)
	w.down.Store(false)
	w.clock.Advance(time.Second)
	w.check(asking(known), gateway.Allow)
	w.check(browsing(cookie), gateway.Allow)
	w.check(asking(unknown), gateway.Allow)
}

func TestKnownChangeCountsDuringAnOutage(t *testing.T) {
	t.Parallel()
	for _, change := range [][2]string{{"users", "usr_alice"}, {"roles", "clerk"}, {"apis", orders}} {
		w := alone(t)
		_, token := w.apiToken()
		w.check(asking(token), gateway.Allow)
		w.down.Store(true)
		w.service.Changed(change[0], change[1])
		w.check(asking(token), gateway.Unavailable)
	}
}

func TestChangeThatComesWithTheOutageCounts(t *testing.T) {
	t.Parallel()
	w := alone(t)
	v, token := w.apiToken()
	w.check(asking(token), gateway.Allow)
	w.service.Changed("", "")
	w.before.Store(func() {
		w.service.Changed("api_tokens", v.ID)
		w.down.Store(true)
	})
	w.check(asking(token), gateway.Unavailable)
}

func TestRevocationThatWasMissedIsFoundAfterTheOutage(t *testing.T) {
	t.Parallel()
	w := alone(t)
	v, token := w.apiToken()
	w.check(asking(token), gateway.Allow)
	w.down.Store(true)
	w.service.Changed("", "")
	w.check(asking(token), gateway.Allow)
	w.must(w.tokens.Revoke(context.Background(), w.alice.ID, v.ID)) // on another replica
	w.down.Store(false)
	w.clock.Advance(time.Second)
	w.check(asking(token), gateway.Unauthenticated)
}

func TestOutageIsNotPressedByEveryRequest(t *testing.T) {
	t.Parallel()
	w := alone(t)
	all := make([]string, 0, 10)
	for range 10 {
		_, token := w.apiToken()
		w.check(asking(token), gateway.Allow)
		all = append(all, token)
	}
	lookups := 0
	counted := alone(t, func(c *gateway.Config) {
		c.Tokens = refusing{w, func() { lookups++ }}
	})
	counted.tokens = w.tokens
	for _, token := range all {
		counted.check(asking(token), gateway.Allow)
	}
	w.down.Store(true)
	lookups = 0
	counted.service.Changed("", "")
	for range 5 {
		for _, token := range all {
			counted.check(asking(token), gateway.Allow)
		}
	}
	if lookups != 1 {
		t.Errorf("%d lookups within a second of an outage, want 1", lookups)
	}
	counted.clock.Advance(time.Second)
	counted.check(asking(all[0]), gateway.Allow)
	if lookups != 2 {
		t.Errorf("%d lookups a second later, want 2", lookups)
	}
}

// refusing counts the lookups of API tokens.
type refusing struct {
	*world
	count func()
}

func (r refusing) APIToken(ctx context.Context, token string) (*gateway.Identity, error) {
	r.count()
	return r.world.APIToken(ctx, token)
}

func TestAnswerThatIsKnownToBeWrongIsNotGivenForLackOfASignature(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken()
	w.check(asking(token), gateway.Allow)
	w.roles[0].Scopes = []string{"orders:read"}
	w.mute.Store(true)
	w.service.Changed("", "")
	w.check(asking(token), gateway.Unavailable)
	w.check(asking(token), gateway.Unavailable)
	w.mute.Store(false)
	if v := w.check(asking(token), gateway.Allow); w.claims(v.Token)["scope"] != "orders:read" {
		t.Error("the token is wider than it may be")
	}
}

func TestNothingPassesBeforeAPIsWereRead(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken()
	w.down.Store(true)
	w.check(asking(token), gateway.Unavailable)
	w.check(gateway.Facts{URL: parse(orders)}, gateway.Unavailable)
	w.down.Store(false)
	w.check(asking(token), gateway.Allow)
	w.down.Store(true)
	w.clock.Advance(61 * time.Second)
	w.check(gateway.Facts{URL: parse(orders)}, gateway.Unavailable)
}

func TestChecksAndChangesAtOnce(t *testing.T) {
	t.Parallel()
	w := alone(t, func(c *gateway.Config) { c.Max = 3 })
	facts := make([]gateway.Facts, 0, 10)
	for range 5 {
		_, token := w.apiToken()
		cookie, _ := w.cookie()
		facts = append(facts, asking(token), browsing(cookie))
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 60 {
				if v, err := w.service.Check(context.Background(), facts[(i*j)%len(facts)]); v.Outcome != gateway.Allow {
					t.Errorf("%v, %v", v.Outcome, err)
				}
			}
		})
	}
	for _, table := range []string{"", "users", "roles", "apis", "signing_keys", "grants"} {
		group.Go(func() {
			for range 60 {
				w.service.Changed(table, w.alice.ID)
			}
		})
	}
	group.Wait()
}
