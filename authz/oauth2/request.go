package oauth2

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// authorization is a validated authorization request.
type authorization struct {
	client      *authz.Client
	request     fosite.AuthorizeRequester
	params      url.Values
	redirectURI string
	mode        string // query or form_post
	state       string
	nonce       string
	challenge   string
	scopes      authz.Scopes
	audience    audience
	prompt      authz.Scopes // a set of words, like scopes
	maxAge      *time.Duration
	claims      claimsRequest
	subject     string // the person that a hint or claim insists on
}

const (
	modeQuery    = "query"
	modeFormPost = "form_post"
	maxState     = 2 << 10
	maxHint      = 320 // an email address: 64 bytes, @, 255 bytes (RFC 5321 §4.5.3.1)
)

// addressed is an error about a request whose client and redirect URI are verified: it may
// be sent there.
type addressed struct {
	refusal                  *Error
	redirectURI, mode, state string
}

func (e *addressed) Error() string { return e.refusal.Error() }
func (e *addressed) Unwrap() error { return e.refusal }

// readAuthorization validates the parameters of an authorization request (RFC 6749 §4.1.1,
// RFC 7636 §4.3, OpenID Connect Core §3.1.2.1, RFC 8707 §2, RFC 9700 §2.1). An error that
// is *addressed belongs to the client; any other is shown to the person, and nobody is
// sent anywhere.
func (p *Provider) readAuthorization(ctx context.Context, v url.Values) (*authorization, error) {
	a, err := p.readAddress(ctx, v)
	if err != nil {
		return nil, err
	}
	if err := p.validate(ctx, a); err != nil {
		return nil, a.address(err)
	}
	return a, nil
}

// readAddress finds out who asks and where the answer goes, before anything else is looked
// at. Its errors are for the person.
func (p *Provider) readAddress(ctx context.Context, v url.Values) (*authorization, error) {
	if v.Get("client_id") == "" {
		return nil, invalidRequest("The client_id is missing.")
	}
	c, err := p.usable(ctx, v.Get("client_id"), fail("invalid_client", "The app that sent you here is not known to this server."))
	if err != nil {
		return nil, err
	}
	a := &authorization{client: c, params: v, state: v.Get("state"), nonce: v.Get("nonce"), mode: modeQuery}
	if a.redirectURI, err = redirectURI(c, v); err != nil {
		return nil, err
	}
	if v.Get("response_mode") == modeFormPost && authz.WebRedirectURI(a.redirectURI) {
		a.mode = modeFormPost
	}
	return a, nil
}

// addressIfKnown gives the error of a repeated parameter the place to which it goes
// (RFC 6749 §4.1.2.1), when repetition is all that is wrong and the parameters that say
// where that place is are beyond doubt.
func (p *Provider) addressIfKnown(ctx context.Context, v url.Values, refusal error) error {
	once := url.Values{}
	for name, values := range v {
		once[name] = values[:1]
		if len(values) > 1 && slices.Contains([]string{"client_id", "redirect_uri", "response_mode", "state"}, name) {
			return refusal
		}
	}
	if strict(once) != nil {
		return refusal
	}
	a, err := p.readAddress(ctx, once)
	if err != nil {
		return refusal
	}
	return a.address(refusal)
}

// address gives an error the place to which it goes. An outage is shown here instead: a
// client could do nothing about it, and the person can try again. Only where no person
// looks, in a renewal behind the scenes, the client must hear of it or wait for ever.
func (a *authorization) address(err error) error {
	e := translate(err)
	if e.Status == http.StatusServiceUnavailable && !authz.ParseScopes(a.params.Get("prompt")).Has("none") {
		return e
	}
	state := a.state
	if len(state) > maxState {
		state = ""
	}
	return &addressed{refusal: e, redirectURI: a.redirectURI, mode: a.mode, state: state}
}

// redirectURI gives the redirect URI of a request, which is one of the registered ones. It
// may be left out if only one is registered, but not by OpenID clients.
func redirectURI(c *authz.Client, v url.Values) (string, error) {
	asked, registered := v.Get("redirect_uri"), c.Metadata.RedirectURIs
	switch {
	case asked == "" && len(registered) == 1 && !authz.ParseScopes(v.Get("scope")).Has(authz.ScopeOpenID):
		return registered[0], nil
	case asked == "":
		return "", invalidRequest("The redirect_uri is missing.")
	case !authz.MatchRedirectURI(registered, asked):
		return "", invalidRequest(c.DisplayName() + " asked to send you to an address that it has not registered, so you were stopped here.")
	}
	return asked, nil
}

func (p *Provider) validate(ctx context.Context, a *authorization) error {
	v := a.params
	for _, check := range []func() error{
		func() error { return checkRequestObject(v) },
		func() error { return a.readLengths() },
		func() error { return a.readThroughFosite(ctx, p.fosite) },
		func() error { return a.readMode() },
		func() error { return a.readChallenge() },
		func() error { return a.readPrompt() },
		func() error { return a.readMaxAge() },
		func() error { return a.readClaims() },
		func() error { return a.readTarget(ctx, p) },
		func() error { return a.readHint(p) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkRequestObject refuses what OpenID Connect Core §6 makes optional.
func checkRequestObject(v url.Values) error {
	switch {
	case v.Has("request"):
		return fail("request_not_supported", "Request objects are not supported.")
	case v.Has("request_uri"):
		return fail("request_uri_not_supported", "The request_uri parameter is not supported.")
	case v.Has("registration"):
		return fail("registration_not_supported", "The registration parameter is not supported.")
	}
	return nil
}

// readLengths bounds what is kept and echoed of a request without being looked at.
func (a *authorization) readLengths() error {
	switch {
	case len(a.state) > maxState:
		return invalidRequest("The state is longer than 2 KiB.")
	case len(a.nonce) > maxState:
		return invalidRequest("The nonce is longer than 2 KiB.")
	case len(a.params.Get("login_hint")) > maxHint:
		return invalidRequest("The login_hint is longer than any username or email address.")
	}
	return nil
}

// readThroughFosite lets fosite read what is left. It asks for a state last of all; ours
// is optional, since PKCE and iss do its work.
func (a *authorization) readThroughFosite(ctx context.Context, f *fosite.Fosite) error {
	if a.params.Get("response_type") == "" {
		return invalidRequest("The response_type is missing.")
	}
	if !a.client.Allows(authz.GrantAuthorizationCode) {
		return fail("unauthorized_client", "The client is not registered for the authorization code grant.")
	}
	v := url.Values{
		"client_id": {a.client.ID}, "redirect_uri": {a.redirectURI},
		"response_type": a.params["response_type"], "state": {a.state},
	}
	ctx = context.WithValue(ctx, clientKey{}, &client{Client: a.client, redirectURI: a.redirectURI})
	request, err := f.NewAuthorizeRequest(ctx, synthetic(http.MethodGet, v))
	if err != nil && !(a.state == "" && errors.Is(err, fosite.ErrInvalidState)) {
		return err
	}
	a.request = request
	return nil
}

func (a *authorization) readMode() error {
	switch asked := a.params.Get("response_mode"); {
	case asked == "" || asked == a.mode:
		return nil
	case asked == modeFormPost:
		return invalidRequest("The response_mode form_post needs a redirect_uri that is on the web.")
	}
	return invalidRequest("The response_mode must be query or form_post.")
}

// readChallenge enforces PKCE with S256 (RFC 7636 §4.3, RFC 9700 §2.1.1). A confidential
// OpenID client may be registered to do without, and then rests on its nonce; a challenge
// that is sent is always enforced.
func (a *authorization) readChallenge() error {
	challenge, method := a.params.Get("code_challenge"), a.params.Get("code_challenge_method")
	if challenge == "" && method == "" {
		waived := !a.client.Metadata.RequirePKCE && !a.client.Public() &&
			authz.ParseScopes(a.params.Get("scope")).Has(authz.ScopeOpenID)
		if waived {
			return nil
		}
		return invalidRequest("PKCE is required: send a code_challenge with code_challenge_method S256.")
	}
	if method != "S256" {
		return invalidRequest("The code_challenge_method must be S256.")
	}
	if raw, err := b64.DecodeString(challenge); err != nil || len(raw) != 32 {
		return invalidRequest("The code_challenge must be the 43 base64url characters of a SHA-256.")
	}
	a.challenge = challenge
	return nil
}

var prompts = authz.Scopes{"none", "login", "consent", "select_account"}

func (a *authorization) readPrompt() error {
	a.prompt = authz.ParseScopes(a.params.Get("prompt"))
	switch {
	case !prompts.Contains(a.prompt):
		return invalidRequest("The prompt must be none, login, consent or select_account.")
	case a.prompt.Has("none") && len(a.prompt) > 1:
		return invalidRequest("The prompt none cannot be combined with others.")
	}
	return nil
}

func (a *authorization) readMaxAge() error {
	text := a.params.Get("max_age")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return invalidRequest("The max_age must be a whole number of seconds.")
	}
	age := time.Duration(seconds) * time.Second
	a.maxAge = &age
	return nil
}

func (a *authorization) readClaims() error {
	var err error
	if a.claims, err = parseClaims(a.params.Get("claims")); err != nil {
		return invalidRequest("The claims parameter is not as OpenID Connect Core has it in section 5.5.")
	}
	if a.subject, err = a.claims.subject(); err != nil {
		return invalidRequest("The claims parameter demands a sub that is not one person.")
	}
	return nil
}

func (a *authorization) readTarget(ctx context.Context, p *Provider) error {
	var err error
	if a.audience, err = p.chooseAudience(ctx, a.client, a.params["resource"]); err != nil {
		return err
	}
	if a.scopes, err = askedScopes(a.client, a.audience, a.params.Get("scope")); err != nil {
		return err
	}
	// A client that may refresh need not ask for offline_access; the person is asked for it
	// all the same.
	if a.client.Allows(authz.GrantRefreshToken) && a.client.Metadata.Scope.Has(authz.ScopeOfflineAccess) {
		a.scopes = a.scopes.With(authz.Scopes{authz.ScopeOfflineAccess})
	} else if !a.client.Allows(authz.GrantRefreshToken) {
		a.scopes = a.scopes.Without(authz.Scopes{authz.ScopeOfflineAccess})
	}
	return nil
}

// readHint reads id_token_hint (OpenID Connect Core §3.1.2.1): an ID token of ours for this
// client, by whichever key, expired or not.
func (a *authorization) readHint(p *Provider) error {
	hint := a.params.Get("id_token_hint")
	if hint == "" {
		return nil
	}
	claims, err := p.readIDToken(hint)
	if errors.Is(err, authz.ErrNotFound) {
		// The key is gone, be it ours of last year: whom it names cannot be known any more.
		return a.unlessNone("login_required", "The id_token_hint was signed too long ago to be read.")
	}
	if err != nil || !slices.Contains(claims.Audience, a.client.ID) {
		return invalidRequest("The id_token_hint is not an ID token that was issued to this client.")
	}
	if a.subject != "" && a.subject != claims.Subject {
		return invalidRequest("The id_token_hint and the claims parameter name different people.")
	}
	a.subject = claims.Subject
	return nil
}

// has reports whether the client sent this word in prompt.
func (a *authorization) has(prompt string) bool { return a.prompt.Has(prompt) }

// sensitive reports that consent must be asked for every time: nothing proves that the app
// that gets the answer is the one that was allowed (RFC 8252 §8.6).
func (a *authorization) sensitive() bool {
	return a.client.Public() && authz.PrivateUseScheme(a.redirectURI)
}

// understood keeps the parameters that are read here. A request is stored without the
// others: no credential that somebody sends by mistake is written down.
func understood(v url.Values) url.Values {
	out := url.Values{}
	for _, name := range authorizeNames {
		if values, ok := v[name]; ok {
			out[name] = values
		}
	}
	return out
}
