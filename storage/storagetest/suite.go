package storagetest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/signet-auth/signet/storage"
)

// Run is the suite: what every method of a Store promises, on the named database and with
// these options. Each part has a database to itself.
func Run(t *testing.T, engine string, options ...storage.Option) {
	for _, part := range []struct {
		name string
		test func(context.Context, *testing.T, store)
	}{
		{"apis", testAPIs},
		{"api tokens", testAPITokens},
		{"room for api tokens", testTokenLimit},
		{"names of api tokens", testTokenNames},
		{"makers of api tokens", testTokenMakers},
		{"api tokens that end with their maker", testTokenShortened},
		{"who may make api tokens", testTokenVouching},
		{"clients", testClients},
		{"client secrets", testClientSecrets},
		{"a client that is being removed", testRemoval},
		{"a client that was removed half-way", testRemovalInterrupted},
		{"a client that was registered again meanwhile", testRemovalOvertaken},
		{"api tokens of a disabled client", testDisabledMaker},
		{"consents", testConsents},
		{"events", testEvents},
		{"grants", testGrants},
		{"grants with their session", testGrantWithSession},
		{"redeeming a code", testRedeemCode},
		{"refused codes", testRefusedCodes},
		{"using a refresh token", testUseRefresh},
		{"refused refresh tokens", testRefusedRefresh},
		{"revoking grants", testRevokeGrants},
		{"instance", testInstance},
		{"interactions", testInteractions},
		{"signing keys", testSigningKeys},
		{"revoked tokens", testRevokedTokens},
		{"replays", testReplays},
		{"roles", testRoles},
		{"sessions", testSessions},
		{"session of a changed person", testBeginSession},
		{"status lists", testStatusLists},
		{"places that are taken again", testPlacesTakenAgain},
		{"places of another client", testPlacesOfAnotherClient},
		{"places of a disabled client", testDisabledPlaces},
		{"places of what was revoked long ago", testBitsEnd},
		{"users", testUsers},
		{"names in any case", testNames},
		{"passwords", testPasswords},
		{"cascades", testCascades},
		{"sweep", testSweep},
		{"sweep in batches", testSweepBatches},
		{"transactions", testTransactions},
		{"times", testTimes},
		{"structures", testStructures},
		{"claims of people", testClaims},
		{"text that cannot be stored", testText},
		{"rows without their parent", testOrphans},
		{"ended contexts", testEndedContexts},
		{"races", testRaces},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := untilTheEnd(t)
			defer cancel()
			url := URL(t, engine)
			part.test(ctx, t, store{Store: Open(t, url, options...), url: url})
		})
	}
}

// untilTheEnd gives a context that ends shortly before go test would kill the process. A
// statement that leaves its transaction waits for a connection that is never free when
// there is but one: this makes a failure of it that says where.
func untilTheEnd(t *testing.T) (context.Context, context.CancelFunc) {
	end, limited := t.Deadline()
	if !limited {
		return context.WithCancel(t.Context())
	}
	return context.WithDeadline(t.Context(), end.Add(-20*time.Second))
}

// store is the Store under test, and where its rows can be looked at behind its back.
type store struct {
	*storage.Store
	url string
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused demands that a call failed, with this error and no other.
func refused(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want: %v", what, err, want)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}
