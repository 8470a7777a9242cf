package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/signet-auth/signet/authz"
)

// key is a signing key of the snapshot: its row and what never changes about it.
type key struct {
	authz.SigningKey
	*material
	// seen is since when this process knows the key in its state. Its ages count from here
	// when the row's own times lie in the future, because a clock was set back.
	seen time.Time
}

// material is an opened key. Reloads share it.
type material struct {
	private
	jwk     jwk
	headers map[string]string // by typ: the encoded header and its dot
}

// The types of token that headers are prepared for; any other is written when it is asked for.
var preparedTypes = []string{"", "JWT", "at+jwt", "logout+jwt", "token-introspection+jwt", "statuslist+jwt"}

func newMaterial(p private) (*material, error) {
	public, err := p.public()
	if err != nil {
		return nil, err
	}
	m := &material{private: p, jwk: public, headers: make(map[string]string, len(preparedTypes))}
	for _, typ := range preparedTypes {
		m.headers[typ] = encodeHeader(p.alg, public.Kid, typ)
	}
	return m, nil
}

// newRow makes a key and its row, sealed.
func newRow(alg string, state authz.KeyState, master *Master, random io.Reader, now time.Time) (authz.SigningKey, error) {
	p, err := generate(alg, random)
	if err != nil {
		return authz.SigningKey{}, err
	}
	public, err := p.public()
	if err != nil {
		return authz.SigningKey{}, err
	}
	published, err := json.Marshal(public)
	if err != nil {
		return authz.SigningKey{}, fmt.Errorf("write public key: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(p.stdlib())
	if err != nil {
		return authz.SigningKey{}, fmt.Errorf("write private key: %w", err)
	}
	sealed, err := master.Seal(pkcs8, sealAAD(public.Kid, alg))
	if err != nil {
		return authz.SigningKey{}, fmt.Errorf("seal private key: %w", err)
	}
	row := authz.SigningKey{KID: public.Kid, Alg: alg, State: state, Sealed: sealed, PublicJWK: published, CreatedAt: now}
	if state == authz.KeyActive {
		row.ActivatedAt = now
	}
	return row, nil
}

// sealAAD ties a sealed key to its name and algorithm: a row cannot pass for another.
func sealAAD(kid, alg string) []byte { return []byte("signing key\x00" + kid + "\x00" + alg) }

// openRow opens a row. What is published comes from the private key itself, so that a row
// somebody has tampered with cannot put a foreign key into the key set.
func openRow(row authz.SigningKey, master *Master) (*material, error) {
	pkcs8, err := master.Open(row.Sealed, sealAAD(row.KID, row.Alg))
	if err != nil {
		return nil, fmt.Errorf("open signing key %s: %w", row.KID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("parse signing key %s: %w", row.KID, err)
	}
	p, err := privateOf(row.Alg, parsed)
	if err != nil {
		return nil, fmt.Errorf("parse signing key %s: %w", row.KID, err)
	}
	m, err := newMaterial(p)
	if err != nil {
		return nil, err
	}
	if m.jwk.Kid != row.KID {
		return nil, fmt.Errorf("open signing key %s: it is the key %s", row.KID, m.jwk.Kid)
	}
	return m, nil
}

// same reports whether k was opened from this very row.
func (k *key) same(row authz.SigningKey) bool {
	return k.Alg == row.Alg && bytes.Equal(k.Sealed, row.Sealed)
}

// age is how long the key has been in its state: by the clock since the time in its row, or
// since this process first saw it so, whichever is longer.
func (k *key) age(now, since time.Time) time.Duration {
	return max(now.Sub(since), now.Sub(k.seen))
}
