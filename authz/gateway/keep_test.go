package gateway_test

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func addr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s) // "" is no address
	return a
}

func from(f gateway.Facts, address netip.Addr) gateway.Facts {
	f.Address = address
	return f
}

func TestAnswerIsKeptForHalfOfTheTokensLife(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken()
	first := w.check(asking(token), gateway.Allow)
	w.clock.Advance(30*time.Second - 1)
	if v := w.check(asking(token), gateway.Allow); v.Token != first.Token {
		t.Error("signed anew before half of the life was over")
	}
	w.clock.Advance(1)
	statements, signatures := w.cost(func() {
		if v := w.check(asking(token), gateway.Allow); v.Token == first.Token {
			t.Error("used for more than half of its life")
		}
	})
	if statements != 1 || signatures != 1 {
		t.Errorf("%d statements and %d signatures, want one of each", statements, signatures)
	}
	w.clock.Advance(-time.Second)
	if statements, _ := w.cost(func() { w.check(asking(token), gateway.Allow) }); statements != 1 {
		t.Error("an answer from the future was given")
	}
}

func TestChangeIsHeardAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		facts  func(w *world) (f gateway.Facts, table, key string)
		change func(ctx context.Context, w *world, key string) error
		want   gateway.Outcome
	}{
		{"API token revoked", func(w *world) (gateway.Facts, string, string) {
			v, token := w.apiToken()
			return asking(token), "api_tokens", v.ID
		}, func(ctx context.Context, w *world, key string) error {
			return w.tokens.Revoke(ctx, w.alice.ID, key)
		}, gateway.Unauthenticated},
		{"owner of an API token disabled", func(w *world) (gateway.Facts, string, string) {
			_, token := w.apiToken()
			return asking(token), "users", w.alice.ID
		}, disableAlice, gateway.Unauthenticated},
		{"grant of an access token revoked", func(w *world) (gateway.Facts, string, string) {
			token, g := w.accessToken()
			return asking(token), "grants", g.ID
		}, func(ctx context.Context, w *world, key string) error {
			_, err := w.store.RevokeGrant(ctx, key, "app", authz.RevokedByUser, w.clock.Now())
			return err
		}, gateway.Unauthenticated},
		{"access token revoked", func(w *world) (gateway.Facts, string, string) {
			token, _ := w.accessToken()
			return asking(token), "revoked_tokens", w.claims(token)["jti"].(string)
		}, revokeToken, gateway.Unauthenticated},
		{"access token of a client revoked", func(w *world) (gateway.Facts, string, string) {
			token := w.clientToken()
			return asking(token), "revoked_tokens", w.claims(token)["jti"].(string)
		}, revokeToken, gateway.Unauthenticated},
		{"browser session ended", func(w *world) (gateway.Facts, string, string) {
			cookie, g := w.cookie()
			return browsing(cookie), "sessions", g.SessionID
		}, func(ctx context.Context, w *world, key string) error {
			return w.store.DeleteSession(ctx, key, w.alice.ID)
		}, gateway.SignIn},
		{"grant of a browser session revoked", func(w *world) (gateway.Facts, string, string) {
			cookie, g := w.cookie()
			return browsing(cookie), "grants", g.ID
		}, func(ctx context.Context, w *world, key string) error {
			_, err := w.store.RevokeGrant(ctx, key, gateway.ClientID(orders), authz.RevokedByUser, w.clock.Now())
			return err
		}, gateway.SignIn},
		{"client of a browser session disabled", func(w *world) (gateway.Facts, string, string) {
			cookie, _ := w.cookie()
			return browsing(cookie), "clients", gateway.ClientID(orders)
		}, disableClient, gateway.SignIn},
		{"client of an access token disabled", func(w *world) (gateway.Facts, string, string) {
			token, _ := w.accessToken()
			return asking(token), "clients", "app"
		}, disableClient, gateway.Unauthenticated},
		{"client that an exchanged token was made for disabled", func(w *world) (gateway.Facts, string, string) {
			return asking(w.exchangedToken()), "clients", "service"
		}, disableClient, gateway.Unauthenticated},
		{"client that acts in between disabled", func(w *world) (gateway.Facts, string, string) {
			return asking(w.exchangedToken()), "clients", "relay"
		}, disableClient, gateway.Unauthenticated},
		{"client of the grant behind an exchanged token disabled", func(w *world) (gateway.Facts, string, string) {
			return asking(w.exchangedToken()), "clients", "app"
		}, disableClient, gateway.Unauthenticated},
		{"person of a browser session disabled", func(w *world) (gateway.Facts, string, string) {
			cookie, _ := w.cookie()
			return browsing(cookie), "users", w.alice.ID
		}, disableAlice, gateway.SignIn},
		{"role taken away", func(w *world) (gateway.Facts, string, string) {
			_, token := w.apiToken()
			return asking(token, "orders:write"), "roles", authz.RoleDefault
		}, func(_ context.Context, w *world, _ string) error {
			w.roles = []authz.Role{{Scopes: authz.Scopes{"orders:read"}}}
			return nil
		}, gateway.Forbidden},
		{"all scopes taken from the API", func(w *world) (gateway.Facts, string, string) {
			_, token := w.apiToken()
			return asking(token), "apis", orders
		}, func(_ context.Context, w *world, _ string) error {
			w.apis = []*authz.API{{Identifier: orders, Scopes: []authz.APIScope{{Name: "orders:list"}}}}
			return nil
		}, gateway.Forbidden},
		{"scope taken from the API", func(w *world) (gateway.Facts, string, string) {
			_, token := w.apiToken()
			return asking(token), "apis", orders
		}, func(_ context.Context, w *world, _ string) error {
			w.apis = []*authz.API{{Identifier: orders, Scopes: []authz.APIScope{{Name: "orders:read"}}}}
			return nil
		}, gateway.Allow},
		{"API removed", func(w *world) (gateway.Facts, string, string) {
			_, token := w.apiToken()
			return asking(token), "apis", orders
		}, func(_ context.Context, w *world, _ string) error {
			w.apis = w.apis[1:]
			return nil
		}, gateway.Misconfigured},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, w *world) {
				t.Helper()
				f, table, key := c.facts(w)
				_, other := w.apiToken()
				first := w.check(f, gateway.Allow)
				w.check(asking(other), gateway.Allow)
				w.must(c.change(context.Background(), w, key))
				w.service.Changed(table, "another")
				w.service.Changed("status_entries", key)
				if table != "apis" && table != "roles" {
					if v := w.check(f, gateway.Allow); v.Token != first.Token {
						t.Error("a change of another row was taken for one of this")
					}
				}
				w.service.Changed(table, key)
				if v := w.check(f, c.want); c.want == gateway.Allow && v.Token == first.Token {
					t.Error("the token was not signed anew")
				}
				if table == "api_tokens" || table == "grants" || table == "sessions" {
					if statements, _ := w.cost(func() { w.check(asking(other), gateway.Allow) }); statements != 0 {
						t.Error("an answer that does not rest on the row was forgotten")
					}
				}
			})
		})
	}
}

func disableAlice(ctx context.Context, w *world, _ string) error {
	u := *w.alice
	u.DisabledAt = w.clock.Now()
	return w.store.UpdateUser(ctx, &u)
}

func disableClient(ctx context.Context, w *world, key string) error {
	c, err := w.store.Client(ctx, key)
	if err != nil {
		return err
	}
	c.DisabledAt = w.clock.Now()
	w.clients.Delete(key)
	return w.store.UpdateClient(ctx, c)
}

func revokeToken(ctx context.Context, w *world, key string) error {
	return w.store.RevokeToken(ctx, key, w.clock.Now(), w.clock.Now().Add(time.Hour))
}

func TestWhenAnythingMayHaveChangedEachAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		v, revoked := w.apiToken()
		_, kept := w.apiToken()
		cookie, _ := w.cookie()
		all := []gateway.Facts{asking(kept), browsing(cookie)}
		before := make([]string, len(all))
		for i, f := range all {
			before[i] = w.check(f, gateway.Allow).Token
		}
		w.check(asking(revoked), gateway.Allow)
		w.must(w.tokens.Revoke(context.Background(), w.alice.ID, v.ID))
		w.service.Changed("", "")
		for i, f := range all {
			statements, signatures := w.cost(func() {
				if got := w.check(f, gateway.Allow); got.Token != before[i] {
					t.Error("signed anew although nothing has changed")
				}
			})
			if statements != 1 || signatures != 0 {
				t.Errorf("%d statements and %d signatures, want 1 and none", statements, signatures)
			}
			if statements, _ := w.cost(func() { w.check(f, gateway.Allow) }); statements != 0 {
				t.Error("asked for again a second time")
			}
		}
		w.check(asking(revoked), gateway.Unauthenticated)

		w.roles = []authz.Role{{Scopes: authz.Scopes{"orders:read"}}}
		w.service.Changed("", "")
		got := w.check(asking(kept), gateway.Allow)
		if got.Token == before[0] || w.claims(got.Token)["scope"] != "orders:read" {
			t.Error("the token says what is right no more")
		}
		w.clock.Advance(30 * time.Second)
		if statements, _ := w.cost(func() { w.check(browsing(cookie), gateway.Allow) }); statements != 1 {
			t.Error("asking again made the answer live longer")
		}
	})
}

func TestSessionThatLivesLongerIsNotSignedAnew(t *testing.T) {
	t.Parallel()
	w := alone(t)
	cookie, g := w.cookie()
	before := w.check(browsing(cookie), gateway.Allow)
	now := w.clock.Now()
	w.must(w.store.TouchSession(context.Background(), g.SessionID, now, now.Add(time.Second), now.Add(13*time.Hour)))
	w.service.Changed("", "")
	if after := w.check(browsing(cookie), gateway.Allow); after.Token != before.Token {
		t.Error("signed anew because the session lives longer")
	}
}

func TestTokenThatEndsSoonerIsSignedAnew(t *testing.T) {
	t.Parallel()
	w := alone(t)
	v, token := w.apiToken()
	before := w.check(asking(token), gateway.Allow)
	now := w.clock.Now()
	w.must(w.store.ShortenAPIToken(context.Background(), v.ID, w.alice.ID, now, now.Add(10*time.Second)))
	w.service.Changed("", "")
	after := w.check(asking(token), gateway.Allow)
	if after.Token == before.Token || w.claims(after.Token)["exp"] != float64(now.Add(10*time.Second).Unix()) {
		t.Error("the short token outlives what it stands for")
	}
}

func TestChangeDuringALookupIsNotMissed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, table, key string }{
		{"of the row", "users", authz.PrefixUser + "alice"}, {"of roles", "roles", "clerk"}, {"of anything", "", ""},
		{"of a key", "signing_keys", "k1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := alone(t)
			_, token := w.apiToken()
			var once sync.Once
			w.during.Store(func() { once.Do(func() { w.service.Changed(c.table, c.key) }) })
			w.check(asking(token), gateway.Allow)
			if statements, _ := w.cost(func() { w.check(asking(token), gateway.Allow) }); statements != 1 {
				t.Errorf("%d statements: what was read before the change was kept", statements)
			}
			if statements, _ := w.cost(func() { w.check(asking(token), gateway.Allow) }); statements != 0 {
				t.Errorf("%d statements: the answer from after the change was not kept", statements)
			}
		})
	}
}

func TestNobodyIsAnsweredFromBeforeAChangeThatWasHeardOf(t *testing.T) {
	t.Parallel()
	w := alone(t)
	ctx := context.Background()
	v, token := w.apiToken()
	reading, goOn := make(chan struct{}), make(chan struct{})
	var lookups atomic.Int32
	w.during.Store(func() {
		if lookups.Add(1) == 1 {
			close(reading)
			<-goOn
		}
	})
	var group sync.WaitGroup
	group.Go(func() { _, _ = w.service.Check(ctx, asking(token)) }) // began before: either answer is right
	<-reading
	w.service.Changed("users", "somebody") // of which the first lookup is no part
	w.must(w.tokens.Revoke(ctx, w.alice.ID, v.ID))
	w.service.Changed("api_tokens", v.ID)
	w.check(asking(token), gateway.Unauthenticated)
	close(goOn)
	group.Wait()
	w.check(asking(token), gateway.Unauthenticated)
}

func TestLookupThatWasOvertakenIsNotKept(t *testing.T) {
	t.Parallel()
	w := alone(t)
	ctx := context.Background()
	v, token := w.apiToken()
	reading, goOn := make(chan struct{}), make(chan struct{})
	var lookups atomic.Int32
	w.during.Store(func() {
		if lookups.Add(1) == 1 {
			close(reading)
			<-goOn
		}
	})
	var group sync.WaitGroup
	group.Go(func() { _, _ = w.service.Check(ctx, asking(token)) })
	<-reading
	w.service.Changed("users", "somebody")
	w.check(asking(token), gateway.Allow) // overtakes the first
	w.must(w.tokens.Revoke(ctx, w.alice.ID, v.ID))
	w.service.Changed("api_tokens", v.ID)
	close(goOn)
	group.Wait()
	w.check(asking(token), gateway.Unauthenticated)
}

func TestManyAtOnceShareOneLookup(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		_, token := w.apiToken()
		statements, signatures := w.cost(func() {
			var group sync.WaitGroup
			for range 32 {
				group.Go(func() {
					if v, err := w.service.Check(context.Background(), asking(token)); v.Outcome != gateway.Allow {
						t.Errorf("%v, %v", v.Outcome, err)
					}
				})
			}
			group.Wait()
		})
		if statements != 1 || signatures != 1 {
			t.Errorf("%d statements and %d signatures, want one of each", statements, signatures)
		}
	})
}

func TestLookupGoesOnWhenTheFirstCallerGoesAway(t *testing.T) {
	t.Parallel()
	w := alone(t)
	_, token := w.apiToken()
	reading, goOn := make(chan struct{}), make(chan struct{})
	w.before.Store(func() { close(reading); <-goOn })
	ctx, leave := context.WithCancel(context.Background())
	first := make(chan gateway.Verdict)
	go func() {
		v, _ := w.service.Check(ctx, asking(token))
		first <- v
	}()
	<-reading
	leave()
	if v := <-first; v.Outcome != gateway.Unavailable {
		t.Errorf("who went away got %v", v.Outcome)
	}
	second := make(chan gateway.Verdict)
	go func() {
		v, _ := w.service.Check(context.Background(), asking(token))
		second <- v
	}()
	close(goOn)
	if v := <-second; v.Outcome != gateway.Allow {
		t.Errorf("who stayed got %v", v.Outcome)
	}
	if n := w.mints.Load(); n != 1 {
		t.Errorf("%d signatures, want 1", n)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	w := alone(t, func(c *gateway.Config) { c.Max = 2 })
	all := make([]string, 0, 3)
	for range 3 {
		_, token := w.apiToken()
		all = append(all, token)
	}
	looks := func(i int) int64 {
		n, _ := w.cost(func() { w.check(asking(all[i]), gateway.Allow) })
		return n
	}
	got := make([]int64, 0, 6)
	for _, i := range []int{0, 1, 0, 2, 0, 1} { // 2 makes 1 go, which was asked for longest ago
		got = append(got, looks(i))
	}
	if want := []int64{1, 1, 0, 1, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("statements %v, want %v", got, want)
	}
}

func TestNothingIsLeftOfWhatIsForgotten(t *testing.T) {
	t.Parallel()
	w := alone(t, func(c *gateway.Config) { c.Max = 2 })
	for range 6 {
		_, token := w.apiToken()
		cookie, _ := w.cookie()
		w.check(asking(token), gateway.Allow)
		w.check(browsing(cookie), gateway.Allow)
	}
	// The API and the person; the API token twice; the grant, the client and the session.
	if answers, rows := w.service.Kept(); answers != 2 || rows != 7 {
		t.Errorf("%d answers that rest on %d rows, want 2 on 7", answers, rows)
	}
	w.service.Changed("users", w.alice.ID)
	if answers, rows := w.service.Kept(); answers != 0 || rows != 0 {
		t.Errorf("%d answers that rest on %d rows are left", answers, rows)
	}
}

func TestAPIsAreReadOnceASecond(t *testing.T) {
	t.Parallel()
	ctx, reads := context.Background(), 0
	var apis []*authz.API
	var down error
	w := alone(t, func(c *gateway.Config) {
		c.APIs = func(context.Context) ([]*authz.API, error) { reads++; return apis, down }
	})
	apis = w.apis
	read := func() *gateway.Catalogue {
		t.Helper()
		c, err := w.service.Catalogue(ctx)
		w.must(err)
		return c
	}
	first := read()
	for range 5 {
		read()
	}
	if reads != 1 {
		t.Errorf("read %d times within a second", reads)
	}
	w.clock.Advance(time.Second)
	if read() != first || reads != 2 {
		t.Errorf("read %d times, and made anew although it is the same", reads)
	}
	w.clock.Advance(-500 * time.Millisecond)
	if read(); reads != 3 {
		t.Error("what was read in the future is believed")
	}
	w.clock.Advance(time.Second)
	down = errDown
	for range 5 {
		read()
	}
	if reads != 4 {
		t.Errorf("%d reads within a second of an outage, want 1", reads-3)
	}
}
