package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// PrefixSession begins the value of the cookie at a protected host.
const PrefixSession = "sgg_"

const (
	grantBytes   = 16
	sessionChars = len(PrefixSession) + (grantBytes+sha256.Size)*4/3
	maxSessions  = 8   // of APIs at one host, in one cookie
	between      = "." // no letter of base64url
)

// b64 is base64url without padding; Strict refuses the second spelling that stray bits at
// the end would give a value.
var b64 = base64.RawURLEncoding.Strict()

// SealSession makes the value of the cookie of a browser that has signed in to an API: the
// grant, and a proof that it was us who put it there for this API. The grant says the rest.
func (s *Service) SealSession(api, grantID string) (authz.Secret, error) {
	raw, err := b64.DecodeString(grantID)
	if err != nil || len(raw) != grantBytes {
		return "", fmt.Errorf("seal session: %q is not the id of a grant", grantID)
	}
	return authz.Secret(PrefixSession + b64.EncodeToString(append(raw, s.sessionMAC(api, grantID)...))), nil
}

// AddSession puts a session into the cookie that a host has already, in place of any other
// for the same API: a browser has one cookie per host, which may have several APIs.
func (s *Service) AddSession(cookie, api string, session authz.Secret) authz.Secret {
	return join(append(s.others(cookie, api), session.Reveal()))
}

// DropSession takes the session for an API out of a cookie. Empty: nothing is left.
func (s *Service) DropSession(cookie, api string) authz.Secret { return join(s.others(cookie, api)) }

func (s *Service) others(cookie, api string) []string {
	return slices.DeleteFunc(sessionsOf(cookie), func(one string) bool {
		_, same := s.openOne(api, one)
		return same || len(one) != sessionChars // which nothing is that we made
	})
}

func join(all []string) authz.Secret {
	all = all[max(0, len(all)-maxSessions):] // the newest stay
	return authz.Secret(strings.Join(all, between))
}

func sessionsOf(cookie string) []string {
	all := strings.SplitN(cookie, between, maxSessions+1)
	return all[:min(len(all), maxSessions)]
}

// OpenSession gives the grant of the session for an API in a cookie; false when it has none
// that we made.
func (s *Service) OpenSession(api, cookie string) (grantID string, ok bool) {
	for _, one := range sessionsOf(cookie) {
		if grantID, ok = s.openOne(api, one); ok {
			return grantID, true
		}
	}
	return "", false
}

func (s *Service) openOne(api, session string) (grantID string, ok bool) {
	text, ok := strings.CutPrefix(session, PrefixSession)
	if !ok || len(session) != sessionChars {
		return "", false
	}
	raw, err := b64.DecodeString(text)
	if err != nil {
		return "", false
	}
	grantID = b64.EncodeToString(raw[:grantBytes])
	return grantID, hmac.Equal(raw[grantBytes:], s.sessionMAC(api, grantID))
}

func (s *Service) sessionMAC(api, grantID string) []byte {
	mac := hmac.New(sha256.New, s.sessionKey)
	mac.Write([]byte("gateway\x00" + api + "\x00" + grantID))
	return mac.Sum(nil)
}
