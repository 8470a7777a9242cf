package gateway

// Kept tells how many answers are kept, and how many rows it is known for that answers rest
// on them.
func (s *Service) Kept() (answers, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.recent.Len(), len(s.kept.resting)
}
