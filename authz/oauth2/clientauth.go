package oauth2

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// credential is what a request shows to prove which client it is (RFC 6749 §2.3).
type credential struct {
	method    string
	clientID  string
	secret    authz.Secret
	assertion string
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2

// errUnknownClient is one text for an unknown client and a wrong secret.
const errUnknownClient = "The client is unknown, or its credentials are wrong."

// readCredential finds exactly one method of authentication; two are an error, even if
// both are right (RFC 6749 §2.3).
func readCredential(header http.Header, form url.Values) (credential, error) {
	var found []credential
	switch headers := header.Values("Authorization"); {
	case len(headers) > 1:
		return credential{}, invalidRequest("There is more than one Authorization header.")
	case len(headers) == 1:
		c, err := readBasic(headers[0])
		if err != nil {
			return credential{}, err
		}
		found = append(found, c)
	}
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		if form.Get("client_assertion_type") != assertionType {
			return credential{}, invalidRequest("The client_assertion_type must be " + assertionType + ".")
		}
		found = append(found, credential{method: authz.AuthPrivateKeyJWT, assertion: form.Get("client_assertion")})
	}
	if form.Has("client_secret") {
		found = append(found, credential{
			method: authz.AuthSecretPost, clientID: form.Get("client_id"), secret: authz.Secret(form.Get("client_secret")),
		})
	}
	switch {
	case len(found) > 1:
		return credential{}, invalidRequest("Use one method of client authentication, not several.")
	case len(found) == 1:
		return found[0], nil
	case form.Get("client_id") == "":
		return credential{}, invalidClient("Say which client this is: there was no client authentication and no client_id.")
	}
	return credential{method: authz.AuthNone, clientID: form.Get("client_id")}, nil
}

// readBasic reads the form-encoded pair of RFC 6749 §2.3.1.
func readBasic(value string) (credential, error) {
	wrong := invalidClient("The Authorization header is not HTTP Basic as RFC 6749 has it in section 2.3.1.")
	r := http.Request{Header: http.Header{"Authorization": {value}}}
	id, secret, ok := r.BasicAuth()
	if !ok {
		return credential{}, wrong
	}
	id, err := url.QueryUnescape(id)
	if err != nil {
		return credential{}, wrong
	}
	if secret, err = url.QueryUnescape(secret); err != nil {
		return credential{}, wrong
	}
	return credential{method: authz.AuthSecretBasic, clientID: id, secret: authz.Secret(secret)}, nil
}

// authenticate finds out which client sends a request and that it is this client
// (RFC 6749 §2.3, RFC 7523 §3). The method must be the one that the client is registered
// for. The error is invalid_request, invalid_client, or an outage.
func (p *Provider) authenticate(ctx context.Context, header http.Header, form url.Values) (*authz.Client, error) {
	cred, err := readCredential(header, form)
	if err != nil {
		return nil, err
	}
	c, err := p.prove(ctx, cred)
	if err != nil {
		if refused := new(Error); errors.As(err, &refused) && refused.Code == "invalid_client" {
			p.recordUnproven(ctx, cred)
		}
		return nil, err
	}
	if id := form.Get("client_id"); id != "" && id != c.ID {
		return nil, invalidRequest("The client_id is not that of the authenticated client.")
	}
	return c, nil
}

// recordUnproven notes who the client said it was, which nobody has proven.
func (p *Provider) recordUnproven(ctx context.Context, cred credential) {
	claimed := cred.clientID
	if cred.method == authz.AuthPrivateKeyJWT {
		claimed, _, _ = assertedClient(cred.assertion)
	}
	p.recordFailure(ctx, authz.Event{
		Kind: authz.EventClientAuthFail, Actor: "client",
		Detail: map[string]string{"client_id": sayable(claimed), "method": cred.method},
	})
}

func (p *Provider) prove(ctx context.Context, cred credential) (*authz.Client, error) {
	if cred.method == authz.AuthPrivateKeyJWT {
		return p.proveByKey(ctx, cred.assertion)
	}
	c, err := p.usable(ctx, cred.clientID, invalidClient(errUnknownClient))
	if err != nil {
		return nil, err
	}
	if c.Metadata.AuthMethod != cred.method {
		return nil, invalidClient("This client must authenticate with " + c.Metadata.AuthMethod + ".")
	}
	if cred.method != authz.AuthNone && !p.hasSecret(c, cred.secret) {
		return nil, invalidClient(errUnknownClient)
	}
	return c, nil
}

// hasSecret compares with every live secret of the client. One SHA-256 is all that is
// needed for secrets of 256 random bits that the server has made.
func (p *Provider) hasSecret(c *authz.Client, secret authz.Secret) bool {
	if !strings.HasPrefix(secret.Reveal(), authz.PrefixClientSecret) {
		return false
	}
	now := p.Now()
	return slices.ContainsFunc(c.Secrets, func(s authz.ClientSecret) bool {
		return s.Live(now) && secret.Matches(s.Hash)
	})
}

// authenticateForFosite is authenticate in fosite's shape, for the token endpoint, which
// has put what it needs in the context.
func (p *Provider) authenticateForFosite(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	c, err := p.authenticate(ctx, r.Header, form)
	if err != nil {
		return nil, err
	}
	return &client{Client: c}, nil
}
