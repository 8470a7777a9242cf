package gateway

// Changed tells that a row was changed or deleted, by the name of its table and its key: the
// answers that rest on it are looked up anew. Without a table it tells that anything may have
// changed, and every answer is asked for again before it is given once more; its signature
// is kept if it is still right. Of the rows that storage reports call it last: what APIs and
// Roles of the Config give must know of the change already.
func (s *Service) Changed(table, key string) {
	switch table {
	case "":
		s.apis.dirty.Store(true)
		s.mu.Lock()
		s.epoch++
		s.mu.Unlock()
	case "roles", "signing_keys":
		s.forget(dependency{})
	case "apis":
		s.apis.dirty.Store(true)
		s.forget(dependency{table, key})
	case "api_tokens", "grants", "sessions", "users", "clients", "revoked_tokens":
		s.forget(dependency{table, key})
	}
}

func (s *Service) forget(d dependency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.flights {
		f.missed = append(f.missed, d)
	}
	if d == (dependency{}) {
		s.kept.clear()
		return
	}
	s.kept.dropResting(d)
}
