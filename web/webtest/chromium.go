package webtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Chromium is a real browser without a window. It speaks the DevTools protocol over a pipe.
// Whatever fails in it fails the test.
type Chromium struct {
	t       testing.TB
	in      io.Writer
	session string

	mu      sync.Mutex
	last    int
	waiting map[int]chan reply
	console []string
}

// StartChromium starts a browser with a profile of its own, and ends it with the test.
// Without Chromium on the machine the test is skipped; where CI is set it fails.
func StartChromium(t testing.TB) *Chromium {
	t.Helper()
	path := findChromium(t)
	toBrowser, in := pipe(t)
	out, fromBrowser := pipe(t)
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--ignore-certificate-errors", // servers of tests have made their own
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser} // they are 3 and 4 there
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	_, _ = toBrowser.Close(), fromBrowser.Close()
	c := &Chromium{t: t, in: in, waiting: map[int]chan reply{}}
	done := make(chan struct{})
	go func() { defer close(done); c.listen(out) }()
	t.Cleanup(func() {
		_, _ = c.send("Browser.close", nil)
		<-done
		_, _ = in.Close(), cmd.Wait()
	})
	c.attach()
	return c
}

func findChromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("Chromium is not installed: apt-get install chromium")
	}
	t.Skip("Chromium is not installed: apt-get install chromium")
	return ""
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func (c *Chromium) attach() {
	c.t.Helper()
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	c.session = attached.SessionID
	for _, domain := range []string{"Page.enable", "Runtime.enable", "Log.enable"} {
		c.call(domain, nil, nil)
	}
}

// Open goes to an address, as if it were typed.
func (c *Chromium) Open(address string) {
	c.t.Helper()
	c.call("Page.navigate", map[string]any{"url": address}, nil)
}

// Fill types into the field with this id.
func (c *Chromium) Fill(id, value string) {
	c.t.Helper()
	c.WaitFor("document.getElementById(" + strconv.Quote(id) + ") !== null")
	c.Eval(fmt.Sprintf("document.getElementById(%q).value = %q", id, value))
}

// Press presses the button with this id. It does not wait for what comes of it.
func (c *Chromium) Press(id string) {
	c.t.Helper()
	c.WaitFor("document.readyState === 'complete' && document.getElementById(" + strconv.Quote(id) + ") !== null")
	c.Eval("document.getElementById(" + strconv.Quote(id) + ").click()")
}

// WaitFor waits until a JavaScript expression is true, for as long as the test may run.
func (c *Chromium) WaitFor(expression string) {
	c.t.Helper()
	for c.Eval("String(Boolean("+expression+"))") != "true" {
		if err := c.t.Context().Err(); err != nil {
			c.t.Fatalf("wait for %s: %v", expression, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Eval gives the value of a JavaScript expression that is a string; anything else is empty,
// and so is one that a page could not answer because it was just leaving.
func (c *Chromium) Eval(expression string) string {
	c.t.Helper()
	res, err := c.send("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "userGesture": true})
	if err != nil {
		return ""
	}
	var out struct {
		Result struct{ Value json.RawMessage }
	}
	var text string
	if json.Unmarshal(res, &out) != nil || json.Unmarshal(out.Result.Value, &text) != nil {
		return ""
	}
	return text
}

// URL gives the address of the page.
func (c *Chromium) URL() string { return c.Eval("location.href") }

// Console gives what the browser has complained about, such as violations of a policy.
func (c *Chromium) Console() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.console...)
}

type reply struct {
	result json.RawMessage
	err    error
}

// call has the browser do something that must work.
func (c *Chromium) call(method string, params, result any) {
	c.t.Helper()
	raw, err := c.send(method, params)
	if err == nil && result != nil {
		err = json.Unmarshal(raw, result)
	}
	if err != nil {
		c.t.Fatalf("Chromium: %s: %v", method, err)
	}
}

func (c *Chromium) send(method string, params any) (json.RawMessage, error) {
	c.mu.Lock()
	c.last++
	id, answer := c.last, make(chan reply, 1)
	c.waiting[id] = answer
	message := map[string]any{"id": id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if c.session != "" && !strings.HasPrefix(method, "Browser.") {
		message["sessionId"] = c.session
	}
	body, err := json.Marshal(message)
	if err == nil {
		_, err = c.in.Write(append(body, 0))
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	got := <-answer
	return got.result, got.err
}

// listen hands answers to who waits for them, until the browser is gone.
func (c *Chromium) listen(out io.Reader) {
	in := bufio.NewReader(out)
	for {
		message, err := in.ReadBytes(0)
		if err != nil {
			break
		}
		c.take(message[:len(message)-1])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, answer := range c.waiting {
		answer <- reply{err: io.EOF}
	}
}

func (c *Chromium) take(message []byte) {
	var m struct {
		ID     int
		Method string
		Result json.RawMessage
		Error  *struct{ Message string }
		Params struct{ Entry struct{ Text string } }
	}
	if json.Unmarshal(message, &m) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Method == "Log.entryAdded" {
		c.console = append(c.console, m.Params.Entry.Text)
	}
	answer, ok := c.waiting[m.ID]
	if !ok {
		return
	}
	delete(c.waiting, m.ID)
	got := reply{result: m.Result}
	if m.Error != nil {
		got.err = fmt.Errorf("%s", m.Error.Message)
	}
	answer <- got
}
