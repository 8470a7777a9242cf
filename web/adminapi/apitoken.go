package adminapi

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/apitoken"
)

const ownTokens = "/api/v1/account/tokens"

// listOwnTokens pages in memory: nobody has many. The newest come first.
func (a *API) listOwnTokens(c *call) (*reply, error) {
	after, limit, err := c.window()
	if err != nil {
		return nil, err
	}
	all, err := a.APITokens.List(c.ctx(), c.caller.UserID)
	if err != nil {
		return nil, err
	}
	rest := all
	for after != "" && len(rest) > 0 && rest[0].ID != after {
		rest = rest[1:]
	}
	if after != "" {
		if len(rest) == 0 {
			return nil, badQuery("after", "is not the id of one of your API tokens")
		}
		rest = rest[1:]
	}
	return ok(part(rest, limit, a.apiTokenDocument, tokenID), 0), nil
}

func tokenID(t *authz.APIToken) string { return t.ID }

func (a *API) apiTokenDocument(t *authz.APIToken) APIToken { return APITokenDocument(t, a.Now()) }

// createToken makes a token of the person who asks. What asks for them may be an app with
// nothing but signet:account: it gets no token with more power over the server than that,
// and none for what it is not registered for.
func (a *API) createToken(c *call) (*reply, error) {
	var in newTokenInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	asked, err := in.token()
	if err != nil {
		return nil, err
	}
	if err := c.mayTouch(asked.Scopes); err != nil {
		return nil, err
	}
	if asked.MadeBy, err = c.maker(); err != nil {
		return nil, err
	}
	owner, err := a.People.Get(c.ctx(), c.caller.UserID)
	if err != nil {
		return nil, err
	}
	made, secret, err := a.APITokens.Create(c.ctx(), owner, asked)
	if err != nil {
		return nil, notMade(err)
	}
	return created(ownTokens+"/"+made.ID, a.apiTokenDocument(made).WithToken(secret), 0), nil
}

// maker says what is about to make a token: the client that asks, or the API token. A
// service that acts for a client has been given nothing that outlives the token it shows.
func (c *call) maker() (string, error) {
	if c.caller.Exchanged {
		e := challenge(http.StatusForbidden, "insufficient_scope",
			"The token comes from a token exchange: API tokens are made with one that the person has given.", "")
		e.code = "exchanged_token"
		return "", e
	}
	return c.caller.ClientID, nil
}

// notMade says why there is no new token: all that is wrong with the body, or what is to
// blame where nothing of it is.
func notMade(err error) error {
	var beyond *apitoken.BeyondError
	var wrong *apitoken.InvalidError
	var invalid *authz.InvalidError
	switch {
	case errors.As(err, &wrong):
		e := translate(wrong)
		e.detail, e.faults = wrong.Error(), nil
		for _, f := range wrong.Faults {
			e.faults = append(e.faults, fault{Pointer: "/" + f.Field, Detail: f.Reason})
		}
		return e
	case errors.As(err, &beyond):
		e := challenge(http.StatusForbidden, "insufficient_scope",
			sentence(beyond.Error())+" It gets no API token for it.", beyond.Scope)
		e.code = "client_not_registered"
		return e
	case errors.Is(err, apitoken.ErrMaker), errors.Is(err, apitoken.ErrReplaced):
		return conflict(sentence(err.Error()))
	case errors.Is(err, authz.ErrConflict):
		return conflict("You have a token with this name already: choose another, or replace that one.")
	case errors.As(err, &invalid) && invalid.Field == "id":
		return conflict("There are too many API tokens already: revoke one first.")
	}
	return err
}

func conflict(detail string) error {
	return &refusal{status: http.StatusConflict, code: "conflict", detail: detail}
}

// sentence makes a reason that stands by itself.
func sentence(reason string) string { return strings.ToUpper(reason[:1]) + reason[1:] + "." }

// ownToken finds a token of the person who asks, one that has ended lately among them.
func (a *API) ownToken(c *call) (*authz.APIToken, error) {
	id, err := c.segment("id")
	if err != nil {
		return nil, err
	}
	all, err := a.APITokens.List(c.ctx(), c.caller.UserID)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.ID == id {
			return t, nil
		}
	}
	return nil, authz.ErrNotFound
}

func (a *API) showOwnToken(c *call) (*reply, error) {
	found, err := a.ownToken(c)
	if err != nil {
		return nil, err
	}
	return ok(a.apiTokenDocument(found), 0), nil
}

// rotateToken gives a new token for an old one. Whoever gets it can do all that the old one
// could, so that it is as if they made it: only a token that replaces itself changes nothing
// about who made it.
func (a *API) rotateToken(c *call) (*reply, error) {
	old, err := a.ownToken(c)
	if err != nil {
		return nil, err
	}
	if err := c.mayTouch(old.Scopes); err != nil {
		return nil, err
	}
	var in rotation
	if err := c.readIfAny(&in); err != nil {
		return nil, err
	}
	const most = int64(365 * 24 * time.Hour / time.Second) // far more would not fit a time.Duration
	if in.OverlapSeconds < 0 || in.OverlapSeconds > most {
		return nil, authz.Invalid("overlap_seconds", "must be between 0 and 30 days")
	}
	by, err := c.maker()
	if err != nil {
		return nil, err
	}
	made, secret, err := a.APITokens.Rotate(c.ctx(), c.caller.UserID, apitoken.Rotation{
		ID: old.ID, By: by, Overlap: time.Duration(in.OverlapSeconds) * time.Second,
	})
	if err != nil {
		return nil, notMade(renamed(err, "overlap", "overlap_seconds"))
	}
	return created(ownTokens+"/"+made.ID, a.apiTokenDocument(made).WithToken(secret), 0), nil
}

func (a *API) revokeOwnToken(c *call) (*reply, error) { return a.revokeTokenOf(c, c.caller.UserID) }

// revokeAnyToken takes a token from whoever has it. It asks for no power that the token
// itself has: who watches over tokens must be able to stop each of them at once.
func (a *API) revokeAnyToken(c *call) (*reply, error) { return a.revokeTokenOf(c, "") }

func (a *API) revokeTokenOf(c *call, userID string) (*reply, error) {
	id, err := c.segment("id")
	if err != nil {
		return nil, err
	}
	if err := a.APITokens.Revoke(c.ctx(), userID, id); err != nil {
		return nil, err
	}
	return noContent(), nil
}

func (a *API) listTokens(c *call) (*reply, error) {
	after, limit, err := c.window()
	if err != nil {
		return nil, err
	}
	found, err := a.APITokens.All(c.ctx(), after, limit+1)
	if err != nil {
		return nil, asParameter(err)
	}
	return ok(part(found, limit, a.apiTokenDocument, tokenID), 0), nil
}
