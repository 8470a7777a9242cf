package storagetest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

// noon is when the suite plays, to the microsecond that a database can keep.
func noon() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 123456000, time.UTC) }

func hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func newClient(id string) *authz.Client {
	return &authz.Client{
		ID:        id,
		Metadata:  authz.ClientMetadata{Name: "App " + id, AuthMethod: authz.AuthSecretBasic},
		CreatedAt: noon(), UpdatedAt: noon(), Version: 1,
	}
}

func newUser(id string) *authz.User {
	return &authz.User{
		ID: id, Username: id, Claims: authz.UserClaims{"desk": json.Number("7")}, Roles: []string{"user"},
		CreatedAt: noon(), UpdatedAt: noon(), Version: 1,
	}
}

func newSession(id, userID string) *authz.Session {
	return &authz.Session{
		ID: id, SecretHash: hash(id), UserID: userID, AuthTime: noon(), AMR: []string{"pwd"},
		UserAgent: "Browser/1", Address: "192.0.2.1", CreatedAt: noon(), LastSeenAt: noon(),
		IdleExpiresAt: noon().Add(time.Hour), ExpiresAt: noon().Add(24 * time.Hour),
	}
}

func newInteraction(id, clientID string) *authz.Interaction {
	return &authz.Interaction{
		ID: id, ClientID: clientID, Params: url.Values{"state": {"s"}}, BrowserHash: hash("browser"),
		CreatedAt: noon(), ExpiresAt: noon().Add(time.Hour),
	}
}

// newGrant has a code that is good for a minute, and a refresh token to come.
func newGrant(id, clientID, userID string) *authz.Grant {
	return &authz.Grant{
		ID: id, ClientID: clientID, UserID: userID, Scopes: authz.Scopes{"openid", "offline_access"},
		AuthTime: noon(), CodeHash: hash("code of " + id), RedirectURI: "https://app.example/cb",
		CodeChallenge: "challenge", CodeExpiresAt: noon().Add(time.Minute), RefreshSeq: 1,
		CreatedAt: noon(), ExpiresAt: noon().Add(time.Hour),
	}
}

// claimOf is the right claim to the code of newGrant, a second later.
func claimOf(g *authz.Grant) authz.CodeClaim {
	return authz.CodeClaim{
		GrantID: g.ID, ClientID: g.ClientID, CodeHash: g.CodeHash, RedirectURI: g.RedirectURI,
		CodeChallenge: g.CodeChallenge, RefreshExpiresAt: noon().Add(30 * 24 * time.Hour),
		ExpiresAt: noon().Add(90 * 24 * time.Hour), Now: noon().Add(time.Second),
	}
}

// rotationOf claims to rotate the refresh token with this sequence number, a minute later.
func rotationOf(g *authz.Grant, seq int64) authz.RefreshClaim {
	now := noon().Add(time.Minute)
	return authz.RefreshClaim{
		GrantID: g.ID, ClientID: g.ClientID, Seq: seq, Rotate: true, GraceSince: now.Add(-10 * time.Second),
		RefreshExpiresAt: now.Add(30 * 24 * time.Hour), Now: now,
	}
}

func newAPIToken(id, userID string) *authz.APIToken {
	return &authz.APIToken{
		ID: id, Hash: hash(id), UserID: userID, Name: "script " + id, API: "https://orders.example",
		Scopes: authz.Scopes{"orders:read"}, CreatedAt: noon(), ExpiresAt: noon().Add(24 * time.Hour),
	}
}

func newKey(kid string, state authz.KeyState) authz.SigningKey {
	k := authz.SigningKey{
		KID: kid, Alg: authz.AlgES256, State: state, Sealed: []byte("sealed " + kid),
		PublicJWK: json.RawMessage(`{}`), CreatedAt: noon(),
	}
	if state == authz.KeyActive {
		k.ActivatedAt = noon()
	}
	return k
}

// addUserAndClient lays out the parents of nearly everything: person "ann", client "app".
// Before ann there is somebody whose roles and state must not be taken for hers.
func addUserAndClient(ctx context.Context, t *testing.T, s store) {
	t.Helper()
	must(t, s.InsertUser(ctx, &authz.User{
		ID: "adam", Username: "adam", Roles: []string{"administrator"}, DisabledAt: noon(), CreatedAt: noon(), UpdatedAt: noon(),
	}))
	must(t, s.InsertUser(ctx, newUser("ann")))
	must(t, s.InsertClient(ctx, newClient("app")))
}

// addGrant lays out a grant by "ann" to "app".
func addGrant(ctx context.Context, t *testing.T, s store, id string) *authz.Grant {
	t.Helper()
	g := newGrant(id, "app", "ann")
	must(t, s.InsertGrant(ctx, g))
	return g
}

// dump writes out a whole table, read behind the store's back.
func (s store) dump(ctx context.Context, t *testing.T, table string) string {
	t.Helper()
	db := behind(t, s.url)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+table+" ORDER BY 1")
	must(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	must(t, err)
	var out strings.Builder
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		must(t, rows.Scan(into...))
		for i, column := range columns {
			fmt.Fprintf(&out, "%s=%v ", column, values[i])
		}
		out.WriteByte('\n')
	}
	must(t, rows.Err())
	return out.String()
}

// bystander remembers a row that a test must not touch; the function it gives looks again.
func (s store) bystander(ctx context.Context, t *testing.T, table, key string) func() {
	t.Helper()
	row := func() string {
		for line := range strings.Lines(s.dump(ctx, t, table)) {
			if strings.Contains(line, "="+key+" ") {
				return line
			}
		}
		return ""
	}
	before := row()
	if before == "" {
		t.Fatalf("%s has no row %s", table, key)
	}
	return func() {
		t.Helper()
		same(t, "row "+key+" of "+table+", which nobody touched", row(), before)
	}
}

// count tells how many rows a table has.
func (s store) count(ctx context.Context, t *testing.T, table string) int {
	t.Helper()
	return strings.Count(s.dump(ctx, t, table), "\n")
}

// delete deletes a client of which nothing may be left.
func (s store) delete(ctx context.Context, t *testing.T, clientID string) {
	t.Helper()
	removed, err := s.DeleteClient(ctx, clientID, 0, noon())
	must(t, err)
	same(t, "all of "+clientID+" is gone", removed.Finished, true)
}
