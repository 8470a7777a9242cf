package gatewayapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/web/answer"
)

const retryAfter = 2 * time.Second

// check reads the facts of a dialect, has them judged and writes the verdict. signIn is the
// status by which the dialect sends a person to sign in.
func (a *API) check(w http.ResponseWriter, r *http.Request, signIn int, read func(*http.Request) (gateway.Facts, error)) {
	v := a.judge(r, read)
	h := w.Header()
	if v.Challenge != "" {
		h.Set("WWW-Authenticate", v.Challenge)
	}
	switch v.Outcome {
	case gateway.Allow:
		allow(w, v)
	case gateway.SignIn:
		h.Set("Location", v.Location)
		a.refuse(w, r, answer.Trouble{Status: signIn, Code: "login_required", Reason: "You need to sign in for this."})
	case gateway.Unauthenticated:
		a.refuse(w, r, answer.Trouble{Status: http.StatusUnauthorized, Code: "unauthorized", Reason: "This needs a token that is good for it."})
	case gateway.Forbidden:
		t := answer.Trouble{Status: http.StatusForbidden, Code: "forbidden", Reason: "You may not do this."}
		if v.Challenge == "" { // it is not about who asks
			t.Reason = "This address can be read in more than one way, so nobody is let in by it."
		}
		a.refuse(w, r, t)
	case gateway.Misconfigured:
		a.refuse(w, r, answer.Trouble{Status: http.StatusInternalServerError, Code: "gateway_misconfigured",
			Reason: "This place is not set up right. The people who run it find the reason in the log."})
	default:
		a.refuse(w, r, answer.Trouble{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable",
			RetryAfter: retryAfter, Reason: "Nobody can be let in right now. Try again in a moment."})
	}
}

// judge gives the verdict on a request. What nobody could make sense of is Misconfigured:
// it is the proxy that put it so.
func (a *API) judge(r *http.Request, read func(*http.Request) (gateway.Facts, error)) gateway.Verdict {
	ctx := r.Context()
	if err := a.believe(r); err != nil {
		return misconfigured(ctx, err)
	}
	f, err := read(r)
	if err != nil {
		return misconfigured(ctx, err)
	}
	v, err := a.Gateway.Check(ctx, f)
	switch {
	case v.Outcome == gateway.Allow && (err != nil || v.Token == ""):
		authz.NoteError(ctx, errors.New("the gateway allowed a request without a token"))
		return gateway.Verdict{}
	case v.Outcome == gateway.Unauthenticated && v.Challenge == "":
		v.Challenge = "Bearer"
	}
	return v
}

func misconfigured(ctx context.Context, err error) gateway.Verdict {
	authz.NoteError(ctx, err)
	return gateway.Verdict{Outcome: gateway.Misconfigured, Reason: err.Error()}
}

// allow hands over what the service is to get. Each header is there, so that the proxy has
// something to put in place of the client's own.
func allow(w http.ResponseWriter, v gateway.Verdict) {
	h := w.Header()
	h["Authorization"] = []string{"Bearer " + v.Token}
	h["Remote-User"] = []string{v.Headers[gateway.HeaderUser]}
	h["Remote-Name"] = []string{v.Headers[gateway.HeaderName]}
	h["Remote-Email"] = []string{v.Headers[gateway.HeaderEmail]}
	h["Remote-Groups"] = []string{v.Headers[gateway.HeaderGroups]}
	w.WriteHeader(http.StatusOK)
}
