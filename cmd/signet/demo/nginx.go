package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed nginx.conf
var nginxConf string

// FindNginx gives the path of nginx; false where it is not installed.
func FindNginx() (string, bool) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// StartNginx runs nginx as the gateway at an address, before service and with Signet at
// issuer, until ctx ends; folder is for its files. It returns once nginx takes connections.
func StartNginx(ctx context.Context, path, folder, address, issuer, service string, log *slog.Logger) error {
	conf, err := nginxConfig(folder, address, issuer, service)
	if err != nil {
		return err
	}
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return fmt.Errorf("write nginx configuration: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, "-e", "stderr", "-p", folder, "-c", file)
	cmd.Stderr = os.Stderr
	apart(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start nginx: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := listens(ctx, address, ended); err != nil {
		return fmt.Errorf("start nginx: %w", err)
	}
	go func() {
		if err := <-ended; ctx.Err() == nil {
			log.Error("nginx has stopped", "error", err)
		}
	}()
	return nil
}

func nginxConfig(folder, address, issuer, service string) (string, error) {
	t, err := template.New("nginx").Parse(nginxConf)
	if err != nil {
		return "", err
	}
	hosts := make([]string, 2)
	for i, address := range []string{issuer, service} {
		u, err := url.Parse(address)
		if err != nil {
			return "", err
		}
		hosts[i] = u.Host
	}
	var out strings.Builder
	err = t.Execute(&out, map[string]string{
		"Folder": folder, "Address": address, "Signet": hosts[0], "Orders": hosts[1],
	})
	return out.String(), err
}

// listens waits until somebody takes connections at an address, or the process has ended.
func listens(ctx context.Context, address string, ended <-chan error) error {
	for {
		var dialer net.Dialer
		if conn, err := dialer.DialContext(ctx, "tcp", address); err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			return errors.Join(errors.New("it has ended"), err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
