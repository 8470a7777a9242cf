package interaction

import (
	"net/http"

	"github.com/signet-auth/signet/web/answer"
)

// ShowError explains an error code, for whoever has to send a person somewhere with one:
// GET /error?error=…. It shows nothing else of the query, so that nobody can have our page
// say what they like.
func (s *Steps) ShowError(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("error")
	reason, known := reasons()[code]
	if !known {
		code, reason = "unknown", "Something went wrong."
	}
	s.Answers.Page(w, r, answer.Trouble{Status: http.StatusOK, Code: code, Reason: reason, Back: answer.ToAccount()})
}

// reasons are the words for the registered codes that a person may meet.
func reasons() map[string]string {
	return map[string]string{
		"access_denied":           "The app was not allowed to use your account.",
		"invalid_request":         "The app sent a request that cannot be understood.",
		"invalid_client":          "This app is not known here.",
		"unauthorized_client":     "This app may not do what it asked for.",
		"invalid_scope":           "The app asked for something that does not exist.",
		"invalid_target":          "The app asked for an API that does not exist.",
		"login_required":          "You need to sign in for this.",
		"consent_required":        "The app needs your permission for this.",
		"interaction_required":    "The app needs an answer from you for this.",
		"server_error":            "Something went wrong on our side.",
		"temporarily_unavailable": "Signet cannot answer right now.",
	}
}
