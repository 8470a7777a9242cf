package postgrestest

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// Network is what lies between a test and its PostgreSQL, and can fall silent: connections are taken and what is sent is
// held back, as by a server that was stopped or a cable that was pulled, and nobody is told.
type Network struct {
	url string

	mu      sync.Mutex
	open    chan struct{} // closed while everything passes
	carried []net.Conn
	ended   bool
}

// NewNetwork makes a network to the database of a URL. It ends with the test.
func NewNetwork(t testing.TB, databaseURL string) *Network {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{open: make(chan struct{})}
	close(n.open)
	server := u.Host
	u.Host = l.Addr().String()
	n.url = u.String()
	var running sync.WaitGroup
	running.Go(func() { n.accept(l, server, &running) })
	t.Cleanup(func() {
		_ = l.Close()
		n.hangUp()
		n.Speak()
		running.Wait()
	})
	return n
}

// URL is that of the database at the other end.
func (n *Network) URL() string { return n.url }

// Silence has nothing pass from now on.
func (n *Network) Silence() {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.open:
		n.open = make(chan struct{})
	default:
	}
}

// Speak has everything pass again, what was held back first.
func (n *Network) Speak() {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.open:
	default:
		close(n.open)
	}
}

func (n *Network) passing() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open
}

func (n *Network) accept(l net.Listener, server string, running *sync.WaitGroup) {
	for {
		ours, err := l.Accept()
		if err != nil {
			return
		}
		theirs, err := net.Dial("tcp", server)
		if err != nil {
			_ = ours.Close()
			continue
		}
		n.hold(ours, theirs)
		running.Go(func() { n.carry(theirs, ours) })
		running.Go(func() { n.carry(ours, theirs) })
	}
}

// carry passes on one direction of a connection. The end of one is news too, and is held back like all else.
func (n *Network) carry(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 4096)
	for {
		count, err := from.Read(buf)
		<-n.passing()
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:count]); err != nil {
			return
		}
	}
}

// hold keeps connections to be closed at the end; at once when that is over.
func (n *Network) hold(all ...net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.carried = append(n.carried, all...)
	if n.ended {
		n.closeAll()
	}
}

func (n *Network) hangUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
	n.closeAll()
}

func (n *Network) closeAll() {
	for _, c := range n.carried {
		_ = c.Close()
	}
}
