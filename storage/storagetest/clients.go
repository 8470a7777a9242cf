package storagetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testClients(ctx context.Context, t *testing.T, s store) {
	full := newClient("b")
	full.Metadata = authz.ClientMetadata{
		Name: "Kalender \u00fc", Type: authz.ClientWeb, RedirectURIs: []string{"https://app.example/cb"},
		GrantTypes: []string{authz.GrantAuthorizationCode}, AuthMethod: authz.AuthPrivateKeyJWT,
		JWKS: json.RawMessage(`{"keys":[]}`), Scope: authz.Scopes{"openid", "email"}, RequirePKCE: true,
		TokenExchange:   []authz.ExchangeRule{{From: "a", To: "b", Scopes: authz.Scopes{"x"}}},
		RefreshLifetime: 3600,
	}
	full.StatusIndex = 9
	full.Secrets = []authz.ClientSecret{
		{ID: "s1", Hash: hash("one"), CreatedAt: noon()},
		{ID: "s2", Hash: hash("two"), CreatedAt: noon().Add(time.Second), ExpiresAt: noon().Add(time.Hour)},
	}
	plain := newClient("a")
	must(t, s.InsertClient(ctx, full))
	must(t, s.InsertClient(ctx, plain))
	refused(t, "insert taken id", s.InsertClient(ctx, plain), authz.ErrConflict)
	half := newClient("c")
	half.Secrets = []authz.ClientSecret{{ID: "s3", Hash: hash("three"), CreatedAt: noon()}, full.Secrets[0]}
	refused(t, "insert with a taken secret id", s.InsertClient(ctx, half), authz.ErrConflict)
	_, err := s.Client(ctx, half.ID)
	refused(t, "read what was refused half-way", err, authz.ErrNotFound)

	got, err := s.Client(ctx, full.ID)
	must(t, err)
	got.Metadata.JWKS = compact(t, got.Metadata.JWKS)
	same(t, "client", got, full)
	page, err := s.Clients(ctx, "", 1)
	must(t, err)
	same(t, "first page", page, []*authz.Client{plain})
	page, err = s.Clients(ctx, "a", 5)
	must(t, err)
	if len(page) != 1 || page[0].ID != "b" || page[0].Secrets != nil {
		t.Errorf("next page: %+v", page)
	}
	defer s.bystander(ctx, t, "clients", plain.ID)()
	testClientUpdates(ctx, t, s, got)
	_, err = s.DeleteClient(ctx, full.ID, 2, noon())
	refused(t, "delete a stale one", err, authz.ErrStale)
	_, err = s.DeleteClient(ctx, full.ID, 3, noon())
	must(t, err)
	_, err = s.DeleteClient(ctx, full.ID, 3, noon())
	refused(t, "delete twice", err, authz.ErrNotFound)
	_, err = s.DeleteClient(ctx, full.ID, 0, noon())
	refused(t, "delete any version twice", err, authz.ErrNotFound)
}

func testClientUpdates(ctx context.Context, t *testing.T, s store, c *authz.Client) {
	t.Helper()
	stale := *c
	c.Metadata.Name, c.DisabledAt, c.UpdatedAt = "Calendar", noon(), noon().Add(time.Second)
	must(t, s.UpdateClient(ctx, c))
	got, err := s.Client(ctx, c.ID)
	must(t, err)
	got.Metadata.JWKS = compact(t, got.Metadata.JWKS)
	same(t, "updated client", got, c)
	if got.Version != 2 || !got.Disabled() {
		t.Errorf("version %d, disabled: %t", got.Version, got.Disabled())
	}
	refused(t, "update a stale one", s.UpdateClient(ctx, &stale), authz.ErrStale)
	stale.ID = "none"
	refused(t, "update missing", s.UpdateClient(ctx, &stale), authz.ErrNotFound)
	c.DisabledAt = time.Time{}
	must(t, s.UpdateClient(ctx, c))
	got, err = s.Client(ctx, c.ID)
	must(t, err)
	if got.Disabled() || got.Version != 3 {
		t.Errorf("enabled again: %+v", got)
	}
}

func testClientSecrets(ctx context.Context, t *testing.T, s store) {
	must(t, s.InsertClient(ctx, newClient("app")))
	must(t, s.InsertClient(ctx, newClient("other")))
	soon, late := noon().Add(time.Hour), noon().Add(24*time.Hour)
	for i, v := range []authz.ClientSecret{
		{ID: "never", Hash: hash("1")}, {ID: "soon", Hash: hash("2"), ExpiresAt: soon},
		{ID: "late", Hash: hash("3"), ExpiresAt: late}, {ID: "kept", Hash: hash("4")},
	} {
		v.CreatedAt = noon().Add(time.Duration(i) * time.Second)
		must(t, s.InsertClientSecret(ctx, "app", v))
	}
	must(t, s.InsertClientSecret(ctx, "other", authz.ClientSecret{ID: "others", Hash: hash("5"), CreatedAt: noon()}))
	until := noon().Add(2 * time.Hour)
	must(t, s.ExpireClientSecrets(ctx, "app", "kept", until))
	c, err := s.Client(ctx, "app")
	must(t, err)
	want := []struct {
		id  string
		end time.Time
	}{{"never", until}, {"soon", soon}, {"late", until}, {"kept", time.Time{}}}
	if len(c.Secrets) != len(want) {
		t.Fatalf("secrets: %+v", c.Secrets)
	}
	for i, w := range want {
		if got := c.Secrets[i]; got.ID != w.id || !got.ExpiresAt.Equal(w.end) {
			t.Errorf("secret %d: %s until %v, want %s until %v", i, got.ID, got.ExpiresAt, w.id, w.end)
		}
	}
	other, err := s.Client(ctx, "other")
	must(t, err)
	if !other.Secrets[0].ExpiresAt.IsZero() {
		t.Error("the secret of another client was shortened too")
	}
}

// compact writes JSON as encoding/json does: PostgreSQL gives it back with other spaces.
func compact(t *testing.T, raw json.RawMessage) json.RawMessage {
	t.Helper()
	var v any
	must(t, json.Unmarshal(raw, &v))
	out, err := json.Marshal(v)
	must(t, err)
	return out
}
