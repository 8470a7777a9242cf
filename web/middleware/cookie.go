package middleware

import (
	"net/http"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Cookies knows how our cookies are called and guarded. Over https their names carry the
// __Host- prefix, so that no other host can plant one; on a loopback http issuer browsers
// take neither the prefix nor Secure.
type Cookies struct{ https bool }

// NewCookies makes the cookies of an issuer.
func NewCookies(issuer string) Cookies {
	return Cookies{https: strings.HasPrefix(issuer, "https://")}
}

const (
	sessionCookie = "signet_session"
	browserCookie = "signet_browser"
	deviceCookie  = "signet_device"
	flashCookie   = "signet_flash"

	// deviceAge is the longest that browsers keep any cookie.
	deviceAge = 400 * 24 * time.Hour

	// flashAge is how long the page may take to open that a flash is for.
	flashAge = time.Minute
)

func (c Cookies) name(base string) string {
	if c.https {
		return "__Host-" + base
	}
	return base
}

// value gives the first cookie of a name. Browsers send the one with the longest path
// first, but a name with our prefix has no path but "/".
func (c Cookies) value(r *http.Request, base string) string {
	cookie, err := r.Cookie(c.name(base))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// set gives a cookie to the browser: for maxAge, or until it closes when that is zero, or
// never again when it is negative.
func (c Cookies) set(w http.ResponseWriter, base, value string, maxAge time.Duration) {
	seconds := int(maxAge / time.Second)
	if maxAge < 0 {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: c.name(base), Value: value, Path: "/", MaxAge: seconds,
		Secure: c.https, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// SetSession signs the browser in until the session ends at the latest.
func (c Cookies) SetSession(w http.ResponseWriter, value authz.Secret, left time.Duration) {
	c.set(w, sessionCookie, value.Reveal(), left)
}

// ClearSession signs the browser out.
func (c Cookies) ClearSession(w http.ResponseWriter) { c.set(w, sessionCookie, "", -1) }

// SetDevice has the browser remember that somebody has signed in with it.
func (c Cookies) SetDevice(w http.ResponseWriter, value authz.Secret) {
	c.set(w, deviceCookie, value.Reveal(), deviceAge)
}

// Device gives what SetDevice left with the browser; empty for a new one.
func (c Cookies) Device(r *http.Request) authz.Secret {
	return authz.Secret(c.value(r, deviceCookie))
}

// SetFlash leaves something with the browser for the page that it is sent to, which gets it
// from Flash. It is the caller's to seal.
func (c Cookies) SetFlash(w http.ResponseWriter, value string) {
	c.set(w, flashCookie, value, flashAge)
}
