package oauth2

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// codeGrant is the authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636) and
// OpenID Connect's code flow (OpenID Connect Core §3.1), both ends of it.
type codeGrant struct{ p *Provider }

var (
	_ fosite.AuthorizeEndpointHandler = (*codeGrant)(nil)
	_ fosite.TokenEndpointHandler     = (*codeGrant)(nil)
)

// HandleAuthorizeEndpointRequest hands out a code: the grant's id, by which it is found
// again, and a secret that the database has the hash of.
func (h *codeGrant) HandleAuthorizeEndpointRequest(ctx context.Context, r fosite.AuthorizeRequester, resp fosite.AuthorizeResponder) error {
	if !r.GetResponseTypes().ExactOne("code") {
		return nil
	}
	c, err := newCode(h.p.Random)
	if err != nil {
		return unavailable(err)
	}
	g := r.GetSession().(*carrier).grant
	g.ID, g.CodeHash = c.grantID, c.hash()
	// The place stays taken for as long as any token may carry it: until the grant ends,
	// if its code is redeemed as late as it can be.
	ends := g.ExpiresAt
	if g.RefreshSeq > 0 {
		ends = g.CodeExpiresAt.Add(lifetime(h.p.Lifetimes.Refresh, r.GetSession().(*carrier).auth.client.Metadata.RefreshLifetime))
	}
	if g.StatusIndex, err = h.p.Statuses.Allocate(ctx, ends); err != nil {
		return unavailable(err)
	}
	if err := h.p.Store.InsertGrant(ctx, g); err != nil {
		return notFoundOr(err, fail("access_denied", "The account or the app was deleted."))
	}
	resp.AddParameter("code", c.String())
	r.SetResponseTypeHandled("code")
	return nil
}

// CanHandleTokenEndpointRequest reports whether the request is of this grant.
func (h *codeGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(authz.GrantAuthorizationCode)
}

// CanSkipClientAuth is false: every client says which it is.
func (h *codeGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// HandleTokenEndpointRequest redeems the code with one statement (RFC 6749 §4.1.3). A code
// that was spent before costs the grant (§4.1.2).
func (h *codeGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	c := r.GetClient().(*client).Client
	if !c.Allows(authz.GrantAuthorizationCode) {
		return errNotRegistered(authz.GrantAuthorizationCode)
	}
	form, now := r.GetRequestForm(), h.p.Now()
	claim, err := h.p.codeClaim(c, form.Get("code"), form.Get("redirect_uri"), form.Get("code_verifier"), now)
	if err != nil {
		return err
	}
	if err := h.p.foresee(ctx, c, claim.GrantID, nil, form); err != nil {
		return err
	}
	g, err := h.p.Store.RedeemCode(ctx, claim)
	switch {
	case errors.Is(err, authz.ErrNotFound):
		return h.p.codeRefused(ctx, claim)
	case err != nil:
		return unavailable(err)
	}
	r.GetSession().(*carrier).issue = &issue{grant: g, client: c, now: now, nonce: g.Nonce, seq: g.RefreshSeq}
	return nil
}

func (p *Provider) codeClaim(c *authz.Client, sent, redirectURI, verifier string, now time.Time) (authz.CodeClaim, error) {
	if sent == "" {
		return authz.CodeClaim{}, invalidRequest("The code is missing.")
	}
	parsed, ok := parseCode(sent)
	if !ok {
		return authz.CodeClaim{}, errCode
	}
	challenge, err := challengeOf(verifier)
	if err != nil {
		return authz.CodeClaim{}, err
	}
	// Without PKCE nothing but the redirect URI ties the code to its request.
	if challenge == "" && redirectURI == "" {
		return authz.CodeClaim{}, invalidRequest("The code_verifier is missing.")
	}
	m := c.Metadata
	return authz.CodeClaim{
		GrantID: parsed.grantID, ClientID: c.ID, CodeHash: parsed.hash(),
		RedirectURI: redirectURI, CodeChallenge: challenge,
		RefreshExpiresAt: now.Add(lifetime(p.Lifetimes.RefreshIdle, m.RefreshIdleLifetime)),
		ExpiresAt:        now.Add(lifetime(p.Lifetimes.Refresh, m.RefreshLifetime)),
		Now:              now,
	}, nil
}

var errCode = invalidGrant("The code is unknown, expired, spent, or was issued to another client or for another redirect_uri or code_challenge.")

// codeRefused finds out whether a code was refused because it had been spent, and revokes
// what grew from it if so.
func (p *Provider) codeRefused(ctx context.Context, claim authz.CodeClaim) error {
	err := p.Store.RevokeReusedCode(ctx, claim.GrantID, claim.ClientID, claim.CodeHash, claim.Now)
	switch {
	case err == nil:
		p.record(ctx, authz.Event{
			Kind: authz.EventCodeReuse, Actor: claim.ClientID, ClientID: claim.ClientID, GrantID: claim.GrantID,
		})
	case !errors.Is(err, authz.ErrNotFound):
		return unavailable(err)
	default: // a guess, a wrong verifier, or a client that was too slow
		p.recordFailure(ctx, authz.Event{
			Kind: authz.EventCodeRefused, Actor: claim.ClientID, ClientID: claim.ClientID, Detail: map[string]string{"grant": claim.GrantID},
		})
	}
	return errCode
}

// challengeOf computes the S256 challenge of a verifier (RFC 7636 §4.6). No verifier has
// no challenge, and matches a code that had none.
func challengeOf(verifier string) (string, error) {
	if verifier == "" {
		return "", nil
	}
	if len(verifier) < 43 || len(verifier) > 128 || !unreserved(verifier) {
		return "", invalidGrant("The code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~.")
	}
	sum := sha256.Sum256([]byte(verifier))
	return b64.EncodeToString(sum[:]), nil
}

func unreserved(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' || c == '.' || c == '_' || c == '~':
		default:
			return false
		}
	}
	return true
}

// PopulateTokenEndpointResponse hands out the tokens.
func (h *codeGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	return h.p.handOut(ctx, r, resp)
}

func errNotRegistered(grantType string) *Error {
	return fail("unauthorized_client", "The client is not registered for the grant type "+grantType+".")
}
