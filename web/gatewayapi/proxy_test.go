package gatewayapi_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The files under docs/integrate are what users copy: they are run here as they are, but
// for the addresses and certificates of the machine.
const integrate = "../../docs/integrate/"

// behindNginx puts nginx with docs/integrate/nginx/orders.conf before the service.
func (w *world) behindNginx(change ...string) {
	w.t.Helper()
	program := installed(w.t, "nginx", "/usr/sbin/nginx")
	w.start(func(address, dir string) *exec.Cmd {
		site := w.configuration("nginx/orders.conf", append([]string{
			"listen 443 ssl;", "listen " + address + " ssl;",
			"server 127.0.0.1:8080;", "server " + w.checks.Listener.Addr().String() + ";",
			"server 127.0.0.1:9000;", "server " + w.service.Listener.Addr().String() + ";",
			"/etc/ssl/certs/orders.example.com.pem;", w.cert.file + ";",
			"/etc/ssl/private/orders.example.com.key;", w.cert.key + ";",
		}, change...)...)
		var temp strings.Builder
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			fmt.Fprintf(&temp, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
		}
		write(w.t, filepath.Join(dir, "orders.conf"), site)
		write(w.t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(`
			daemon off; master_process off; pid %s; error_log stderr warn;
			events {}
			http { access_log off; %s include %s; }`,
			filepath.Join(dir, "pid"), temp.String(), filepath.Join(dir, "orders.conf")))
		return exec.CommandContext(w.t.Context(), program, "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	})
}

// behindCaddy puts Caddy with docs/integrate/caddy/Caddyfile before the service.
func (w *world) behindCaddy(change ...string) {
	w.t.Helper()
	program := installed(w.t, "caddy", "/usr/bin/caddy")
	w.start(func(address, dir string) *exec.Cmd {
		_, port, _ := net.SplitHostPort(address)
		site := w.configuration("caddy/Caddyfile", append([]string{
			"orders.example.com {", "https://orders.example.com:" + port + " {\n\tbind 127.0.0.1\n\ttls " + w.cert.file + " " + w.cert.key,
			"127.0.0.1:8080", w.checks.Listener.Addr().String(),
			"127.0.0.1:9000", w.service.Listener.Addr().String(),
		}, change...)...)
		file := filepath.Join(dir, "Caddyfile")
		write(w.t, file, "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"+site)
		cmd := exec.CommandContext(w.t.Context(), program, "run", "--config", file, "--adapter", "caddyfile")
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
		return cmd
	})
}

// installed finds a program. Where CI is set it has to be there.
func installed(t testing.TB, name, place string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if _, err := os.Stat(place); err == nil {
		return place
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed: apt-get install %s", name, name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// configuration reads a file that users copy and puts in other values, as pairs of what
// stands there and what shall. What does not stand there fails the test.
func (w *world) configuration(name string, change ...string) string {
	w.t.Helper()
	raw, err := os.ReadFile(integrate + name)
	w.must(err)
	text := string(raw)
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			w.t.Fatalf("%s has no %q any more", name, change[i])
		}
		text = strings.ReplaceAll(text, change[i], change[i+1])
	}
	return text
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start runs a proxy on a free port until the test ends. Somebody else may take the port
// first: then it is another.
func (w *world) start(command func(address, dir string) *exec.Cmd) {
	w.t.Helper()
	for range 5 {
		address, p := w.proxy, &process{t: w.t, log: &buffer{}}
		if address == "" {
			address = free(w.t)
		}
		p.cmd = command(address, w.t.TempDir())
		p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
		w.must(p.cmd.Start())
		p.ended = make(chan struct{})
		go func() {
			_ = p.cmd.Wait()
			close(p.ended)
		}()
		w.t.Cleanup(p.stop)
		if p.listens(address) {
			w.proxy = address
			return
		}
		if !strings.Contains(p.log.String(), "in use") {
			w.t.Fatalf("the proxy has ended: %s", p.log)
		}
	}
	w.t.Fatal("no port stays free")
}

func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// process is a running proxy.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	log   *buffer
	ended chan struct{}
}

// listens waits until the process takes connections; false when it has ended before.
func (p *process) listens(address string) bool {
	for {
		select {
		case <-p.ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return true
		}
	}
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	<-p.ended
	if p.t.Failed() {
		p.t.Logf("the proxy said: %s", p.log)
	}
}

// buffer is written by the process while a test reads it.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
