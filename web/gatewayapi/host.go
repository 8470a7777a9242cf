package gatewayapi

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/web/answer"
)

// host is a protected host as a browser sees it.
type host struct {
	at   *url.URL
	apis []*authz.API // those that people sign in to there, the longest identifier first
}

// host finds out which protected host a browser is at, from what the proxy there says.
func (a *API) host(r *http.Request) (*host, error) {
	at, err := a.place(r)
	if err != nil {
		return nil, notHere(err)
	}
	catalogue, err := a.Gateway.Catalogue(r.Context())
	if err != nil {
		return nil, outage(err)
	}
	apis := catalogue.SignInAPIs(at)
	if len(apis) == 0 {
		return nil, notHere(errors.New("no API with browser sign-in is registered at " + at.Scheme + "://" + at.Host))
	}
	return &host{at, apis}, nil
}

func (a *API) place(r *http.Request) (*url.URL, error) {
	if err := a.believe(r); err != nil {
		return nil, err
	}
	proto, err := only(r.Header, "X-Forwarded-Proto")
	if err != nil {
		return nil, err
	}
	name := r.Host
	if len(r.Header.Values("X-Forwarded-Host")) > 0 {
		if name, err = only(r.Header, "X-Forwarded-Host"); err != nil {
			return nil, err
		}
	}
	return joinURL(proto, name, "/")
}

// asked finds the API that a person wants to sign in to: the one that is named, else the
// one whose identifier the URL to return to begins with, else the only one there is.
func (h *host) asked(query url.Values) (*authz.API, error) {
	name, returnTo := query.Get("api"), query.Get("return_to")
	fits := func(api *authz.API) bool { return strings.HasPrefix(returnTo, api.Identifier) }
	if name != "" {
		fits = func(api *authz.API) bool { return api.Identifier == name }
	}
	if i := slices.IndexFunc(h.apis, fits); i >= 0 {
		return h.apis[i], nil
	}
	if name == "" && len(h.apis) == 1 {
		return h.apis[0], nil
	}
	return nil, notHere(errors.New("the API to sign in to is not one of this host"))
}

// named finds an API of the host; nil when it has none such.
func (h *host) named(identifier string) *authz.API {
	for _, api := range h.apis {
		if api.Identifier == identifier {
			return api
		}
	}
	return nil
}

// refusal is a reason not to go on with a sign-in or sign-out.
type refusal struct{ answer.Trouble }

func (e *refusal) Error() string { return e.Code + ": " + e.Reason }
func (e *refusal) Unwrap() error { return e.Cause }

func notHere(cause error) error {
	return &refusal{answer.Trouble{
		Status: http.StatusNotFound, Code: "not_found", Cause: cause, Reason: "There is nothing at this address.",
		Advice: "Check the address, or go back to where you came from.",
	}}
}

func expired(cause error) error {
	return &refusal{answer.Trouble{
		Status: http.StatusBadRequest, Code: "sign_in_expired", Cause: cause,
		Reason: "This sign-in has expired or was finished already.",
		Advice: "Open the page that you wanted to see again. It must be in the same browser, and cookies must be allowed.",
	}}
}

func outage(cause error) error { return &refusal{answer.Outage(cause)} }

// fail says why a sign-in or sign-out does not go on. What nobody has a word for is an
// outage.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *refusal
	if !errors.As(err, &known) {
		known = &refusal{answer.Outage(err)}
	}
	a.refuse(w, r, known.Trouble)
}

// goTo sends the browser on with a GET.
func goTo(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
