package page

import (
	"errors"
	"net/url"
)

// FormPost carries an authorization response to the app in a form that sends itself
// (OAuth 2.0 Form Post Response Mode). Without JavaScript a button sends it. The content
// security policy of this page must allow its Action in form-action.
type FormPost struct {
	Layout
	// App is who receives it.
	App App
	// Action is the redirect URI: https, or http on a loopback address. Write refuses
	// any other.
	Action string
	// Params are the parameters of the response, each sent as a hidden field.
	Params url.Values
}

// Template names the file.
func (FormPost) Template() string { return "form-post" }

// Title is what the browser's tab says.
func (FormPost) Title() string { return "One moment" }

var errUnsafeAction = errors.New("the address of a form post must be https, or http on a loopback address")

func (f FormPost) check() error {
	if webAddress(f.Action) == "" {
		return errUnsafeAction
	}
	return nil
}
