package postgrestest

import (
	"testing"

	"github.com/signet-auth/signet/storage/storagetest/postgrestest/cluster"
)

// Server is a private PostgreSQL server for tests of what happens when the database goes away and comes back. Its
// methods report to the test it was made for and so belong to that test's own goroutine.
type Server struct {
	t       testing.TB
	cluster *cluster.Cluster
}

// Start gives a running server that nobody else uses; it is removed when the test ends. Making one takes a second or
// two: a test that only needs a database asks for URL or Template.
func Start(t testing.TB) *Server {
	t.Helper()
	private, err := cluster.New()
	if err != nil {
		giveUp(t, err, announce)
	}
	t.Cleanup(func() {
		if err := private.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Server{t: t, cluster: private}
}

// URL is the address of an empty database on the server. It stays the same across Stop and Start.
func (s *Server) URL() string { return s.cluster.URL() }

// Stop ends the server as a power cut would: open connections break, and what was committed stays.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.cluster.Stop(); err != nil {
		s.t.Fatal(err)
	}
}

// Start brings a stopped server back at the same address with the same data, and returns when it answers.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.cluster.Start(); err != nil {
		s.t.Fatal(err)
	}
}
