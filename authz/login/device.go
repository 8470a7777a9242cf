package login

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"strings"

	"github.com/signet-auth/signet/authz"
)

const deviceBytes = 12

// device is a browser in which a person has signed in before. Each has an id of its own, so
// that what one of them guesses does not count against another.
type device struct {
	userID string
	id     string
}

// DeviceToken makes what a browser keeps after a person has signed in with it. It proves
// nothing but that, and signs nobody in. It is empty when there is no randomness: the
// browser then stays a new one.
func (s *Service) DeviceToken(userID string) authz.Secret {
	raw := make([]byte, deviceBytes)
	if _, err := io.ReadFull(s.cfg.Random, raw); err != nil {
		return ""
	}
	d := device{userID: userID, id: base64.RawURLEncoding.EncodeToString(raw)}
	return authz.Secret(d.userID + "." + d.id + "." + s.deviceMAC(d))
}

// KnowsDevice reports whether token was made by DeviceToken for this person.
func (s *Service) KnowsDevice(token authz.Secret, userID string) bool {
	d, ok := s.openDevice(token)
	return ok && d.userID == userID
}

// openDevice reads a token; false for everything that we did not make.
func (s *Service) openDevice(token authz.Secret) (device, bool) {
	part := strings.Split(token.Reveal(), ".")
	if len(part) != 3 || part[0] == "" {
		return device{}, false
	}
	d := device{userID: part[0], id: part[1]}
	return d, hmac.Equal([]byte(part[2]), []byte(s.deviceMAC(d)))
}

func (s *Service) deviceMAC(d device) string {
	mac := hmac.New(sha256.New, s.cfg.DeviceKey)
	mac.Write([]byte("known device\x00" + d.userID + "\x00" + d.id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
