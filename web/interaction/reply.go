package interaction

import (
	"net/http"
	"net/url"
	"time"

	"github.com/signet-auth/signet/authz/oauth2"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/page"
)

// Replies are the pages that the authorization endpoint answers with by itself.
type Replies struct{ answers *answer.Writer }

// NewReplies makes them.
func NewReplies(answers *answer.Writer) Replies { return Replies{answers} }

// ErrorPage tells a person about a request that no app may be told about.
func (p Replies) ErrorPage(w http.ResponseWriter, r *http.Request, e oauth2.PageError) {
	if e.Status == http.StatusServiceUnavailable {
		t := answer.Outage(nil)
		t.Code = e.Code
		p.answers.Page(w, r, t)
		return
	}
	p.answers.Page(w, r, answer.Trouble{Status: e.Status, Code: e.Code, Reason: e.Description, Advice: advice(r, e)})
}

// advice says what to do about a request that no app can be told about. What is wrong with
// one that does not wait for a person yet is for the app's developer to mend.
func advice(r *http.Request, e oauth2.PageError) string {
	if e.Code != "invalid_request" || r.URL.Query().Has("interaction") {
		return ""
	}
	return "Nothing was shared. If you build this app: register the exact redirect_uri, and send it with the client_id."
}

// FormPost sends an authorization response to an app in a form.
func (p Replies) FormPost(w http.ResponseWriter, r *http.Request, action string, params url.Values) {
	middleware.AllowFormRedirect(w.Header(), action)
	app := page.App{Name: "the app"}
	if u, err := url.Parse(action); err == nil && u.Host != "" {
		app.Name = u.Host
	}
	p.answers.Show(w, r, http.StatusOK, page.FormPost{
		Layout: p.answers.Layout(r), App: app, Action: action, Params: params,
	})
}

// expired is what a person sees who comes back too late, or with a link from elsewhere.
func expired() answer.Trouble {
	return answer.Trouble{
		Status: http.StatusNotFound, Code: "sign_in_expired",
		Reason: "It took too long, or it was finished already.",
		Advice: "Go back to the app and start again. It must be in the same browser.",
		Back:   answer.ToAccount(),
	}
}

// goTo sends the browser on with a GET.
func goTo(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
}

// seconds rounds up: nobody is told to come back too early.
func seconds(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }
