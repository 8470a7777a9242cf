package storagetest

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testInteractions(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertClient(ctx, newClient("app")))
	i := newInteraction("i", "app")
	i.Params = url.Values{"scope": {"openid email"}, "resource": {"a", "b"}, "state": {"\u00fc <>&"}}
	must(t, s.InsertInteraction(ctx, i))
	refused(t, "insert twice", s.InsertInteraction(ctx, i), authz.ErrConflict)
	read := func() *authz.Interaction {
		t.Helper()
		got, err := s.Interaction(ctx, i.ID, noon())
		must(t, err)
		return got
	}
	same(t, "interaction", read(), i)
	_, err := s.Interaction(ctx, "none", noon())
	refused(t, "read missing", err, authz.ErrNotFound)
	_, err = s.Interaction(ctx, i.ID, i.ExpiresAt)
	refused(t, "read at its end", err, authz.ErrNotFound)

	must(t, s.SetInteractionSession(ctx, i.ID, "ses"))
	d := authz.Decision{UserID: "ann", Allowed: true, Scopes: authz.Scopes{"openid"}, At: noon()}
	must(t, s.SetInteractionDecision(ctx, i.ID, d))
	i.SessionID, i.Decision = "ses", &d
	same(t, "with session and decision", read(), i)
	must(t, s.SetInteractionSession(ctx, i.ID, "ses2"))
	i.SessionID, i.Decision = "ses2", nil // it was the answer of whoever had the first session
	same(t, "with another session", read(), i)
	refused(t, "session of a missing one", s.SetInteractionSession(ctx, "none", "s"), authz.ErrNotFound)
	refused(t, "decision of a missing one", s.SetInteractionDecision(ctx, "none", d), authz.ErrNotFound)

	refused(t, "consume at its end", s.ConsumeInteraction(ctx, i.ID, i.ExpiresAt), authz.ErrNotFound)
	refused(t, "consume missing", s.ConsumeInteraction(ctx, "none", noon()), authz.ErrNotFound)
	must(t, s.ConsumeInteraction(ctx, i.ID, noon().Add(time.Second)))
	i.ConsumedAt = noon().Add(time.Second)
	same(t, "consumed", read(), i)
	refused(t, "consume twice", s.ConsumeInteraction(ctx, i.ID, noon()), authz.ErrNotFound)
	refused(t, "session of a consumed one", s.SetInteractionSession(ctx, i.ID, "s"), authz.ErrNotFound)
	refused(t, "decision of a consumed one", s.SetInteractionDecision(ctx, i.ID, d), authz.ErrNotFound)
	same(t, "after refusals", read(), i)
}
