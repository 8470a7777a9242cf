package account

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/signet-auth/signet/web/middleware"
	"github.com/signet-auth/signet/web/page"
)

// done goes back to a page and has it say, once, what was done.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, who person, back, sentence string) {
	p.tell(w, r, who, back, page.Flash{Text: sentence})
}

// failed goes back to a page and has it say, once, why nothing was done.
func (p *Pages) failed(w http.ResponseWriter, r *http.Request, who person, back, sentence string) {
	p.tell(w, r, who, back, page.Flash{Text: sentence, Failed: true})
}

// tell sends a sentence along in a cookie, with a seal of this session over it and its tone:
// who can plant a cookie still cannot have our page say what they like.
func (p *Pages) tell(w http.ResponseWriter, r *http.Request, who person, back string, f page.Flash) {
	sealed := base64.RawURLEncoding.EncodeToString([]byte(f.Text)) + "." + tone(f) + "." + p.seal(r, who, f)
	p.Cookies.SetFlash(w, sealed)
	goTo(w, back)
}

// flash gives the sentence that tell has sent along.
func (p *Pages) flash(r *http.Request, who person) page.Flash {
	parts := strings.Split(middleware.FlashFrom(r.Context()), ".")
	if len(parts) != 3 {
		return page.Flash{}
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[0])
	f := page.Flash{Text: string(text), Failed: parts[1] == tone(page.Flash{Failed: true})}
	if err != nil || subtle.ConstantTimeCompare([]byte(parts[2]), []byte(p.seal(r, who, f))) != 1 {
		return page.Flash{}
	}
	return f
}

func (p *Pages) seal(r *http.Request, who person, f page.Flash) string {
	return p.Forms.Token(r.Context(), "flash", who.session.ID, tone(f), f.Text)
}

func tone(f page.Flash) string {
	if f.Failed {
		return "failed"
	}
	return "done"
}
