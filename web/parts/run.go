package parts

import (
	"context"
	"sync"
)

// Run does what a server does beside answering, until ctx ends: it rotates keys, publishes
// revocations, and writes audit events and what was used. It returns when the last of them is written, so the
// store must stay open until then.
func (p *Parts) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, part := range []func(context.Context){p.Keys.Run, p.Statuses.Run, p.APITokens.Run, p.GrantUses.Run, p.Audit.Run} {
		all.Go(func() { part(ctx) })
	}
	all.Wait()
}

// Changed forgets what is kept in memory of a row that somebody has changed, by the name
// of its table and its key. Without a table anything may have changed.
func (p *Parts) Changed(ctx context.Context, table, key string) {
	switch table {
	case "clients", "client_secrets":
		p.clientCache.Forget(key)
	case "apis":
		p.APIs.Invalidate()
	case "roles":
		p.People.InvalidateRoles()
	case "signing_keys":
		p.reloadKeys(ctx)
	case "":
		p.clientCache.Clear()
		p.APIs.Invalidate()
		p.People.InvalidateRoles()
		p.reloadKeys(ctx)
		p.Statuses.Changed()
	case "status_entries":
		p.Statuses.Changed()
	}
	p.Gateway.Changed(table, key) // asks the others about what has changed
}

// Unwatched tells that nobody says what others change. Whoever watches the database may call
// it for every attempt that fails.
func (p *Parts) Unwatched(err error) { p.unwatched.Note(context.Background(), err) }

// reloadKeys reads the keys anew. If that fails the ring logs it, and they are read again
// within seconds.
func (p *Parts) reloadKeys(ctx context.Context) {
	_ = p.Keys.Reload(ctx)
	p.Statuses.KeysChanged()
}
