package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/signet-auth/signet/cmd/signet/demo"
)

// The demo is a promise to whoever has just cloned the repository: all of it works, through
// the pages, with the app, the service and each gateway.
func TestTheDemoTellsItsWholeStory(t *testing.T) {
	t.Parallel()
	for _, gateway := range []string{gatewayNginx, gatewayBuiltIn} {
		t.Run(gateway, func(t *testing.T) {
			t.Parallel()
			if _, installed := demo.FindNginx(); gateway == gatewayNginx && !installed {
				if os.Getenv("CI") != "" {
					t.Fatal("nginx is not installed: apt-get install nginx")
				}
				t.Skip("nginx is not installed: apt-get install nginx")
			}
			var out, errs bytes.Buffer
			port := strconv.Itoa(fourFreePorts(t))
			code := run(t.Context(), terminal{strings.NewReader(""), &out, &errs, nil},
				[]string{"demo", "--once", "--gateway", gateway, "--port", port})
			if code != exitOK || strings.Contains(out.String(), "FAIL") || strings.Count(out.String(), "PASS") < 20 {
				t.Errorf("exit %d\n%s%s", code, out.String(), errs.String())
			}
		})
	}
}

// For programs the story is a line of JSON for each step.
func TestTheDemoTellsItsStoryToPrograms(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	code := run(t.Context(), terminal{strings.NewReader(""), &out, &errs, nil},
		[]string{"demo", "--once", "--json", "--gateway", gatewayBuiltIn, "--port", strconv.Itoa(fourFreePorts(t))})
	if code != exitOK {
		t.Fatalf("exit %d\n%s%s", code, &out, &errs)
	}
	steps := 0
	for line := range strings.Lines(out.String()) {
		var step demo.Step
		if err := json.Unmarshal([]byte(line), &step); err != nil || !step.Passed || step.What == "" {
			t.Errorf("%q: %v", line, err)
		}
		steps++
	}
	if steps < 20 {
		t.Errorf("%d steps", steps)
	}
}

// fourFreePorts gives the first of four ports in a row that nobody listens on.
func fourFreePorts(t *testing.T) int {
	t.Helper()
	for range 100 {
		first := freePort(t)
		free := first+3 < 65536
		for port := first; free && port < first+4; port++ {
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
			if err != nil {
				free = false
				break
			}
			_ = l.Close()
		}
		if free {
			return first
		}
	}
	t.Fatal("there are no four free ports in a row")
	return 0
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
