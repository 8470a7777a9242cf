package consent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/authztest"
	"github.com/signet-auth/signet/authz/consent"
	"github.com/signet-auth/signet/storage"
	"github.com/signet-auth/signet/storage/storagetest"
)

// world is a consent service on a real store, with alice, bob and two apps.
type world struct {
	*consent.Service
	store  *storage.Store
	clock  authztest.Clock
	events authztest.Events
}

// clients looks clients up in the store.
type clients struct{ *storage.Store }

func (c clients) Get(ctx context.Context, id string) (*authz.Client, error) { return c.Client(ctx, id) }

func newWorld(t *testing.T, store *storage.Store) *world {
	t.Helper()
	w := &world{store: store}
	w.Service = consent.New(consent.Config{Store: store, Clients: clients{store}, Audit: &w.events, Now: w.clock.Now})
	for _, name := range []string{"alice", "bob"} {
		if err := store.InsertUser(t.Context(), &authz.User{
			ID: name, Username: name, Roles: []string{}, CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(), Version: 1,
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"calendar", "mail", "ours"} {
		if err := store.InsertClient(t.Context(), &authz.Client{
			ID: id, Metadata: authz.ClientMetadata{Name: "Acme " + id}, CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(), Version: 1,
		}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// grant makes a grant whose code has been redeemed.
func (w *world) grant(t *testing.T, id, userID, clientID string, scopes ...string) {
	t.Helper()
	g := &authz.Grant{
		ID: id, UserID: userID, ClientID: clientID, Scopes: scopes, Resources: []string{"https://orders.example"},
		CodeHash: []byte(id), CodeChallenge: "c", AuthTime: w.clock.Now(), CreatedAt: w.clock.Now(),
		CodeExpiresAt: w.clock.Now().Add(time.Minute), ExpiresAt: w.clock.Now().Add(time.Hour), RefreshSeq: 1,
	}
	if err := w.store.InsertGrant(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.RedeemCode(t.Context(), authz.CodeClaim{
		GrantID: id, ClientID: clientID, CodeHash: []byte(id), CodeChallenge: "c", Now: w.clock.Now(),
		RefreshExpiresAt: w.clock.Now().Add(time.Hour), ExpiresAt: w.clock.Now().Add(time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) remember(t *testing.T, c authz.Consent) {
	t.Helper()
	if err := w.Remember(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func scopes(s string) authz.Scopes { return authz.ParseScopes(s) }

func TestRememberAddsToWhatWasAnswered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		answers         []authz.Consent
		scopes, decline string
		resources       string
	}{
		{"one answer", []authz.Consent{
			{Scopes: scopes("openid a"), Declined: scopes("b"), Resources: []string{"x"}}}, "openid a", "b", "x"},
		{"what is not spoken of stays", []authz.Consent{
			{Scopes: scopes("openid a"), Declined: scopes("b"), Resources: []string{"x"}},
			{Scopes: scopes("openid c"), Declined: scopes("d"), Resources: []string{"y"}}}, "openid a c", "b d", "x y"},
		{"allowed after all", []authz.Consent{
			{Scopes: scopes("openid"), Declined: scopes("a")}, {Scopes: scopes("openid a")}}, "openid a", "", ""},
		{"declined after all", []authz.Consent{
			{Scopes: scopes("openid a")}, {Scopes: scopes("openid"), Declined: scopes("a")}}, "openid", "a", ""},
		{"the same again", []authz.Consent{
			{Scopes: scopes("openid a")}, {Scopes: scopes("openid a")}}, "openid a", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storagetest.New(t))
			for _, answer := range c.answers {
				answer.UserID, answer.ClientID = "alice", "calendar"
				w.remember(t, answer)
			}
			got, err := w.Find(t.Context(), "alice", "calendar")
			if err != nil {
				t.Fatal(err)
			}
			if got.Scopes.String() != c.scopes || got.Declined.String() != c.decline || strings.Join(got.Resources, " ") != c.resources {
				t.Errorf("remembered %+v", got)
			}
		})
	}
}

func TestFindGivesNilToWhomNobodyAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	w.remember(t, authz.Consent{UserID: "alice", ClientID: "calendar", Scopes: scopes("a")})
	for _, pair := range [][2]string{{"bob", "calendar"}, {"alice", "mail"}, {"", ""}} {
		if c, err := w.Find(t.Context(), pair[0], pair[1]); c != nil || err != nil {
			t.Errorf("%v: got %v, %v", pair, c, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := w.Find(ctx, "alice", "calendar"); err == nil {
		t.Errorf("an outage looks like %v", c)
	}
}

// Two tabs, each with another request of one app, are answered in the same instant.
func TestAnswersAtOnceAllCount(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		store := open()
		w := newWorld(t, store)
		const tabs = 4
		var all sync.WaitGroup
		for i := range tabs {
			all.Go(func() {
				answer := authz.Consent{UserID: "alice", ClientID: "calendar", Scopes: authz.Scopes{fmt.Sprint("scope", i)}}
				if err := store.InTx(t.Context(), func(ctx context.Context) error { return w.Remember(ctx, answer) }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if c, err := w.Find(t.Context(), "alice", "calendar"); err != nil || len(c.Scopes) != tabs {
			t.Errorf("remembered %v, %v", c, err)
		}
	})
}

// between lets something happen after a consent was read and before it is written.
type between struct {
	*storage.Store
	happens func()
}

func (b *between) Consent(ctx context.Context, userID, clientID string) (*authz.Consent, error) {
	c, err := b.Store.Consent(ctx, userID, clientID)
	if happens := b.happens; happens != nil {
		b.happens = nil
		happens()
	}
	return c, err
}

// The clock stands still: what was changed in the same instant is not taken for unchanged.
func TestAnAnswerDoesNotOverwriteAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	answer := func(scope string) authz.Consent {
		return authz.Consent{UserID: "alice", ClientID: "calendar", Scopes: authz.Scopes{scope}}
	}
	for _, c := range []struct{ meanwhile, then, want string }{
		{"a", "b", "a b"}, // the first of all
		{"c", "d", "a b c d"},
	} {
		b := &between{Store: w.store, happens: func() { w.remember(t, answer(c.meanwhile)) }}
		slow := consent.New(consent.Config{Store: b, Now: w.clock.Now})
		if err := slow.Remember(t.Context(), answer(c.then)); err != nil {
			t.Fatal(err)
		}
		if got, err := w.Find(t.Context(), "alice", "calendar"); err != nil || got.Scopes.String() != c.want {
			t.Errorf("remembered %v, %v; want %s", got.Scopes, err, c.want)
		}
	}
}

func TestApps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	began := w.clock.Now()
	w.remember(t, authz.Consent{UserID: "alice", ClientID: "calendar", Scopes: scopes("openid a"), Resources: []string{"https://old.example"}})
	w.remember(t, authz.Consent{UserID: "alice", ClientID: "mail", Declined: scopes("a")})
	w.remember(t, authz.Consent{UserID: "bob", ClientID: "mail", Scopes: scopes("openid")})
	w.clock.Advance(time.Minute)
	w.grant(t, "g1", "alice", "calendar", "openid", "a")
	w.clock.Advance(time.Minute)
	w.grant(t, "g2", "alice", "ours", "openid") // first party: never asked
	apps, err := w.Apps(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range apps {
		got = append(got, fmt.Sprint(a.Client.Metadata.Name, "|", a.Scopes, "|", a.Resources, "|", a.Since.Sub(began), "|", a.LastUsed.Sub(began)))
	}
	want := []string{
		"Acme ours|openid|[https://orders.example]|2m0s|2m0s",
		"Acme calendar|openid a|[https://old.example https://orders.example]|0s|1m0s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAppsForgetsDeletedClientsAndEndedGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	w.remember(t, authz.Consent{UserID: "alice", ClientID: "mail", Scopes: scopes("a")})
	w.grant(t, "g1", "alice", "ours", "openid")
	if _, err := w.store.DeleteClient(t.Context(), "mail", 0, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Hour)
	if apps, err := w.Apps(t.Context(), "alice"); err != nil || len(apps) != 0 {
		t.Errorf("got %v, %v", apps, err)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t, storage.WithMaxConns(1)))
	for _, user := range []string{"alice", "bob"} {
		w.remember(t, authz.Consent{UserID: user, ClientID: "calendar", Scopes: scopes("a")})
		w.grant(t, "calendar-"+user, user, "calendar", "a")
		w.grant(t, "mail-"+user, user, "mail", "a")
	}
	for range 2 { // revoking twice is fine
		if err := w.Revoke(t.Context(), "alice", "calendar"); err != nil {
			t.Fatal(err)
		}
	}
	live := func(id string) bool {
		_, _, err := w.store.LiveGrant(t.Context(), id, "", w.clock.Now())
		return err == nil
	}
	if live("calendar-alice") || !live("mail-alice") || !live("calendar-bob") {
		t.Error("the wrong grants were revoked")
	}
	if c, err := w.Find(t.Context(), "alice", "calendar"); c != nil || err != nil {
		t.Errorf("alice is not asked again: %v, %v", c, err)
	}
	if c, _ := w.Find(t.Context(), "bob", "calendar"); c == nil {
		t.Error("bob's answer is gone")
	}
	if got := w.events.All(); len(got) != 2 || got[0].Kind != authz.EventGrantRevoked || got[0].Detail["grants"] != "1" {
		t.Errorf("recorded %+v", got)
	}
}

// An API token that an app made in a person's name goes with what they allowed to it.
func TestRevokeTakesAlongTheAPITokensOfTheApp(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, open func(...storage.Option) *storage.Store) {
		w := newWorld(t, open(storage.WithMaxConns(1)))
		for _, v := range []authz.APIToken{
			{ID: "tok_app", UserID: "alice", MadeBy: "calendar"}, {ID: "tok_of_app", UserID: "alice", MadeBy: "tok_app"},
			{ID: "tok_mail", UserID: "alice", MadeBy: "mail"}, {ID: "tok_own", UserID: "alice"}, {ID: "tok_bob", UserID: "bob", MadeBy: "calendar"},
		} {
			v.Hash, v.CreatedAt, v.ExpiresAt = []byte(v.ID), w.clock.Now(), w.clock.Now().Add(time.Hour)
			if err := w.store.InsertAPIToken(t.Context(), &v); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Revoke(t.Context(), "alice", "calendar"); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]bool{"tok_app": false, "tok_of_app": false, "tok_mail": true, "tok_own": true, "tok_bob": true} {
			if _, _, err := w.store.LiveAPIToken(t.Context(), id, w.clock.Now()); (err == nil) != want {
				t.Errorf("%s: %v, want live %v", id, err, want)
			}
		}
		if e := w.events.Last(); e.Detail["api_tokens"] != "2" {
			t.Errorf("recorded %+v", e)
		}
	})
}

func TestRevokeNeverMeansAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storagetest.New(t))
	w.grant(t, "g", "alice", "calendar", "a")
	for _, pair := range [][2]string{{"alice", ""}, {"", "calendar"}} {
		if err := w.Revoke(t.Context(), pair[0], pair[1]); !errors.Is(err, authz.ErrNotFound) {
			t.Errorf("%v: got %v", pair, err)
		}
	}
	if _, _, err := w.store.LiveGrant(t.Context(), "g", "", w.clock.Now()); err != nil {
		t.Errorf("the grant is gone: %v", err)
	}
}
