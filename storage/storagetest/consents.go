package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testConsents(ctx context.Context, t *testing.T, s store) {
	addUserAndClient(ctx, t, s)
	must(t, s.InsertClient(ctx, newClient("mail")))
	must(t, s.InsertUser(ctx, newUser("zoe")))
	mail := &authz.Consent{UserID: "ann", ClientID: "mail", CreatedAt: noon(), UpdatedAt: noon()}
	for _, other := range []*authz.Consent{{UserID: "zoe", ClientID: "app", CreatedAt: noon(), UpdatedAt: noon()}, mail} {
		must(t, s.PutConsent(ctx, other))
		defer s.bystander(ctx, t, "consents", other.UserID+" client_id="+other.ClientID)()
	}
	_, err := s.Consent(ctx, "ann", "app")
	refused(t, "read before any answer", err, authz.ErrNotFound)

	first := &authz.Consent{
		UserID: "ann", ClientID: "app", Scopes: authz.Scopes{"openid"}, Declined: authz.Scopes{"email"},
		Resources: []string{"https://orders.example"}, CreatedAt: noon(), UpdatedAt: noon(),
	}
	must(t, s.InsertConsent(ctx, first))
	refused(t, "first answer twice", s.InsertConsent(ctx, first), authz.ErrConflict)
	got, err := s.Consent(ctx, "ann", "app")
	must(t, err)
	same(t, "consent", got, first)

	second := *first
	second.Scopes, second.Declined, second.Resources = authz.Scopes{"openid", "email"}, nil, nil
	second.CreatedAt, second.UpdatedAt = noon().Add(time.Hour), noon().Add(time.Hour)
	must(t, s.UpdateConsent(ctx, &second, first.UpdatedAt))
	refused(t, "update a stale one", s.UpdateConsent(ctx, first, first.UpdatedAt), authz.ErrStale)
	got, err = s.Consent(ctx, "ann", "app")
	must(t, err)
	second.CreatedAt = noon() // stays when it was first answered
	same(t, "updated consent", got, &second)

	first.UpdatedAt = noon().Add(2 * time.Hour)
	must(t, s.PutConsent(ctx, first))
	got, err = s.Consent(ctx, "ann", "app")
	must(t, err)
	same(t, "replaced consent", got, first)

	all, err := s.Consents(ctx, "ann")
	must(t, err)
	same(t, "all, the newest first", all, []*authz.Consent{first, mail})
	must(t, s.DeleteConsent(ctx, "ann", "app"))
	must(t, s.DeleteConsent(ctx, "ann", "app"))
	refused(t, "update a deleted one", s.UpdateConsent(ctx, &second, first.UpdatedAt), authz.ErrStale)
	all, err = s.Consents(ctx, "ann")
	must(t, err)
	same(t, "what is left", all, []*authz.Consent{mail})
}
