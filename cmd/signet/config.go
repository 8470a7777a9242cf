package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/oauth2"
)

// settings are all that an operator can set. The table below has the name, the default and
// the check of each; its name is a flag, a key of signet.yaml, and in upper case with
// SIGNET_ before it an environment variable.
type settings struct {
	Addr           string
	Issuer         string // derived from Addr when it is not set
	Data           string
	DatabaseURL    authz.Secret // empty: SQLite in Data
	Migrate        bool
	MasterKeyFile  string // with SQLite, by default in Data
	TrustedProxies []netip.Prefix
	Lifetimes      oauth2.Lifetimes
	RefreshGrace   time.Duration
	SessionIdle    time.Duration
	Session        time.Duration
	KeyAlgorithms  []string // the first signs access tokens
	KeyRotation    time.Duration
	DefaultRole    string
	APIToken       time.Duration // the longest life of API tokens
	LogFormat      string
	LogLevel       string
}

// setting is a line of the table.
type setting struct {
	name     string
	fallback string // the default, as one would write it
	usage    string // the word in backquotes stands for the value in --help
	value    value
}

// table lists every setting; what they read goes into s.
func (s *settings) table() []setting {
	life := &s.Lifetimes
	return []setting{
		{"addr", "127.0.0.1:8080", "`host:port` to listen on", text(&s.Addr, checkAddr)},
		{"issuer", "", "public `URL` of this server (default http://127.0.0.1 with the port of addr)", text(&s.Issuer, checkIssuer)},
		{"data", "./signet-data", "`folder` of the embedded database and its master key", text(&s.Data, notEmpty)},
		{"database-url", "", "`URL` of a PostgreSQL database (default SQLite in the data folder)", databaseURL(&s.DatabaseURL)},
		{"migrate", "false", "bring the PostgreSQL schema up to date before serving", toggle(&s.Migrate)},
		{"master-key-file", "",
			"`file` with the key that seals signing keys (default master.key in the data folder; required with PostgreSQL)",
			text(&s.MasterKeyFile, anything)},
		{"trusted-proxy", "", "`networks` whose X-Forwarded-* headers are believed", listOf(&s.TrustedProxies, network, netip.Prefix.String)},
		{"code-lifetime", "60s", "`time` that an authorization code is good for", span(&life.Code, time.Second, 10*time.Minute)},
		{"access-token-lifetime", "10m", "`time` that an access token is good for", span(&life.AccessToken, authz.MinTokenLifetime, day)},
		{"id-token-lifetime", "10m", "`time` that an ID token is good for", span(&life.IDToken, authz.MinTokenLifetime, day)},
		{"refresh-token-idle-lifetime", "30d", "`time` after which an unused refresh token ends", span(&life.RefreshIdle, time.Minute, 10*year)},
		{"refresh-token-lifetime", "180d", "`time` after which a grant ends, however often it is refreshed", span(&life.Refresh, time.Minute, 10*year)},
		{"refresh-grace", "10s", "`time` in which a rotated refresh token may be sent again; 0s for never", span(&s.RefreshGrace, 0, 5*time.Minute)},
		{"interaction-lifetime", "1h", "`time` that a login or consent page waits for an answer", span(&life.Interaction, time.Minute, day)},
		{"session-idle-lifetime", "12h", "`time` after which an unused browser session ends", span(&s.SessionIdle, time.Minute, year)},
		{"session-lifetime", "30d", "`time` after which a browser session ends", span(&s.Session, time.Minute, year)},
		{"api-token-lifetime", "365d", "longest `time` that people may make an API token for", span(&s.APIToken, day, 10*year)},
		{"key-algorithms", "ES256,RS256", "signature `algorithms`; the first signs access tokens", listOf(&s.KeyAlgorithms, algorithm, asIs)},
		{"key-rotation", "30d", "`time` after which a signing key is replaced", span(&s.KeyRotation, time.Hour, 10*year)},
		{"default-role", authz.RoleDefault, "`role` that every account has", text(&s.DefaultRole, notEmpty)},
		{"log-format", "text", "`format` of log lines: text or json", oneOf(&s.LogFormat, "text", "json")},
		{"log-level", "info", "least `level` that is logged: debug, info, warn or error", oneOf(&s.LogLevel, "debug", "info", "warn", "error")},
	}
}

// databaseSettings are the settings that commands beside serve have flags for.
func databaseSettings() []string { return []string{"data", "database-url", "master-key-file"} }

// complete fills in what follows from other settings and checks what concerns several.
func (s *settings) complete() error {
	if s.Issuer == "" {
		issuer, err := issuerAt(s.Addr)
		if err != nil {
			return err
		}
		s.Issuer = issuer
	}
	if s.MasterKeyFile == "" && s.DatabaseURL == "" {
		s.MasterKeyFile = filepath.Join(s.Data, "master.key")
	}
	switch {
	case s.Lifetimes.RefreshIdle > s.Lifetimes.Refresh:
		return errors.New("refresh-token-idle-lifetime: must not be longer than refresh-token-lifetime")
	case s.SessionIdle > s.Session:
		return errors.New("session-idle-lifetime: must not be longer than session-lifetime")
	case len(s.KeyAlgorithms) == 0:
		return errors.New("key-algorithms: name at least one")
	}
	return nil
}

// namesMasterKey reports, for what seals or opens anything, that there is a key to do it
// with.
func (s *settings) namesMasterKey() error {
	if s.MasterKeyFile == "" {
		return errors.New("master-key-file: PostgreSQL needs one, the same for every replica: " +
			"make it with `openssl rand -out master.key 32`")
	}
	return nil
}

// database is what storage and migrations open.
func (s *settings) database() string {
	if s.DatabaseURL != "" {
		return s.DatabaseURL.Reveal()
	}
	return filepath.Join(s.Data, "signet.db")
}

// issuerAt is the issuer of a server that people reach on the machine it runs on. It stays
// empty while the port is the system's to choose.
func issuerAt(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "0" {
		return "", err
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		host = "127.0.0.1"
	case host != "localhost" && (err != nil || !ip.IsLoopback()):
		return "", fmt.Errorf("issuer: say under which https URL people reach %s", addr)
	}
	return (&url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}).String(), nil
}

func checkAddr(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not host:port: write 127.0.0.1:8080 or :8080", s)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q is not a port: write a number up to 65535", port)
	}
	return nil
}

func checkIssuer(s string) error {
	if s == "" {
		return nil
	}
	if err := oauth2.CheckIssuer(s); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "issuer "))
	}
	return nil
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("must not be empty")
	}
	return nil
}

func algorithm(s string) (string, error) {
	known := []string{authz.AlgES256, authz.AlgRS256, authz.AlgPS256, authz.AlgEdDSA}
	if !slices.Contains(known, s) {
		return "", fmt.Errorf("%q is not one of %s", s, strings.Join(known, ", "))
	}
	return s, nil
}
