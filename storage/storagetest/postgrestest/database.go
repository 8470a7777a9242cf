package postgrestest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/signet-auth/signet/storage/storagetest/postgrestest/cluster"
)

// server is where this process makes its databases. Their names begin with the process's mark, which its connections
// carry as their application name: whoever comes later can tell a database in use from one that a killed run left.
type server struct {
	admin   *sql.DB
	url     url.URL
	mark    string
	counter atomic.Int64
	private *cluster.Cluster // held because a closed pipe ends the server; nil for a server that others run

	mu        sync.Mutex
	templates map[string]func() (string, error)
}

const markPrefix = "signet_test_"

func newServer(ctx context.Context, address string) (*server, error) {
	parsed, err := url.Parse(address)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") {
		return nil, fmt.Errorf("read %s: not of the form postgres://user@host:port/database", EnvURL)
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", EnvURL, err)
	}
	mark := markPrefix + strings.ToLower(rand.Text()[:12])
	config.RuntimeParams["application_name"] = mark
	s := &server{
		admin:     stdlib.OpenDB(*config),
		url:       *parsed,
		mark:      mark,
		templates: make(map[string]func() (string, error)),
	}
	s.admin.SetMaxIdleConns(2) // at least one stays open and keeps the mark alive
	if err := s.sweep(ctx); err != nil {
		return nil, errors.Join(err, s.admin.Close())
	}
	return s, nil
}

// sweep drops what test processes that are gone have left on a server that outlives them. Databases of other roles are
// not ours to judge: their connections' names are hidden from us.
func (s *server) sweep(ctx context.Context) error {
	rows, err := s.admin.QueryContext(ctx, `
		SELECT datname FROM pg_database
		 WHERE starts_with(datname, $1)
		   AND datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)
		   AND split_part(datname, '_', 3) NOT IN (
		       SELECT split_part(application_name, '_', 3) FROM pg_stat_activity
		        WHERE starts_with(application_name, $1))`, markPrefix)
	if err != nil {
		return fmt.Errorf("list left-over test databases: %w", err)
	}
	defer rows.Close()
	var left []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return fmt.Errorf("list left-over test databases: %w", err)
		}
		left = append(left, name)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list left-over test databases: %w", err)
	}
	for _, name := range left {
		if err := s.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// create makes a copy of source under a name that nobody else uses. Copying template0 gives an empty database, and never
// fails because somebody is connected to template1.
func (s *server) create(ctx context.Context, source string) (string, error) {
	name := fmt.Sprintf("%s_%d", s.mark, s.counter.Add(1))
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(source)); err != nil {
		return "", fmt.Errorf("create test database: %w", err)
	}
	return name, nil
}

// drop removes a database; whoever is connected to it is disconnected.
func (s *server) drop(ctx context.Context, name string) error {
	if _, err := s.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop test database: %w", err)
	}
	return nil
}

// template gives the name of the database that prepare filled, once per template name.
func (s *server) template(name string, prepare func(ctx context.Context, url string) error) (string, error) {
	s.mu.Lock()
	once, known := s.templates[name]
	if !known {
		once = sync.OnceValues(func() (string, error) { return s.prepare(prepare) })
		s.templates[name] = once
	}
	s.mu.Unlock()
	return once()
}

func (s *server) prepare(fill func(ctx context.Context, url string) error) (string, error) {
	ctx := context.Background() // many tests wait for the outcome; none of them may end it
	database, err := s.create(ctx, "template0")
	if err != nil {
		return "", err
	}
	if err := fill(ctx, s.address(database)); err != nil {
		return "", err
	}
	// A connection to a template keeps it from being copied, so there shall be none from now on.
	if _, err := s.admin.ExecContext(ctx, "ALTER DATABASE "+quote(database)+" ALLOW_CONNECTIONS false"); err != nil {
		return "", fmt.Errorf("close template database: %w", err)
	}
	return database, nil
}

// address is the server's URL with another database in it.
func (s *server) address(database string) string {
	u := s.url
	u.Path = "/" + database
	return u.String()
}

func quote(identifier string) string {
	return pgx.Identifier{identifier}.Sanitize()
}
