package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/signet-auth/signet/authz"
)

// ErrRefused means that a credential is not good: unknown, expired, revoked, or not ours. Any
// other error of a lookup is an outage.
var ErrRefused = errors.New("the credential is not good")

// Identity is who shows a credential, as a lookup has found out at one moment.
type Identity struct {
	User     *authz.User // nil: a client acts for itself
	ClientID string      // the client; of an API token its id
	// Clients are all that have to be enabled for the credential to be good, in an order that
	// is always the same; ClientID need not be among them.
	Clients []string
	// Audience are the identifiers of the APIs that the credential is for.
	Audience []string
	// Granted are the scopes that the credential was made with. Scopes are what is left of
	// them at the API in question after the person's roles; a Service fills them in.
	Granted authz.Scopes
	Scopes  authz.Scopes
	// Networks are where the credential may come from; empty: anywhere.
	Networks []netip.Prefix
	Ends     time.Time // of the credential itself

	// Origin is the grant or the API token behind the credential, if there is one, Status its
	// place in the status lists, SessionID the browser session that it dies with, and TokenID
	// the jti of an access token.
	Origin    string
	Status    int64
	SessionID string
	TokenID   string

	AuthTime time.Time
	ACR      string
	AMR      []string
}

// question is what a check comes to before anybody is asked who shows the credential.
type question struct {
	target     *target
	credential credential
}

// Decide is the whole decision of a check: the facts about a request, the APIs that there
// are, and what the lookup of its credential gave. A request that shows no credential is
// judged as one, whatever the lookup gave. With Allow, the token is still to be signed.
func Decide(f Facts, c *Catalogue, who *Identity, err error) Verdict {
	q, answered := ask(&f, c)
	if answered != nil {
		return *answered
	}
	v := q.decide(&f, who, err)
	if v.Outcome == Allow {
		v.Headers = headers(who)
	}
	return v
}

// ask finds out which API a request is for and by what it is judged. A request that is
// answered by that alone has a Verdict.
func ask(f *Facts, c *Catalogue) (question, *Verdict) {
	t, answered := c.find(f)
	if answered != nil {
		return question{}, answered
	}
	if answered := t.knows(f.Scopes); answered != nil {
		return question{}, answered
	}
	if f.ByPath && f.URL != nil {
		if wrong := twofold(f.URL); wrong != "" {
			return question{}, &Verdict{Outcome: Forbidden, Reason: "the URL that was asked for " + wrong}
		}
	}
	if t.api.BrowserSignIn && f.URL != nil && below(f.URL.Path, ownPath) {
		return question{}, misconfigured(
			"the proxy asks about %s/ of a protected host, which it should send to Signet without asking", ownPath)
	}
	q := question{t, f.credential(t.api)}
	switch q.credential.kind {
	case kindNone:
		v := q.nobody(f)
		return q, &v
	case kindMalformed:
		v := q.refuse(f, "The Authorization header is malformed or there is more than one.")
		return q, &v
	}
	return q, nil
}

// decide judges a request that shows a credential by what the lookup of it gave.
func (q *question) decide(f *Facts, who *Identity, err error) Verdict {
	switch {
	case errors.Is(err, ErrRefused):
		return q.refuse(f, "The token is unknown, expired or revoked.")
	case err != nil:
		return Verdict{Outcome: Unavailable, Reason: err.Error()}
	case who == nil:
		return Verdict{Outcome: Unavailable, Reason: "the lookup of a credential gave nothing"}
	case !who.reaches(q.target):
		return q.refuse(f, "The token is for another API.")
	case !who.comesFrom(f.Address):
		return q.refuse(f, "The token may not be used from this address.")
	case !who.Scopes.Contains(f.Scopes):
		return q.forbid(f.Scopes)
	case who.powerless(q.target):
		return q.forbid(nil)
	}
	return Verdict{Outcome: Allow}
}

func (w *Identity) reaches(t *target) bool { return slices.Contains(w.Audience, t.api.Identifier) }

func (w *Identity) comesFrom(address netip.Addr) bool {
	if len(w.Networks) == 0 {
		return true
	}
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(w.Networks, func(n netip.Prefix) bool { return n.Contains(address) })
}

// powerless reports that a credential was made to do something and may do nothing at an API
// that has scopes: to let it through where none is demanded would make nothing of what was
// taken away. Who only ever wanted to be known, may be.
func (w *Identity) powerless(t *target) bool {
	return len(w.Scopes) == 0 && len(t.scopes) > 0 && len(w.Granted.Without(authz.OIDCScopes())) > 0
}

// nobody answers a request that shows no credential.
func (q *question) nobody(f *Facts) Verdict {
	if location, ok := q.signIn(f); ok {
		return Verdict{Outcome: SignIn, Location: location, Reason: "nobody is signed in"}
	}
	return Verdict{Outcome: Unauthenticated, Challenge: q.target.challenge("", "", nil), Reason: "no credential"}
}

// refuse answers a request with a bad credential. A person whose session has ended signs in
// again; a bearer token is never mended so.
func (q *question) refuse(f *Facts, why string) Verdict {
	if q.credential.kind == kindSession {
		v := q.nobody(f)
		v.Reason = "the session at the protected host has ended"
		return v
	}
	return Verdict{
		Outcome: Unauthenticated, Challenge: q.target.challenge(codeInvalidToken, why, nil), Reason: why,
	}
}

// forbid answers a request whose credential is good and does not reach so far.
func (q *question) forbid(needed authz.Scopes) Verdict {
	why := "None of the scopes that the token was made with is left for this API."
	if len(needed) > 0 {
		why = fmt.Sprintf("The request needs the scope %s.", needed)
	}
	return Verdict{
		Outcome: Forbidden, Challenge: q.target.challenge(codeInsufficientScope, why, needed), Reason: why,
	}
}

// signIn gives where a person signs in and comes back from. That is at the protected host,
// where alone a cookie for it can be set.
func (q *question) signIn(f *Facts) (string, bool) {
	t := q.target
	if !t.api.BrowserSignIn || !t.onWeb || !f.person() || f.URL == nil {
		return "", false
	}
	if o, ok := originOf(f.URL); !ok || o != t.place.origin {
		return "", false
	}
	query := url.Values{"api": {t.api.Identifier}, "return_to": {ReturnTo(t.api, f.URL.String())}}
	return t.place.origin.String() + SignInPath + "?" + query.Encode(), true
}
