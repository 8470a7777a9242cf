package gateway_test

import (
	"context"
	"testing"

	"github.com/signet-auth/signet/authz/gateway"
)

// BenchmarkCheckCached is a check whose answer is kept: no SQL and no signature.
func BenchmarkCheckCached(b *testing.B) {
	w := alone(b)
	_, apiToken := w.apiToken()
	accessToken, _ := w.accessToken()
	cookie, _ := w.cookie()
	for _, c := range []struct {
		name  string
		facts gateway.Facts
	}{{"APIToken", asking(apiToken, "orders:read")}, {"AccessToken", asking(accessToken, "orders:read")}, {"Session", browsing(cookie)}} {
		b.Run(c.name, func(b *testing.B) {
			ctx := context.Background()
			w.check(c.facts, gateway.Allow)
			statements, signatures := w.cost(func() {
				b.ReportAllocs()
				for b.Loop() {
					if v, _ := w.service.Check(ctx, c.facts); v.Outcome != gateway.Allow {
						b.Fatal(v.Reason)
					}
				}
			})
			if statements != 0 || signatures != 0 {
				b.Errorf("%d statements and %d signatures", statements, signatures)
			}
		})
	}
}

// BenchmarkCheckUncached is a check that asks and signs, on an embedded database.
func BenchmarkCheckUncached(b *testing.B) {
	w := alone(b)
	v, apiToken := w.apiToken()
	accessToken, _ := w.accessToken()
	cookie, g := w.cookie()
	for _, c := range []struct {
		name       string
		facts      gateway.Facts
		table, key string
	}{
		{"APIToken", asking(apiToken), "api_tokens", v.ID},
		{"AccessToken", asking(accessToken), "clients", "app"},
		{"Session", browsing(cookie), "grants", g.ID},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx := context.Background()
			n := 0
			statements, signatures := w.cost(func() {
				b.ReportAllocs()
				for b.Loop() {
					w.service.Changed(c.table, c.key)
					if v, _ := w.service.Check(ctx, c.facts); v.Outcome != gateway.Allow {
						b.Fatal(v.Reason)
					}
					n++
				}
			})
			if statements != int64(n) || signatures != int64(n) {
				b.Errorf("%d statements and %d signatures for %d checks", statements, signatures, n)
			}
		})
	}
}

// BenchmarkCheckAskedAgain is a check whose answer is asked for again and still right: SQL
// and no signature.
func BenchmarkCheckAskedAgain(b *testing.B) {
	w := alone(b)
	_, token := w.apiToken()
	facts := asking(token)
	b.ReportAllocs()
	for b.Loop() {
		w.service.Changed("", "")
		if v, _ := w.service.Check(context.Background(), facts); v.Outcome != gateway.Allow {
			b.Fatal(v.Reason)
		}
	}
}

// BenchmarkChanged is a change of a row that nothing rests on, among a thousand answers.
func BenchmarkChanged(b *testing.B) {
	w := alone(b)
	for range 1000 {
		token := w.clientToken()
		w.check(asking(token), gateway.Allow)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.service.Changed("users", "usr_nobody")
	}
}
