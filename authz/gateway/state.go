package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

// ErrState means that a sign-in cannot be finished: it was begun in another browser or for
// another host, too long ago, or not by us.
var ErrState = errors.New("the sign-in was not begun here or took too long")

const (
	stateLifetime = time.Hour // as long as an interaction lives
	idBytes       = 16
	verifierBytes = 32
)

// State is what a browser keeps at a protected host while its person signs in.
type State struct {
	// ID is the state parameter (RFC 6749 §4.1.1), and tells several sign-ins of one browser
	// apart.
	ID       string
	API      string
	ReturnTo string
	Verifier authz.Secret // the code_verifier (RFC 7636 §4.1)
	Expires  time.Time
}

// NewState begins a sign-in to an API. returnTo is made safe by ReturnTo.
func (s *Service) NewState(api *authz.API, returnTo string) (State, error) {
	raw := make([]byte, idBytes+verifierBytes)
	if _, err := io.ReadFull(s.cfg.Random, raw); err != nil {
		return State{}, fmt.Errorf("begin sign-in: %w", err)
	}
	return State{
		ID: b64.EncodeToString(raw[:idBytes]), API: api.Identifier, ReturnTo: ReturnTo(api, returnTo),
		Verifier: authz.Secret(b64.EncodeToString(raw[idBytes:])), Expires: s.cfg.Now().Add(stateLifetime),
	}, nil
}

// Challenge is the code_challenge of the sign-in, of method S256 (RFC 7636 §4.2).
func (t State) Challenge() string {
	sum := sha256.Sum256([]byte(t.Verifier.Reveal()))
	return b64.EncodeToString(sum[:])
}

const stateLabel = "gateway state"

// fieldEnd stands between the fields of a state; none of them can have it.
const fieldEnd = "\x00"

// SealState encrypts a state (AES-256-GCM) for a cookie.
func (s *Service) SealState(t State) (authz.Secret, error) {
	expires := strconv.FormatInt(t.Expires.Unix(), 10)
	plaintext := strings.Join([]string{t.ID, t.API, t.ReturnTo, t.Verifier.Reveal(), expires}, fieldEnd)
	nonce := make([]byte, s.stateSeal.NonceSize())
	if _, err := io.ReadFull(s.cfg.Random, nonce); err != nil {
		return "", fmt.Errorf("seal state: %w", err)
	}
	return authz.Secret(b64.EncodeToString(s.stateSeal.Seal(nonce, nonce, []byte(plaintext), []byte(stateLabel)))), nil
}

// OpenState gives the state that a browser kept. id is the state parameter that came back
// with the answer: only the browser that began has the state that belongs to it. ErrState
// for everything else.
func (s *Service) OpenState(sealed authz.Secret, id string) (State, error) {
	raw, err := b64.DecodeString(sealed.Reveal())
	if err != nil || len(raw) < s.stateSeal.NonceSize() {
		return State{}, ErrState
	}
	n := s.stateSeal.NonceSize()
	plaintext, err := s.stateSeal.Open(nil, raw[:n], raw[n:], []byte(stateLabel))
	if err != nil {
		return State{}, ErrState
	}
	t, ok := parseState(string(plaintext))
	if !ok || subtle.ConstantTimeCompare([]byte(t.ID), []byte(id)) != 1 || !s.cfg.Now().Before(t.Expires) {
		return State{}, ErrState
	}
	return t, nil
}

func parseState(text string) (State, bool) {
	field := strings.Split(text, fieldEnd)
	if len(field) != 5 {
		return State{}, false
	}
	expires, err := strconv.ParseInt(field[4], 10, 64)
	return State{field[0], field[1], field[2], authz.Secret(field[3]), time.Unix(expires, 0)}, err == nil
}

func newSeal(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
