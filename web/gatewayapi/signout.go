package gatewayapi

import (
	"net/http"

	"github.com/signet-auth/signet/authz/gateway"
)

// SignOut ends the sessions of a browser at a protected host and sends it to the page where
// the person signs out of Signet: without that, the next visit would sign them in again.
// What another site links to does nothing by itself.
func (a *API) SignOut(w http.ResponseWriter, r *http.Request) {
	h, err := a.host(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if value := sessionCookie(r, h.at); value != "" && r.Header.Get("Sec-Fetch-Site") != "cross-site" {
		if err := a.end(r, h, value); err != nil {
			a.fail(w, r, outage(err))
			return
		}
		setCookie(w, sessionName, h.at, "", 0)
	}
	goTo(w, a.Issuer+logoutPath)
}

// end revokes what the sessions in a cookie rest on.
func (a *API) end(r *http.Request, h *host, value string) error {
	for _, api := range h.apis {
		grantID, ok := a.Gateway.OpenSession(api.Identifier, value)
		if !ok {
			continue
		}
		if err := a.Grants.EndForGateway(r.Context(), gateway.ClientID(api.Identifier), grantID); err != nil {
			return err
		}
	}
	return nil
}
