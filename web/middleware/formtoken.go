package middleware

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/signet-auth/signet/authz"
)

// FormTokens makes the hidden token that every form of a page carries, and knows its own.
// Beside the origin check it proves that this browser was shown this form.
type FormTokens struct{ key []byte }

// NewFormTokens takes a key of at least 32 bytes that all replicas share.
func NewFormTokens(key []byte) FormTokens { return FormTokens{key} }

// Token is bound to the browser and to what the form is about, such as an interaction: a
// token of another browser or another form is of no use.
func (f FormTokens) Token(ctx context.Context, about ...string) string {
	mac := hmac.New(sha256.New, f.key)
	mac.Write([]byte(authz.BrowserFrom(ctx).Reveal()))
	mac.Write([]byte{0})
	mac.Write([]byte(strings.Join(about, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Valid reports whether the posted form carries the token of this browser and about.
func (f FormTokens) Valid(r *http.Request, about ...string) bool {
	want := f.Token(r.Context(), about...)
	return authz.BrowserFrom(r.Context()) != "" && hmac.Equal([]byte(r.PostForm.Get("csrf")), []byte(want))
}
