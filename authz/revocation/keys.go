package revocation

// KeysChanged has every list signed anew before it is given again: the key that it is signed
// by may have been withdrawn. What it says is the same, and so is its ETag.
func (l *Lists) KeysChanged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.lists {
		p.token = nil
	}
}
