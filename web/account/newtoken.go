package account

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
	"github.com/signet-auth/signet/web/answer"
	"github.com/signet-auth/signet/web/page"
)

// ShowNewToken is the form for a new token, or first the choice of its API: GET
// /account/tokens/new.
func (p *Pages) ShowNewToken(w http.ResponseWriter, r *http.Request) {
	who, ok := p.signedIn(w, r, newToken)
	if !ok {
		return
	}
	apis, err := p.grantableAPIs(r, who)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	asked := r.URL.Query().Get("api")
	if asked == "" && len(apis) == 1 {
		asked = apis[0].Identifier
	}
	for _, api := range apis {
		if api.Identifier == asked {
			p.showNewToken(w, r, who, http.StatusOK, page.AccountTokenNew{API: api})
			return
		}
	}
	p.Answers.Show(w, r, http.StatusOK, page.AccountTokenAPIs{Layout: p.layout(r, who), APIs: apis})
}

// grantableAPIs are those of which the person's roles let them grant anything, the server's
// own last: it is there for everybody, and what most are not looking for.
func (p *Pages) grantableAPIs(r *http.Request, who person) ([]page.TokenAPI, error) {
	known, err := p.APIs.All(r.Context())
	if err != nil {
		return nil, err
	}
	var out, own []page.TokenAPI
	for _, api := range known.APIs() {
		scopes, err := p.APITokens.Grantable(r.Context(), who.user, api.Identifier)
		switch one := tokenAPI(api); {
		case err != nil:
			return nil, err
		case len(scopes) == 0:
		case one.Own:
			own = append(own, one)
		default:
			out = append(out, one)
		}
	}
	return append(out, own...), nil
}

// tokenAPI is an API as the pages show it. Only the server's own can have its scopes.
func tokenAPI(api *authz.API) page.TokenAPI {
	return page.TokenAPI{Identifier: api.Identifier, Name: api.Name, Own: api.ScopeNames().Has(authz.ScopeAccount)}
}

// showNewToken completes the form with what may be ticked; what was ticked stays.
func (p *Pages) showNewToken(w http.ResponseWriter, r *http.Request, who person, status int, out page.AccountTokenNew) {
	known, err := p.APIs.All(r.Context())
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	grantable, err := p.APITokens.Grantable(r.Context(), who.user, out.API.Identifier)
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	ticked := authz.Scopes(r.PostForm["scope"])
	for _, scope := range grantable {
		out.Scopes = append(out.Scopes, page.TokenScope{
			Name: scope, Sentence: known.Describe(scope, []string{out.API.Identifier}), Checked: ticked.Has(scope),
			Everything: scope == authz.ScopeAdmin,
		})
	}
	out.Layout, out.MaxDays = p.layout(r, who), int(p.APITokens.MaxLifetime()/(24*time.Hour))
	p.Answers.Show(w, r, status, out)
}

const nameTaken = "You have a token with this name already. Choose another, or replace that one."

// CreateToken makes a token and shows it this once: POST /account/tokens.
func (p *Pages) CreateToken(w http.ResponseWriter, r *http.Request) {
	who, ok := p.acting(w, r, newToken)
	if !ok {
		return
	}
	asked, problems := p.readToken(r)
	err := p.APITokens.Check(r.Context(), who.user, asked)
	if err == nil && len(problems) == 0 {
		var t *authz.APIToken
		var secret authz.Secret
		if t, secret, err = p.APITokens.Create(r.Context(), who.user, asked); err == nil {
			p.showToken(w, r, who, t, secret, 0)
			return
		}
	}
	if err := problems.collect(err); err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	p.refuseToken(w, r, who, asked, page.Problems(problems))
}

// problems are the sentences about what was not accepted, by the field of the form. What it
// said itself about a field goes before what the server says.
type problems page.Problems

// collect adds what the server says. It gives back what is no fault of the form.
func (p problems) collect(err error) error {
	var all *apitoken.InvalidError
	var one *authz.InvalidError
	switch {
	case errors.Is(err, authz.ErrConflict): // the same form sent again, as a reload does, among others
		p["name"] = nameTaken
	case errors.As(err, &all):
		for _, f := range all.Faults {
			p.add(f)
		}
	case errors.As(err, &one):
		p.add(one)
	default:
		return err
	}
	return nil
}

func (p problems) add(f *authz.InvalidError) {
	if field := fieldOf(f.Field); p[field] == "" {
		p[field] = sentence(f.Reason)
	}
}

// refuseToken shows the form again, as it was filled in, with what is wrong.
func (p *Pages) refuseToken(w http.ResponseWriter, r *http.Request, who person, asked apitoken.New, found page.Problems) {
	known, err := p.APIs.All(r.Context())
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	api, ok := known.API(asked.API)
	if !ok { // not of a form of ours, or it was removed meanwhile
		goTo(w, newToken)
		return
	}
	f := r.PostForm
	p.showNewToken(w, r, who, http.StatusUnprocessableEntity, page.AccountTokenNew{
		API:  tokenAPI(api),
		Name: f.Get("name"), Expires: f.Get("expires"), ExpiresOn: f.Get("expires_on"), CIDRs: f.Get("cidrs"),
		Problems: found,
	})
}

// readToken reads the form. What it cannot read is a problem of the field.
func (p *Pages) readToken(r *http.Request) (apitoken.New, problems) {
	f, wrong := r.PostForm, problems{}
	out := apitoken.New{Name: strings.TrimSpace(f.Get("name")), API: f.Get("api"), Scopes: f["scope"]}
	var err error
	if out.ExpiresAt, err = expiry(f, p.Answers.Layout(r).Now); err != nil {
		wrong["expires"] = "Choose how long the token works."
	}
	for line := range strings.FieldsSeq(f.Get("cidrs")) {
		network, err := parseNetwork(line)
		if err != nil {
			wrong["cidrs"] = "Write one network per line, such as 203.0.113.0/24."
		}
		out.Networks = append(out.Networks, network)
	}
	return out, wrong
}

// expiry reads a number of days, or a date, which is good until its end.
func expiry(f url.Values, now time.Time) (time.Time, error) {
	if f.Get("expires") == "date" {
		day, err := time.Parse(time.DateOnly, f.Get("expires_on"))
		return day.AddDate(0, 0, 1).Add(-time.Second), err
	}
	days, err := strconv.ParseUint(f.Get("expires"), 10, 16)
	return now.AddDate(0, 0, int(days)), err
}

// parseNetwork takes a single address for the network that it alone is.
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(s)
}

// fieldOf is the field of the form in which a fault shows.
func fieldOf(field string) string {
	switch field {
	case "scopes":
		return "scope"
	case "expires_at":
		return "expires"
	case "networks":
		return "cidrs"
	}
	return "name"
}

// sentence makes a reason that stands by itself.
func sentence(reason string) string {
	if reason == "" {
		return reason
	}
	return strings.ToUpper(reason[:1]) + reason[1:] + "."
}
