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

// grantableAPIs are those of which the person's roles let them grant anything.
func (p *Pages) grantableAPIs(r *http.Request, who person) ([]page.TokenAPI, error) {
	known, err := p.APIs.All(r.Context())
	if err != nil {
		return nil, err
	}
	var out []page.TokenAPI
	for _, api := range known.APIs() {
		scopes, err := p.APITokens.Grantable(r.Context(), who.user, api.Identifier)
		if err != nil {
			return nil, err
		}
		if len(scopes) > 0 {
			out = append(out, page.TokenAPI{Identifier: api.Identifier, Name: api.Name})
		}
	}
	return out, nil
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
	if len(problems) == 0 {
		t, secret, err := p.APITokens.Create(r.Context(), who.user, asked)
		invalid := new(authz.InvalidError)
		switch {
		case errors.As(err, &invalid) && invalid.Field == "api":
			goTo(w, newToken)
			return
		case errors.Is(err, authz.ErrConflict): // the same form sent again, as a reload does, among others
			problems = page.Problems{"name": nameTaken}
		case errors.As(err, &invalid):
			problems = page.Problems{fieldOf(invalid.Field): sentence(invalid.Reason)}
		case err != nil:
			p.Answers.Page(w, r, answer.Outage(err))
			return
		default:
			p.showToken(w, r, who, t, secret, 0)
			return
		}
	}
	p.refuseToken(w, r, who, asked, problems)
}

// refuseToken shows the form again, as it was filled in, with what is wrong.
func (p *Pages) refuseToken(w http.ResponseWriter, r *http.Request, who person, asked apitoken.New, problems page.Problems) {
	known, err := p.APIs.All(r.Context())
	if err != nil {
		p.Answers.Page(w, r, answer.Outage(err))
		return
	}
	api, ok := known.API(asked.API)
	if !ok {
		goTo(w, newToken)
		return
	}
	f := r.PostForm
	p.showNewToken(w, r, who, http.StatusUnprocessableEntity, page.AccountTokenNew{
		API:  page.TokenAPI{Identifier: api.Identifier, Name: api.Name},
		Name: f.Get("name"), Expires: f.Get("expires"), ExpiresOn: f.Get("expires_on"), CIDRs: f.Get("cidrs"),
		Problems: problems,
	})
}

// readToken reads the form. What it cannot read is a problem of the field.
func (p *Pages) readToken(r *http.Request) (apitoken.New, page.Problems) {
	f, problems := r.PostForm, page.Problems{}
	out := apitoken.New{Name: strings.TrimSpace(f.Get("name")), API: f.Get("api"), Scopes: f["scope"]}
	var err error
	if out.ExpiresAt, err = expiry(f, p.Answers.Layout(r).Now); err != nil {
		problems["expires"] = "Choose how long the token works."
	}
	for _, line := range strings.Fields(f.Get("cidrs")) {
		network, err := parseNetwork(line)
		if err != nil {
			problems["cidrs"] = "Write one network per line, such as 203.0.113.0/24."
		}
		out.Networks = append(out.Networks, network)
	}
	return out, problems
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
