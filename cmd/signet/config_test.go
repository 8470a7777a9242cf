package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settingsOf reads settings as a command with all flags does.
func settingsOf(t *testing.T, args, environ []string) (*settings, map[string]given, error) {
	t.Helper()
	c := &cobra.Command{Use: "test"}
	c.PersistentFlags().String("config", defaultFile, "")
	addSettings(c)
	if err := c.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	s, found, err := load(c.Flags(), environ)
	if err == nil {
		err = s.complete()
	}
	return s, found, err
}

// Every setting can be given by flag, by environment, by file, and by a file that the
// environment names, and is found where it was put last.
func TestEverySettingIsReadFromEverywhere(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"addr": "127.0.0.1:9999", "issuer": "https://login.example", "data": "/srv/signet",
		"database-url": "postgres://signet@db/signet", "migrate": "true", "master-key-file": "/run/key",
		"trusted-proxy": "10.0.0.0/8,192.0.2.7/32", "code-lifetime": "30s", "access-token-lifetime": "5m", "id-token-lifetime": "7m",
		"refresh-token-idle-lifetime": "3d", "refresh-token-lifetime": "90d", "refresh-grace": "0s", "interaction-lifetime": "30m",
		"session-idle-lifetime": "1h", "session-lifetime": "2d", "key-algorithms": "EdDSA,PS256", "key-rotation": "7d",
		"default-role": "guest", "log-format": "json", "log-level": "warn", "api-token-lifetime": "90d",
	}
	for _, one := range new(settings).table() {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			want := values[one.name]
			if want == "" || want == one.fallback {
				t.Fatalf("the test has no value for %s that is not its default", one.name)
			}
			key := filepath.Join(t.TempDir(), "key")
			base := []string{"SIGNET_MASTER_KEY_FILE=" + key}
			if one.name == "master-key-file" {
				base = nil
			}
			file := filepath.Join(t.TempDir(), "value")
			if err := os.WriteFile(file, []byte(want+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			yaml := filepath.Join(t.TempDir(), "signet.yaml")
			if err := os.WriteFile(yaml, []byte(one.name+": "+want+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			for from, c := range map[string]struct{ args, environ []string }{
				"--" + one.name:                {[]string{"--" + one.name + "=" + want}, nil},
				variableOf(one.name):           {nil, []string{variableOf(one.name) + "=" + want}},
				variableOf(one.name) + "_FILE": {nil, []string{variableOf(one.name) + "_FILE=" + file}},
				yaml:                           {[]string{"--config", yaml}, nil},
			} {
				s, found, err := settingsOf(t, c.args, append(c.environ, base...))
				if err != nil {
					t.Errorf("from %s: %v", from, err)
					continue
				}
				for _, read := range s.table() {
					if read.name == one.name && read.value.String() != want {
						t.Errorf("from %s: it is %s", from, read.value)
					}
				}
				if found[one.name].from != from {
					t.Errorf("found in %s, put into %s", found[one.name].from, from)
				}
			}
		})
	}
}

func TestDefaultsAreThoseOfTheDocumentation(t *testing.T) {
	t.Parallel()
	s, _, err := settingsOf(t, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want time.Duration }{
		"code": {s.Lifetimes.Code, time.Minute}, "access token": {s.Lifetimes.AccessToken, 10 * time.Minute},
		"ID token": {s.Lifetimes.IDToken, 10 * time.Minute}, "idle refresh token": {s.Lifetimes.RefreshIdle, 30 * day},
		"refresh token": {s.Lifetimes.Refresh, 180 * day}, "idle session": {s.SessionIdle, 12 * time.Hour},
		"session": {s.Session, 30 * day}, "grace": {s.RefreshGrace, 10 * time.Second}, "rotation": {s.KeyRotation, 30 * day},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
	if s.Issuer != "http://127.0.0.1:8080" || s.MasterKeyFile != filepath.Join("signet-data", "master.key") {
		t.Errorf("issuer %s, master key %s", s.Issuer, s.MasterKeyFile)
	}
}

func TestTheIssuerFollowsFromTheAddress(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", ":9000": "http://127.0.0.1:9000", "0.0.0.0:9000": "http://127.0.0.1:9000",
		"[::]:9000": "http://127.0.0.1:9000", "[::1]:9000": "http://[::1]:9000", "localhost:9000": "http://localhost:9000",
		"127.0.0.1:0": "", "192.0.2.1:9000": "error", "login.example:443": "error",
	} {
		got, err := issuerAt(addr)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
}

func TestWrongSettingsAreNamedWhereTheyStand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	yaml := func(text string) string {
		path := filepath.Join(folder, "signet-"+strings.Trim(text[:4], ": ")+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name          string
		args, environ []string
		want          string
	}{
		{"bad flag", []string{"--log-level=loud"}, nil, `--log-level: "loud" is not one of debug, info, warn, error`},
		{"bad variable", nil, []string{"SIGNET_MIGRATE=perhaps"}, `SIGNET_MIGRATE: "perhaps" is neither true nor false`},
		{"unknown variable", nil, []string{"SIGNET_ISUER=x"}, "there is no setting SIGNET_ISUER: did you mean SIGNET_ISSUER?"},
		{"unknown _FILE", nil, []string{"SIGNET_PASSWORD_FILE=x"}, "there is no setting SIGNET_PASSWORD_FILE: did you mean SIGNET_MASTER_KEY_FILE?"},
		{"variable and file", nil, []string{"SIGNET_ISSUER=https://a.example", "SIGNET_ISSUER_FILE=" + yaml("https://a.example")}, "SIGNET_ISSUER and SIGNET_ISSUER_FILE are both set: keep one"},
		{"missing _FILE", nil, []string{"SIGNET_ISSUER_FILE=/nowhere/x"}, "SIGNET_ISSUER_FILE: stat /nowhere/x: no such file or directory"},
		{"nested key", []string{"--config", yaml("log:\n  level: debug\n")}, nil, `there is no setting "log.level": did you mean "log-level"?`},
		{"empty map", []string{"--config", yaml("data: {}\n")}, nil, "must be one value, or a list of values"},
		{"empty list entry", []string{"--key-algorithms=,"}, nil, "key-algorithms: name at least one"},
		{"algorithm twice", []string{"--key-algorithms=ES256,ES256"}, nil, "--key-algorithms: ES256 is named twice"},
		{"port", []string{"--addr=127.0.0.1:99999"}, nil, `--addr: "99999" is not a port: write a number up to 65535`},
		{"span too short", []string{"--key-rotation=1m"}, nil, "--key-rotation: 1m is not between 1h and 3650d"},
		{"idle longer than life", []string{"--refresh-token-idle-lifetime=200d"}, nil, "refresh-token-idle-lifetime: must not be longer than refresh-token-lifetime"},
		{"network", []string{"--trusted-proxy=10.0.0.0/8", "--trusted-proxy=proxy"}, nil, `--trusted-proxy: "proxy" is not a network: write 10.0.0.0/8 or 192.0.2.7`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := settingsOf(t, c.args, c.environ)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// Kubernetes tells every pod where a service called signet is, in variables that look like
// settings; tests have their own; and an empty variable is none.
func TestForeignVariablesAreLeftAlone(t *testing.T) {
	t.Parallel()
	_, _, err := settingsOf(t, nil, []string{
		"SIGNET_SERVICE_HOST=10.0.0.1", "SIGNET_PORT=tcp://10.0.0.1:8080", "SIGNET_PORT_8080_TCP_ADDR=10.0.0.1",
		"SIGNET_TEST_DATABASE_URL=postgres://x", "SIGNET_ADRESS=", "SIGNETS_X=1",
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSpansReadAsTheyAreShown(t *testing.T) {
	t.Parallel()
	for text, shown := range map[string]string{
		"60s": "1m", "90s": "1m30s", "10m": "10m", "1h": "1h", "90m": "1h30m", "24h": "1d", "36h": "36h", "30d": "30d", "0s": "0s", "250ms": "250ms",
	} {
		d, err := readSpan(text)
		if err != nil || showSpan(d) != shown {
			t.Errorf("%s is shown as %s, %v", text, showSpan(d), err)
		}
		if again, err := readSpan(shown); err != nil || again != d {
			t.Errorf("%s does not read as %s again: %s, %v", shown, d, again, err)
		}
	}
	for _, text := range []string{"", "5", "d", "-1d", "1.5d", "1w", "99999999d"} {
		if d, err := readSpan(text); err == nil {
			t.Errorf("%q reads as %s", text, d)
		}
	}
}

func TestNoSecretIsShown(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://signet:hush@db/signet", "postgres://db/signet?password=hush", "postgres://signet:hush@db/s?sslpassword=hush&sslmode=verify-full",
		"postgresql://signet:hush%40hush@db/signet",
	} {
		s, _, err := settingsOf(t, []string{"--database-url", address, "--master-key-file", "x"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range s.table() {
			if strings.Contains(one.value.String(), "hush") {
				t.Errorf("%s shows %s", one.name, one.value)
			}
		}
		if s.database() != address {
			t.Errorf("the database is %s, given was %s", s.database(), address)
		}
	}
}

// Every command has a sentence and an example, takes --json, and exits with 0 after --help.
func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for _, below := range c.Commands() {
			visit(below)
		}
		if c.Name() == "help" || c.Name() == "completion" || c.HasParent() && c.Parent().Name() == "completion" {
			return
		}
		if c.Short == "" || !strings.Contains(c.Example, "signet") {
			t.Errorf("%s has no sentence or no example", c.CommandPath())
		}
		var out, errs bytes.Buffer
		args := slices.Concat(strings.Fields(c.CommandPath())[1:], []string{"--help"})
		if code := run(t.Context(), terminal{strings.NewReader(""), &out, &errs, nil}, args); code != exitOK || errs.Len() > 0 {
			t.Errorf("%s --help exits with %d: %s", c.CommandPath(), code, &errs)
		}
		if !strings.Contains(out.String(), "--json") || !strings.Contains(out.String(), "Examples:") {
			t.Errorf("%s --help says %s", c.CommandPath(), &out)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s is not explained", c.CommandPath(), f.Name)
			}
		})
	}
	visit(newRoot(terminal{}))
}
