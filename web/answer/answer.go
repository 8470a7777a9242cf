// Package answer tells what went wrong, once and in the words of who asked: a page for a
// person, problem details (RFC 9457) for a program. It carries the correlation id that the
// log line has too, and hands the cause to that line instead of sending it. What refusals
// mean is decided by who calls it.
package answer

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/page"
)

// Trouble is a reason not to do what a request asks for.
type Trouble struct {
	Status int
	// Heading says in a few words what happened; empty: what goes with the code.
	Heading string
	// Code is a registered OAuth code or a word of ours, such as "not_found".
	Code string
	// Reason is one plain sentence, Advice says what to do now; empty gives general advice.
	Reason, Advice string
	// Back leads a person out.
	Back page.Link
	// RetryAfter is when to come back; zero: not said.
	RetryAfter time.Duration
	// Cause goes to the log line and to nobody else.
	Cause error
}

// Writer writes answers. It is safe for concurrent use.
type Writer struct {
	pages *page.Set
	now   func() time.Time
}

// New makes a Writer that draws pages from a set.
func New(pages *page.Set, now func() time.Time) *Writer {
	return &Writer{pages: pages, now: now}
}

// Layout gives what all pages have in common: whose page it is, and when.
func (w *Writer) Layout(r *http.Request) page.Layout {
	out := page.Layout{Now: w.now()}
	if _, user := authz.SessionFrom(r.Context()); user != nil {
		out.User = user.DisplayName()
	}
	return out
}

// Show sends a page.
func (w *Writer) Show(rw http.ResponseWriter, r *http.Request, status int, p page.Page) {
	err := w.pages.Write(rw, status, p)
	if err == nil {
		return
	}
	authz.NoteError(r.Context(), err)
	if rw.Header().Get("Content-Type") == "" { // nothing was sent: the page could not be drawn
		http.Error(rw, "This page cannot be shown. Please try again.", http.StatusInternalServerError)
	}
}

// Page tells a person.
func (w *Writer) Page(rw http.ResponseWriter, r *http.Request, t Trouble) {
	t.announce(rw, r)
	w.Show(rw, r, t.Status, page.Error{
		Layout: w.Layout(r), Heading: t.Heading, Code: t.Code, Reason: t.Reason, Advice: t.Advice, Back: t.Back,
		ID: authz.OriginFrom(r.Context()).CorrelationID,
	})
}

// Problem tells a program, in problem details (RFC 9457 §3).
func (w *Writer) Problem(rw http.ResponseWriter, r *http.Request, t Trouble) {
	t.announce(rw, r)
	body, err := json.Marshal(struct {
		Type     string `json:"type"`
		Title    string `json:"title"`
		Status   int    `json:"status"`
		Detail   string `json:"detail,omitempty"`
		Code     string `json:"code"`
		Instance string `json:"instance,omitempty"` // the correlation id of the request
	}{"urn:signet:problem:" + t.Code, http.StatusText(t.Status), t.Status, t.Reason, t.Code, authz.OriginFrom(r.Context()).CorrelationID})
	if err != nil {
		http.Error(rw, http.StatusText(t.Status), t.Status)
		return
	}
	h := rw.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	rw.WriteHeader(t.Status)
	_, _ = rw.Write(body)
}

// ByAccept tells whoever asked at an address that is nobody's in particular: a page if
// they accept one, problem details otherwise.
func (w *Writer) ByAccept(rw http.ResponseWriter, r *http.Request, t Trouble) {
	if strings.Contains(strings.ToLower(r.Header.Get("Accept")), "text/html") {
		w.Page(rw, r, t)
		return
	}
	w.Problem(rw, r, t)
}

func (t Trouble) announce(rw http.ResponseWriter, r *http.Request) {
	if t.Cause != nil {
		authz.NoteError(r.Context(), t.Cause)
	}
	if t.RetryAfter > 0 {
		RetryAfter(rw, t.RetryAfter)
	}
}

// RetryAfter says when to come back, in whole seconds and never too early (RFC 9110 §10.2.3).
func RetryAfter(rw http.ResponseWriter, d time.Duration) {
	rw.Header().Set("Retry-After", strconv.Itoa(int((d+time.Second-1)/time.Second)))
}

// Outage is what a request gets when the server cannot do its work for a while: never a
// refusal, and never "signed out".
func Outage(cause error) Trouble {
	return Trouble{
		Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", RetryAfter: 5 * time.Second,
		Reason: "Signet cannot answer right now.", Cause: cause,
		Advice: "Wait a few seconds, then load this page again. Nothing is lost.",
	}
}

// TooLarge reports whether reading a body failed because of its size, and what to say.
func TooLarge(err error) (Trouble, bool) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
		return Trouble{}, false
	}
	return Trouble{
		Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Reason: "That was more than this page takes.", Advice: "Go back and send less.",
	}, true
}

// StaleForm is what a form gets whose token is missing or was made for something else: it
// was open when somebody signed in or out, or it was not our page that sent it.
func StaleForm(back page.Link) Trouble {
	return Trouble{
		Status: http.StatusForbidden, Code: "form_expired",
		Reason: "Nothing was changed.",
		Advice: "Open it again and repeat what you did.",
		Back:   back,
	}
}

// ToAccount is the way out for somebody who can go nowhere else.
func ToAccount() page.Link { return page.Link{Text: "Your account", URL: "/account"} }
