package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-auth/signet/authz"
)

func testEvents(ctx context.Context, t *testing.T, s store) {
	event := func(id, user string, after time.Duration) authz.Event {
		return authz.Event{
			ID: id, At: noon().Add(after), Kind: authz.EventLoginFailed, Actor: "cli", UserID: user, ClientID: "app",
			GrantID: "g", Address: "192.0.2.1", UserAgent: "Browser", CorrelationID: "c", Detail: map[string]string{"reason": "password"},
		}
	}
	one, two, three := event("1", "ann", 0), event("2", "bob", time.Second), event("3", "ann", 2*time.Second)
	three.Detail = map[string]string{}
	must(t, s.InsertEvents(ctx, []authz.Event{one, two, three}))
	must(t, s.InsertEvents(ctx, []authz.Event{two})) // a recorder that retries writes nothing twice
	must(t, s.InsertEvents(ctx, nil))

	all, err := s.Events(ctx, "", 2)
	must(t, err)
	same(t, "the newest of all", all, []authz.Event{three, two})
	anns, err := s.Events(ctx, "ann", 10)
	must(t, err)
	same(t, "all of one person", anns, []authz.Event{three, one})

	// What strangers write about themselves must not keep an event from being recorded.
	odd := event("4", "eve", time.Minute)
	odd.UserAgent, odd.Actor, odd.Detail = "caf\xe9", "a\x00b", map[string]string{"name": "\xff\x00"}
	must(t, s.InsertEvents(ctx, []authz.Event{odd}))
	eves, err := s.Events(ctx, "eve", 1)
	must(t, err)
	odd.UserAgent, odd.Actor, odd.Detail = "caf\uFFFD", "a\uFFFDb", map[string]string{"name": "\uFFFD\uFFFD"}
	same(t, "an event with odd bytes", eves, []authz.Event{odd})

	// All or none: the last of these has no time.
	refusedBatch := []authz.Event{event("5", "mal", 0), {ID: "6", UserID: "mal"}}
	if err := s.InsertEvents(ctx, refusedBatch); err == nil {
		t.Error("an event without a time was recorded")
	}
	mals, err := s.Events(ctx, "mal", 10)
	must(t, err)
	same(t, "events of a refused batch", len(mals), 0)
}
