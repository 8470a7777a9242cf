package gateway

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// PrefixClient begins the ids of the clients by which people sign in at protected hosts.
const PrefixClient = "gateway-"

// ClientID is the id of the first-party client of an API, by which people sign in there. It
// follows from the API's identifier.
func ClientID(api string) string {
	sum := sha256.Sum256([]byte(api))
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])
	return PrefixClient + strings.ToLower(text)
}

// ClientMetadata is how the first-party client of an API is registered. It has a code and
// nothing lasting: while the person's session lives, the next code needs no page. It is no
// public client and is to be given no secret, so that a code of it is good in this process
// only. An *authz.InvalidError says why an API cannot have one: people sign in at https
// places, or at http ones on a loopback address.
func ClientMetadata(api *authz.API) (authz.ClientMetadata, error) {
	t := newTarget(api)
	if !t.onWeb {
		return authz.ClientMetadata{}, authz.Invalid("identifier", "must be an https URL without a query for people to sign in at it")
	}
	callback := t.place.origin.String() + CallbackPath
	if err := authz.CheckRedirectURI(callback); err != nil {
		return authz.ClientMetadata{}, authz.Invalid("identifier",
			"must be https for people to sign in at it, or http on a loopback address")
	}
	return authz.ClientMetadata{
		Name: api.Name, Type: authz.ClientWeb, RedirectURIs: []string{callback},
		GrantTypes: []string{authz.GrantAuthorizationCode}, ResponseTypes: []string{"code"},
		AuthMethod: authz.AuthSecretBasic, RequirePKCE: true, FirstParty: true,
		Scope: authz.Scopes{authz.ScopeOpenID}.With(t.scopes), APIs: []string{api.Identifier}, DefaultAPI: api.Identifier,
		IDTokenAlg: authz.AlgES256,
	}, nil
}
