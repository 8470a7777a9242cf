package storage

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signet-auth/signet/storage/storagetest/postgrestest"
)

// network is a network between us and the server that can fall silent: it then takes what
// it is given, delivers nothing, and tells nobody.
type network struct {
	address string
	silent  atomic.Bool
}

func newNetwork(t *testing.T, server string) *network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	n := &network{address: l.Addr().String()}
	go func() {
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
			go n.carry(theirs, ours)
			go n.carry(ours, theirs)
		}
	}()
	return n
}

func (n *network) carry(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 4096)
	for {
		count, err := from.Read(buf)
		if err != nil {
			return
		}
		if n.silent.Load() {
			continue
		}
		if _, err := to.Write(buf[:count]); err != nil {
			return
		}
	}
}

func TestListeningNoticesASilentNetwork(t *testing.T) {
	t.Parallel()
	cfg, err := pgx.ParseConfig(postgrestest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	n := newNetwork(t, fmt.Sprintf("%s:%d", cfg.Host, cfg.Port))
	direct := cfg.Copy()
	host, port, _ := net.SplitHostPort(n.address)
	cfg.Host = host
	if _, err := fmt.Sscan(port, &cfg.Port); err != nil {
		t.Fatal(err)
	}

	heard := make(chan Change, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- listen(context.Background(), cfg, time.Second, func(c Change) { heard <- c })
	}()
	<-heard // it listens

	// Over several beats, with nothing to tell, it stays and hears the next news.
	time.Sleep(2500 * time.Millisecond)
	conn, err := pgx.ConnectConfig(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), `SELECT pg_notify('signet', 'roles:a:b')`); err != nil {
		t.Fatal(err)
	}
	if c := <-heard; c != (Change{Table: "roles", Key: "a:b"}) {
		t.Errorf("heard %+v", c)
	}
	n.silent.Store(true)
	if err := <-ended; err == nil {
		t.Error("listening ended without a reason")
	}
}
