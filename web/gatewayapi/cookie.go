package gatewayapi

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

const (
	sessionName = "signet_gateway"
	// stateName begins the name of a cookie that holds one sign-in which is under way; its
	// id follows, so that sign-ins in several tabs do not disturb each other.
	stateName = "signet_gateway_state_"

	maxStates = 6 // sign-ins under way that a browser keeps: more would not fit a header
	stateAge  = time.Hour
)

// cookieName gives a cookie the prefix by which browsers let no other host plant it. They
// take neither that nor Secure over http, which there is on loopback addresses only.
func cookieName(base string, at *url.URL) string {
	if at.Scheme == "https" {
		return "__Host-" + base
	}
	return base
}

func cookie(r *http.Request, base string, at *url.URL) string {
	c, err := r.Cookie(cookieName(base, at))
	if err != nil {
		return ""
	}
	return c.Value
}

func sessionCookie(r *http.Request, at *url.URL) string { return cookie(r, sessionName, at) }

// setCookie gives a cookie to the browser: for age, or until it closes when that is zero.
// An empty value takes the cookie away.
func setCookie(w http.ResponseWriter, base string, at *url.URL, value authz.Secret, age time.Duration) {
	seconds := int(age / time.Second)
	if value == "" {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(base, at), Value: value.Reveal(), Path: "/", MaxAge: seconds,
		Secure: at.Scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// makeRoom has the browser drop the sign-ins that it has not finished when there are many:
// somebody may have made it begin them.
func makeRoom(w http.ResponseWriter, r *http.Request, at *url.URL) {
	prefix := cookieName(stateName, at)
	var begun []string
	for _, c := range r.Cookies() {
		if id, ok := strings.CutPrefix(c.Name, prefix); ok {
			begun = append(begun, id)
		}
	}
	for len(begun) >= maxStates {
		setCookie(w, stateName+begun[0], at, "", 0)
		begun = begun[1:]
	}
}
