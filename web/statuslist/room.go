package statuslist

import "sync"

// room counts who waits. It is safe for use by many goroutines.
type room struct {
	all, each int // how many may wait, and how many of one network

	mu     sync.Mutex
	inside int
	of     map[string]int // by network; none that has nobody inside
}

// enter reports whether there is room for one more of a network, who then has it until leave.
func (r *room) enter(network string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside >= r.all || r.of[network] >= r.each {
		return false
	}
	r.inside++
	r.of[network]++
	return true
}

func (r *room) leave(network string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside--
	if r.of[network]--; r.of[network] == 0 {
		delete(r.of, network)
	}
}
