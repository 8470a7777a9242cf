package account

import (
	"crypto/subtle"
	"net/http"
	"net/url"
)

// done goes back to a page and has it say what was done. The sentence travels in the
// address with a seal of this session, so that nobody can have our page say what they like.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, who person, back, sentence string) {
	goTo(w, back+"?"+url.Values{"done": {sentence}, "seal": {p.seal(r, who, sentence)}}.Encode())
}

// flash gives the sentence that done has sent along.
func (p *Pages) flash(r *http.Request, who person) string {
	q := r.URL.Query()
	sentence := q.Get("done")
	if sentence == "" || subtle.ConstantTimeCompare([]byte(q.Get("seal")), []byte(p.seal(r, who, sentence))) != 1 {
		return ""
	}
	return sentence
}

func (p *Pages) seal(r *http.Request, who person, sentence string) string {
	return p.Forms.Token(r.Context(), "done", who.session.ID, sentence)
}
