// Package page draws everything a person sees: one Go struct per page, one template per
// struct, one stylesheet. Its words are for somebody tired and in a hurry: plain
// sentences, and buttons that say what happens.
//
// It decides nothing and reads nothing. Handlers (web/interaction, web/account) fill the
// structs; the security headers are web/middleware's. No page needs JavaScript, and none
// holds an inline style or script, so that the content security policy can forbid both.
//
// What strangers write (names of apps and tokens, user agents) is shown shortened and
// without the control characters that reorder text on a screen. Values that travel back
// in a form are left as they are.
package page
