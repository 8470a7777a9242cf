package gateway

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// Catalogue is the registered APIs in the form in which a check looks for one. It does not
// change.
type Catalogue struct {
	source []*authz.API
	named  map[string]*target
	placed map[origin][]*target // the longest path first
}

// target is an API that a request may be for.
type target struct {
	api    *authz.API
	scopes authz.Scopes
	place  place
	onWeb  bool   // its identifier is a place on the web
	rival  string // another API with the same place
}

// NewCatalogue makes a Catalogue of APIs, which nobody may change afterwards.
func NewCatalogue(apis []*authz.API) *Catalogue {
	c := &Catalogue{source: apis, named: make(map[string]*target, len(apis)), placed: make(map[origin][]*target)}
	for _, api := range apis {
		t := newTarget(api)
		c.named[api.Identifier] = t
		if t.onWeb {
			c.placed[t.place.origin] = append(c.placed[t.place.origin], t)
		}
	}
	for _, targets := range c.placed {
		slices.SortStableFunc(targets, func(a, b *target) int { return cmp.Compare(len(b.place.path), len(a.place.path)) })
		markRivals(targets)
	}
	return c
}

func newTarget(api *authz.API) *target {
	t := &target{api: api, scopes: api.ScopeNames()}
	u, err := url.Parse(api.Identifier)
	if err != nil || u.RawQuery != "" || u.ForceQuery {
		return t
	}
	var wrong string
	t.place, wrong = placeOf(u)
	t.onWeb = wrong == "" && plain(t.place.path) == t.place.path
	return t
}

// markRivals notes identifiers that differ in spelling only.
func markRivals(targets []*target) {
	for i, a := range targets {
		for _, b := range targets[:i] {
			if a.place == b.place {
				a.rival, b.rival = b.api.Identifier, a.api.Identifier
			}
		}
	}
}

// made reports whether the catalogue is made of these APIs.
func (c *Catalogue) made(apis []*authz.API) bool { return slices.Equal(c.source, apis) }

// at finds the API with the longest identifier that a place is at or below; nil for none.
func (c *Catalogue) at(o origin, path string) *target {
	for _, t := range c.placed[o] {
		if below(path, t.place.path) {
			return t
		}
	}
	return nil
}

// find gives the API that a request is for. The Verdict says why there is none.
func (c *Catalogue) find(f *Facts) (*target, *Verdict) {
	if f.API != "" {
		t, ok := c.named[f.API]
		if !ok {
			return nil, misconfigured("?api=%q in the proxy's settings is not the identifier of a registered API", f.API)
		}
		return t, nil
	}
	if f.URL == nil || f.URL.Host == "" {
		return nil, misconfigured("the proxy does not pass on the URL that was asked for")
	}
	p, wrong := placeOf(f.URL)
	if wrong != "" {
		return nil, &Verdict{Outcome: Forbidden, Reason: "the URL that was asked for " + wrong}
	}
	t := c.at(p.origin, p.path)
	if as := plain(p.path); as != p.path && c.at(p.origin, as) != t {
		return nil, &Verdict{Outcome: Forbidden, Reason: "the URL that was asked for can be read as one of another API"}
	}
	switch {
	case t == nil:
		return nil, misconfigured("no registered API has an identifier that %.200q begins with: "+
			"register it, or name one with ?api= in the proxy's settings", p.origin.String()+p.path)
	case t.rival != "":
		return nil, misconfigured("the APIs %s and %s are at the same place: name one with ?api= in the proxy's settings",
			t.api.Identifier, t.rival)
	}
	return t, nil
}

// knows says whether the API has all scopes that the proxy's settings demand.
func (t *target) knows(scopes authz.Scopes) *Verdict {
	if t.scopes.Contains(scopes) {
		return nil
	}
	return misconfigured("?scope=%s in the proxy's settings is unknown: the API %s has the scopes %q",
		scopes.Without(t.scopes), t.api.Identifier, strings.Join(t.scopes, " "))
}

// misconfigured is the answer when a check makes no sense. Nobody passes until the proxy's
// settings are mended.
func misconfigured(format string, args ...any) *Verdict {
	return &Verdict{Outcome: Misconfigured, Reason: fmt.Sprintf(format, args...)}
}
