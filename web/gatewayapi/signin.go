package gatewayapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/gateway"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

const (
	authorizePath = "/oauth2/authorize"
	logoutPath    = "/logout"
)

// SignIn sends a browser to the authorization endpoint and has it keep what it came for:
// ?return_to=URL, and &api=URI where several APIs share the host.
func (a *API) SignIn(w http.ResponseWriter, r *http.Request) {
	h, err := a.host(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	api, err := h.asked(r.URL.Query())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	to, state, sealed, err := a.begin(r.Context(), api, r.URL.Query().Get("return_to"))
	if err != nil {
		a.fail(w, r, outage(err))
		return
	}
	makeRoom(w, r, h.at)
	setCookie(w, stateName+state, h.at, sealed, stateAge)
	goTo(w, to)
}

// begin gives where a sign-in to an API goes on, and what the browser keeps meanwhile.
func (a *API) begin(ctx context.Context, api *authz.API, returnTo string) (to, id string, sealed authz.Secret, err error) {
	clientID, err := a.Client(ctx, api)
	if err != nil {
		return "", "", "", err
	}
	callback, err := callbackOf(api)
	if err != nil {
		return "", "", "", err
	}
	state, err := a.Gateway.NewState(api, returnTo)
	if err != nil {
		return "", "", "", err
	}
	if sealed, err = a.Gateway.SealState(state); err != nil {
		return "", "", "", err
	}
	return a.Issuer + authorizePath + "?" + url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {callback},
		"resource": {api.Identifier}, "state": {state.ID},
		"code_challenge": {state.Challenge()}, "code_challenge_method": {"S256"},
	}.Encode(), state.ID, sealed, nil
}

// callbackOf gives the redirect URI of an API's client.
func callbackOf(api *authz.API) (string, error) {
	client, err := gateway.ClientMetadata(api)
	if err != nil {
		return "", err
	}
	return client.RedirectURIs[0], nil
}

// Callback takes the answer of the authorization endpoint, leaves the session with the
// browser and sends it to what it came for.
func (a *API) Callback(w http.ResponseWriter, r *http.Request) {
	h, err := a.host(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	id := r.URL.Query().Get("state")
	state, err := a.Gateway.OpenState(authz.Secret(cookie(r, stateName+id, h.at)), id)
	if err != nil {
		a.again(w, r, h, err)
		return
	}
	session, err := a.finish(r.Context(), h, state, r.URL.Query())
	if err != nil {
		a.fail(w, r, anew(err, state.ReturnTo))
		return
	}
	setCookie(w, stateName+id, h.at, "", 0)
	setCookie(w, sessionName, h.at, a.Gateway.AddSession(sessionCookie(r, h.at), state.API, session), 0)
	goTo(w, state.ReturnTo)
}

// finish redeems the code of an answer.
func (a *API) finish(ctx context.Context, h *host, state gateway.State, answered url.Values) (authz.Secret, error) {
	api := h.named(state.API)
	if api == nil {
		return "", expired(errors.New("the API of the sign-in is not at this host any more"))
	}
	if answered.Get("iss") != a.Issuer { // RFC 9207 §2.4
		return "", expired(errors.New("the answer is another server's"))
	}
	if code := answered.Get("error"); code != "" {
		return "", notAllowed(code, answered.Get("error_description"))
	}
	callback, err := callbackOf(api)
	if err != nil {
		return "", outage(err)
	}
	grantID, err := a.Grants.RedeemForGateway(ctx, gateway.ClientID(api.Identifier), answered.Get("code"), callback, state.Verifier)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return "", expired(err)
	case err != nil:
		return "", outage(err)
	}
	session, err := a.Gateway.SealSession(api.Identifier, grantID)
	if err != nil {
		return "", outage(err)
	}
	return session, nil
}

// notAllowed says what the authorization endpoint answered. The browser may have been sent
// here by anybody, so the code is one that we know or none. Who has cancelled did what they
// meant to do: for them nothing has failed.
func notAllowed(code, description string) error {
	t := answer.Trouble{Status: http.StatusForbidden, Code: code, Cause: errors.New(cmp.Or(description, code))}
	if code == "access_denied" {
		t.Heading, t.Reason = "You are not signed in", "The sign-in was not finished, so this page stays closed."
		t.Advice = "Sign in if you want to see it."
		return &refusal{t}
	}
	t.Code, t.Reason = "sign_in_failed", "You were not signed in here."
	t.Advice = "Open the page that you wanted to see again, and sign in."
	return &refusal{t}
}

// anew has a refusal lead to where the person wanted to go, which begins another sign-in.
// After an outage the same one can go on.
func anew(err error, returnTo string) error {
	var known *refusal
	if !errors.As(err, &known) || known.Status >= http.StatusInternalServerError {
		return err
	}
	t := known.Trouble
	t.Back = page.Link{Text: "Sign in", URL: returnTo}
	return &refusal{t}
}

// again answers a callback that this browser did not begin, or has finished before: who is
// signed in goes on, as after pressing Back.
func (a *API) again(w http.ResponseWriter, r *http.Request, h *host, cause error) {
	for _, api := range h.apis {
		if _, ok := a.Gateway.OpenSession(api.Identifier, sessionCookie(r, h.at)); ok {
			goTo(w, gateway.ReturnTo(api, ""))
			return
		}
	}
	if len(h.apis) == 1 {
		a.fail(w, r, anew(expired(cause), gateway.ReturnTo(h.apis[0], "")))
		return
	}
	a.fail(w, r, expired(cause)) // of which of them, nobody knows
}
