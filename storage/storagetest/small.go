package storagetest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testInstance(ctx context.Context, t *testing.T, s store) {
	_, err := s.Instance(ctx, "key")
	refused(t, "read missing", err, authz.ErrNotFound)
	must(t, s.ClaimInstance(ctx, "key", []byte{0, 1, 0xff}, noon()))
	refused(t, "claim twice", s.ClaimInstance(ctx, "key", []byte("other"), noon()), authz.ErrConflict)
	got, err := s.Instance(ctx, "key")
	must(t, err)
	if !bytes.Equal(got, []byte{0, 1, 0xff}) {
		t.Errorf("value: %x", got)
	}
	must(t, s.ClaimInstance(ctx, "setup", []byte{}, noon()))
	got, err = s.Instance(ctx, "setup")
	must(t, err)
	same(t, "length of an empty value", len(got), 0)
}

func testRevokedTokens(ctx context.Context, t *testing.T, s store) {
	revoked := func(jti string, want bool) {
		t.Helper()
		got, err := s.TokenRevoked(ctx, jti)
		must(t, err)
		same(t, "revoked: "+jti, got, want)
	}
	revoked("a", false)
	must(t, s.RevokeToken(ctx, "a", noon(), noon().Add(time.Hour)))
	must(t, s.RevokeToken(ctx, "a", noon(), noon().Add(time.Minute)))
	revoked("a", true)
	revoked("A", false)
	n, err := s.Sweep(ctx, noon().Add(30*time.Minute)) // the first expiry stands
	must(t, err)
	same(t, "swept", n, int64(0))
}

func testReplays(ctx context.Context, t *testing.T, s store) {
	end := noon().Add(time.Minute)
	consume := func(kind, issuer, value string, now time.Time) error {
		return s.Consume(ctx, kind, issuer, hash(value), now, now.Add(time.Minute))
	}
	must(t, consume("assertion", "app", "a", noon()))
	refused(t, "again", consume("assertion", "app", "a", noon()), authz.ErrReplay)
	refused(t, "at its end", consume("assertion", "app", "a", end), authz.ErrReplay)
	must(t, consume("proof", "app", "a", noon()))
	must(t, consume("assertion", "mail", "a", noon()))
	must(t, consume("assertion", "app", "b", noon()))
	must(t, consume("assertion", "app", "a", end.Add(time.Microsecond)))
	refused(t, "again, after a new start", consume("assertion", "app", "a", end.Add(time.Minute)), authz.ErrReplay)
}
