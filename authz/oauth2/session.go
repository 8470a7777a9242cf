package oauth2

import (
	"time"

	"github.com/ory/fosite"

	"github.com/signet-auth/signet/authz"
)

// carrier takes what one handler finds out to the next, within one request. It is never
// stored, which is what fosite's sessions are for elsewhere.
type carrier struct {
	issue *issue         // what the token endpoint will hand out
	auth  *authorization // what the authorize endpoint has validated
	grant *authz.Grant   // what it has granted
}

var _ fosite.Session = (*carrier)(nil)

func (*carrier) SetExpiresAt(fosite.TokenType, time.Time) {}
func (*carrier) GetExpiresAt(fosite.TokenType) time.Time  { return time.Time{} }
func (*carrier) GetUsername() string                      { return "" }
func (*carrier) GetSubject() string                       { return "" }
func (c *carrier) Clone() fosite.Session                  { return c }
