package adminapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/signet-auth/signet/authz"
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
// nothing but signet:account: it gets no token with more power over the server than that.
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
	owner, err := a.People.Get(c.ctx(), c.caller.UserID)
	if err != nil {
		return nil, err
	}
	made, secret, err := a.APITokens.Create(c.ctx(), owner, asked)
	if err != nil {
		return nil, err
	}
	return created(ownTokens+"/"+made.ID, a.apiTokenDocument(made).WithToken(secret), 0), nil
}

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
// could, so that it is as if they made it.
func (a *API) rotateToken(c *call) (*reply, error) {
	old, err := a.ownToken(c)
	if err != nil {
		return nil, err
	}
	if err := c.mayTouch(old.Scopes); err != nil {
		return nil, err
	}
	var in rotation
	if err := c.read(&in); err != nil {
		return nil, err
	}
	const most = int64(365 * 24 * time.Hour / time.Second) // far more would not fit a time.Duration
	if in.OverlapSeconds < 0 || in.OverlapSeconds > most {
		return nil, authz.Invalid("overlap_seconds", "must be between 0 and 30 days")
	}
	made, secret, err := a.APITokens.Rotate(c.ctx(), c.caller.UserID, old.ID, time.Duration(in.OverlapSeconds)*time.Second)
	if err != nil {
		return nil, noRoom(renamed(err, "overlap", "overlap_seconds"))
	}
	return created(ownTokens+"/"+made.ID, a.apiTokenDocument(made).WithToken(secret), 0), nil
}

// noRoom says of a fault that is about no member of the body what it is.
func noRoom(err error) error {
	var invalid *authz.InvalidError
	if errors.As(err, &invalid) && invalid.Field == "id" {
		return &refusal{status: http.StatusConflict, code: "conflict", detail: "There are too many API tokens already: revoke one first."}
	}
	return err
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
