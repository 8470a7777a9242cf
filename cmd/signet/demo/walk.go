package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Story is what a walk needs to know.
type Story struct {
	Issuer    string
	AppURL    string
	OrdersURL string
	Gateway   string // the address of the orders service behind the gateway
	Username  string
	Password  string
}

// ErrStory says that a step of the walk failed; which one, the walk has told.
var ErrStory = errors.New("a step of the demo failed")

// Step is what a step of the walk has shown.
type Step struct {
	What    string `json:"step"`
	Passed  bool   `json:"passed"`
	Problem string `json:"problem,omitempty"`
}

func (s Step) String() string {
	if s.Passed {
		return "PASS  " + s.What
	}
	return "FAIL  " + s.What + ": " + s.Problem
}

// Walk goes through the whole story over HTTP, through the pages that a person would see,
// and tells of each step. It ends at the first that fails, with an error that wraps ErrStory.
func Walk(ctx context.Context, s Story, tell func(Step)) error {
	b, err := newBrowser()
	if err != nil {
		return err
	}
	w := &walk{Story: s, b: b}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"the app invites to sign in with Signet", w.openApp},
		{"Signet shows its login page, and names the app", w.goToLogin},
		{"a wrong password is refused kindly", w.wrongPassword},
		{"the right one leads to the consent page", w.login},
		{"the consent page says in plain words what the app may do", w.readConsent},
		{"allowing all but the email address leads back to the app", w.allow},
		{"the app knows the person's name, and not their address", w.readName},
		{"the orders service answers the app's access token", w.readOrders},
		{"the orders service refuses a request without a token", w.withoutToken},
		{"the orders service refuses a token that was tampered with", w.forgedToken},
		{"the app refreshes its access token", w.refresh},
		{"the app signs the person out", w.signOut},
		{"a second sign-in asks nothing again", w.signInAgain},
		{"the account page lists the app", w.listApps},
		{"the gateway sends a request without anything away", w.gatewayWithout},
		{"the gateway lets the app's access token pass", w.gatewayWithApp},
		{"the gateway knows the browser that is signed in", w.gatewayWithBrowser},
		{"the person makes an API token for reading orders", w.makeToken},
		{"the gateway lets the API token pass, and the service sees a JWT", w.gatewayWithToken},
		{"the person revokes the API token, and the gateway refuses it", w.revokeToken},
		{"the person takes the app's access back, and the service itself refuses its token", w.revokeApp},
		{"the app notices, and says so kindly", w.notice},
	} {
		if err := step.do(ctx); err != nil {
			tell(Step{What: step.what, Problem: err.Error()})
			return fmt.Errorf("%w: %s", ErrStory, step.what)
		}
		tell(Step{What: step.what, Passed: true})
	}
	return nil
}

// walk is one walk under way.
type walk struct {
	Story
	b     *browser
	token string // the API token
}

func (w *walk) openApp(ctx context.Context) error {
	if err := w.b.open(ctx, w.AppURL+"/"); err != nil {
		return err
	}
	return w.shows("sign-in-with-signet", "Sign in with Signet")
}

func (w *walk) goToLogin(ctx context.Context) error {
	if err := w.b.press(ctx, "sign-in-with-signet", nil); err != nil {
		return err
	}
	if !strings.HasPrefix(w.b.url.String(), w.Issuer+"/login") {
		return fmt.Errorf("arrived at %s", w.b.url.Path)
	}
	return w.mentions("Acme Calendar")
}

func (w *walk) wrongPassword(ctx context.Context) error {
	err := w.b.press(ctx, "sign-in", url.Values{"username": {w.Username}, "password": {"not my password"}})
	if w.b.find("sign-in") == nil {
		return fmt.Errorf("the login page did not come back: %w", err)
	}
	return nil
}

func (w *walk) login(ctx context.Context) error {
	err := w.b.press(ctx, "sign-in", url.Values{"username": {w.Username}, "password": {w.Password}})
	if err != nil {
		return err
	}
	return w.at("/consent")
}

func (w *walk) readConsent(context.Context) error {
	for _, words := range []string{"Acme Calendar", "See your orders", "See your email address"} {
		if err := w.mentions(words); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) allow(ctx context.Context) error {
	if err := w.b.press(ctx, "allow", nil, "email"); err != nil {
		return err
	}
	return w.backAtApp()
}

func (w *walk) readName(context.Context) error {
	if w.b.find("email") != nil {
		return errors.New("the app shows the email address, which was not allowed")
	}
	return w.shows("name", "Alice Liddell")
}

func (w *walk) readOrders(context.Context) error { return w.shows("orders", "croquet") }

func (w *walk) withoutToken(ctx context.Context) error {
	return w.refused(ctx, "")
}

func (w *walk) forgedToken(ctx context.Context) error {
	return w.refused(ctx, "Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.e30.")
}

// refused asks the orders service by itself and expects 401 with a challenge.
func (w *walk) refused(ctx context.Context, authorization string) error {
	return expect401(ask(ctx, w.OrdersURL, authorization))
}

// ask sends a program's request: no cookies, no pages.
func ask(ctx context.Context, at, authorization string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/orders", nil)
	if err != nil {
		return nil, "", err
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp, string(body), err
}

func expect401(resp *http.Response, _ string, err error) error {
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "":
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}

func (w *walk) refresh(ctx context.Context) error {
	if err := w.b.press(ctx, "refresh", nil); err != nil {
		return err
	}
	if err := w.shows("refreshed", "fresh access token"); err != nil {
		return err
	}
	return w.readOrders(ctx)
}

func (w *walk) signInAgain(ctx context.Context) error {
	if err := w.b.open(ctx, w.AppURL+"/login"); err != nil {
		return err
	}
	return w.backAtApp()
}

func (w *walk) listApps(ctx context.Context) error {
	if err := w.b.open(ctx, w.Issuer+"/account/apps"); err != nil {
		return err
	}
	return w.mentions("Acme Calendar")
}

func (w *walk) notice(ctx context.Context) error {
	if err := w.b.press(ctx, "update", nil); err != nil {
		return err
	}
	if err := w.shows("problem", "access back"); err != nil {
		return err
	}
	return w.shows("sign-in-with-signet", "Sign in with Signet")
}

func (w *walk) signOut(ctx context.Context) error {
	if err := w.b.open(ctx, w.AppURL+"/"); err != nil {
		return err
	}
	if err := w.b.press(ctx, "sign-out-app", nil); err != nil {
		return err
	}
	return w.shows("sign-in-with-signet", "Sign in with Signet")
}

func (w *walk) backAtApp() error {
	if !strings.HasPrefix(w.b.url.String(), w.AppURL+"/") {
		return fmt.Errorf("arrived at %s: %s", w.b.url, w.b.text("error"))
	}
	if problem := w.b.text("problem"); problem != "" {
		return errors.New("the app says: " + problem)
	}
	return nil
}

func (w *walk) at(path string) error {
	if w.b.url.Path != path {
		return fmt.Errorf("arrived at %s: %s", w.b.url.Path, w.b.text("error"))
	}
	return nil
}

func (w *walk) shows(id, words string) error {
	if got := w.b.text(id); !strings.Contains(got, words) {
		return fmt.Errorf("#%s says %q, not %q: %s", id, got, words, w.b.text("problem"))
	}
	return nil
}

// mentions looks for words anywhere on the page, not in what carries them unseen.
func (w *walk) mentions(words string) error {
	if !strings.Contains(allText(w.b.page), words) {
		return fmt.Errorf("the page does not say %q", words)
	}
	return nil
}
