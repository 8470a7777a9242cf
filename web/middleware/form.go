package middleware

import (
	"fmt"
	"mime"
	"net/http"

	"github.com/signet-auth/signet/web/answer"
)

// LimitBody lets a handler read no more than limit bytes of a body.
func LimitBody(limit int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, limit)
			next.ServeHTTP(w, r)
		})
	}
}

// Form reads the form of a POST into r.PostForm before the handler runs. It takes
// application/x-www-form-urlencoded only: nothing here needs files.
func Form(refuse Refusal) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				if trouble, ok := readForm(r); !ok {
					refuse(w, r, trouble)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

func readForm(r *http.Request) (answer.Trouble, bool) {
	if trouble, wrong := checkFormType(r); wrong {
		return trouble, false
	}
	err := r.ParseForm()
	if trouble, tooLarge := answer.TooLarge(err); tooLarge {
		return trouble, false
	}
	return answer.Trouble{
		Status: http.StatusBadRequest, Code: "invalid_request",
		Reason: "That form could not be read.", Cause: err,
	}, err == nil
}

func checkFormType(r *http.Request) (answer.Trouble, bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return answer.Trouble{
		Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
		Reason: "This address takes forms as application/x-www-form-urlencoded only.",
	}, err != nil || kind != "application/x-www-form-urlencoded"
}

// SameOrigin refuses forms that another site sends, by Sec-Fetch-Site or else by Origin.
// What a browser says nothing about is left to the form's token.
func SameOrigin(issuer string, refuse Refusal) (Middleware, error) {
	protection := http.NewCrossOriginProtection()
	// A proxy may have changed the Host header that an Origin is compared with.
	if err := protection.AddTrustedOrigin(issuer); err != nil {
		return nil, fmt.Errorf("trust issuer %s: %w", issuer, err)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := protection.Check(r); err != nil && !unspoken(r) {
				refuse(w, r, answer.Trouble{
					Status: http.StatusForbidden, Code: "cross_origin",
					Reason: "That form was sent by another website, so it was not accepted.",
					Advice: "If you wanted to do this, open your account page and do it there.",
					Back:   answer.ToAccount(), Cause: err,
				})
				return
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// unspoken reports that a browser from before Sec-Fetch-Site hides the origin of a form,
// as it does for our own pages because of their referrer policy.
func unspoken(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "null"
}
