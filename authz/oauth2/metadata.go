package oauth2

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

// document is an immutable JSON answer with its ETag.
type document struct {
	body []byte
	etag string
}

func newDocument(v any) (document, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return document{}, fmt.Errorf("write document: %w", err)
	}
	sum := sha256.Sum256(body)
	return document{body: body, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}, nil
}

// metadata is what both discovery documents say (RFC 8414 §2, OpenID Connect Discovery §3):
// one value for both, built from what the endpoints enforce. Members that do not apply are
// left out.
type metadata struct {
	Issuer                     string   `json:"issuer"`
	AuthorizationEndpoint      string   `json:"authorization_endpoint"`
	TokenEndpoint              string   `json:"token_endpoint"`
	UserInfoEndpoint           string   `json:"userinfo_endpoint"`
	JWKSURI                    string   `json:"jwks_uri"`
	RevocationEndpoint         string   `json:"revocation_endpoint"`
	IntrospectionEndpoint      string   `json:"introspection_endpoint"`
	ScopesSupported            []string `json:"scopes_supported"`
	ResponseTypes              []string `json:"response_types_supported"`
	ResponseModes              []string `json:"response_modes_supported"`
	GrantTypes                 []string `json:"grant_types_supported"`
	SubjectTypes               []string `json:"subject_types_supported"`
	IDTokenAlgs                []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgs              []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationAuthMethods      []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAuthAlgs         []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuthMethods   []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs      []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAlgs          []string `json:"introspection_signing_alg_values_supported"`
	CodeChallengeMethods       []string `json:"code_challenge_methods_supported"`
	Prompts                    []string `json:"prompt_values_supported"`
	ACRs                       []string `json:"acr_values_supported"`
	ClaimTypes                 []string `json:"claim_types_supported"`
	Claims                     []string `json:"claims_supported"`
	ClaimsParameter            bool     `json:"claims_parameter_supported"`
	RequestParameter           bool     `json:"request_parameter_supported"`
	RequestURIParameter        bool     `json:"request_uri_parameter_supported"`
	IssInAuthorizationResponse bool     `json:"authorization_response_iss_parameter_supported"`
}

func newMetadata(issuer string, algs []string) (document, error) {
	confidential := []string{authz.AuthSecretBasic, authz.AuthSecretPost, authz.AuthPrivateKeyJWT}
	all := slices.Concat(confidential, []string{authz.AuthNone})
	assertion := make([]string, len(assertionAlgs))
	for i, a := range assertionAlgs {
		assertion[i] = string(a)
	}
	return newDocument(metadata{
		Issuer:                issuer,
		AuthorizationEndpoint: issuer + authorizePath,
		TokenEndpoint:         issuer + "/oauth2/token",
		UserInfoEndpoint:      issuer + "/oauth2/userinfo",
		JWKSURI:               issuer + "/.well-known/jwks.json",
		RevocationEndpoint:    issuer + "/oauth2/revoke",
		IntrospectionEndpoint: issuer + "/oauth2/introspect",
		ScopesSupported:       authz.OIDCScopes(),
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{modeQuery, modeFormPost},
		GrantTypes:            grantTypes(),
		SubjectTypes:          []string{"public"},
		IDTokenAlgs:           algs,
		TokenAuthMethods:      all, TokenAuthAlgs: assertion,
		RevocationAuthMethods: all, RevocationAuthAlgs: assertion,
		IntrospectionAuthMethods: confidential, IntrospectionAuthAlgs: assertion,
		IntrospectionAlgs:    algs[:1],
		CodeChallengeMethods: []string{"S256"},
		Prompts:              prompts,
		ACRs:                 []string{authz.ACROneFactor},
		ClaimTypes:           []string{"normal"},
		Claims:               slices.Concat([]string{"sub", "auth_time", "acr", "amr", "sid"}, profileClaims, emailClaims),
		ClaimsParameter:      true, IssInAuthorizationResponse: true,
	})
}

// Metadata answers both discovery documents (RFC 8414 §3, OpenID Connect Discovery §4).
func (p *Provider) Metadata(w http.ResponseWriter, r *http.Request) {
	serve(w, r, "application/json", p.metadata, "public, max-age=300")
}

// JWKS answers the public keys, from memory (RFC 7517 §5).
func (p *Provider) JWKS(w http.ResponseWriter, r *http.Request) {
	body, etag, maxAge := p.Keys.JWKS()
	serve(w, r, "application/jwk-set+json", document{body, etag},
		fmt.Sprintf("public, max-age=%d", int(maxAge.Seconds())))
}

func serve(w http.ResponseWriter, r *http.Request, contentType string, d document, cacheControl string) {
	h := w.Header()
	h.Set("ETag", d.etag)
	h.Set("Cache-Control", cacheControl)
	h.Set("Content-Type", contentType)
	// It compares ETags as RFC 9110 §13.1.2 has it: a proxy that compresses makes them weak.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.body))
}
