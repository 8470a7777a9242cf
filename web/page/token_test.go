package page

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// formOf is the form for a new token with something wrong in these fields.
func formOf(fields ...string) AccountTokenNew {
	p := samples()["token-new"].(AccountTokenNew)
	p.Layout, p.Problems = visitor, Problems{}
	for _, field := range fields {
		p.Problems[field] = "Not so."
	}
	return p
}

// A keyboard begins at the first thing to mend.
func TestTheFormForATokenBeginsWithTheFirstBadControl(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]string{
		"": "name", "name": "name", "scope": "scope=orders:read", "expires": "expires=7", "cidrs": "cidrs",
		"cidrs expires": "expires=7", "expires scope": "scope=orders:read", "cidrs name": "name",
	} {
		var got []string
		for n := range parsed(t, draw(t, newSet(t), formOf(strings.Fields(fields)...))).elements() {
			if !has(n, "autofocus") {
				continue
			}
			one := attr(n, "name")
			if kind := attr(n, "type"); kind == "checkbox" || kind == "radio" {
				one += "=" + attr(n, "value")
			}
			got = append(got, one)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("with problems of %q it begins with %q, want %q", fields, got, want)
		}
	}
}

func TestHintsAndProblemsBelongToTheirFields(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]string{
		"":                         "name: name-hint; cidrs: cidrs-hint; ",
		"name scope expires cidrs": "name: name-problem name-hint!; fieldset: scope-problem; fieldset: expires-problem; cidrs: cidrs-problem cidrs-hint!; ",
	} {
		var got strings.Builder
		for n := range parsed(t, draw(t, newSet(t), formOf(strings.Fields(fields)...))).elements("input", "textarea", "fieldset") {
			if !has(n, "aria-describedby") {
				continue
			}
			name := attr(n, "name")
			if n.Data == "fieldset" {
				name = n.Data
			}
			got.WriteString(name + ": " + attr(n, "aria-describedby"))
			if attr(n, "aria-invalid") == "true" {
				got.WriteByte('!')
			}
			got.WriteString("; ")
		}
		if got.String() != want {
			t.Errorf("with problems of %q: %s\nwant %s", fields, got.String(), want)
		}
	}
}

// A group of controls is not invalid itself: not all that read it out know that.
func TestNoGroupIsInvalid(t *testing.T) {
	t.Parallel()
	eachPage(t, func(t *testing.T, _ Page, d document) {
		for n := range d.elements("fieldset") {
			if has(n, "aria-invalid") {
				t.Error("a fieldset is invalid")
			}
		}
	})
}

func TestTokensThatWorkComeFirst(t *testing.T) {
	t.Parallel()
	tokens := samples()["tokens"].(AccountTokens)
	tokens.Tokens = append(tokens.Tokens[4:], tokens.Tokens[:4]...)
	text := textOf(parsed(t, draw(t, newSet(t), tokens)).root)
	at := -1
	for _, words := range []string{
		"build Replaced", "Stops in 1 day", "backup script Active", "Expires 9 January 2027", "spreadsheet Expires soon", "Made by Acme Calendar",
		"Ended (kept for 30 days)", "test Revoked", "Revoked 1 hour ago", "deploy Replaced", "Stopped 3 days ago",
		"old laptop Leaked, revoked", "Revoked 2 days ago", "import Expired", "Expired 19 September 2026",
	} {
		next := strings.Index(text, words)
		if next <= at {
			t.Errorf("%q stands at %d, after %d", words, next, at)
		}
		at = max(at, next)
	}
	for _, n := range []string{"test", "old laptop"} {
		_, rest, _ := strings.Cut(text, n)
		if ends, _, _ := strings.Cut(rest, "Never used"); strings.Contains(ends, "Expires") {
			t.Errorf("%s is said to expire: %s", n, ends)
		}
	}
}

// What looks the same in a list says what it is about to those who hear it out of place.
func TestButtonsOfTokensAreToldApart(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	d := parsed(t, draw(t, newSet(t), samples()["tokens"]))
	for n := range d.elements("a", "button", "summary") {
		if !within(n, "li") {
			continue
		}
		if text := textOf(n); seen[text] {
			t.Errorf("two say %q", text)
		} else {
			seen[text] = true
		}
	}
	for _, want := range []string{"Replace backup script", "Yes, revoke it: spreadsheet"} {
		if !seen[want] {
			t.Errorf("nothing says %q: %v", want, seen)
		}
	}
}

func within(n *html.Node, tag string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == tag {
			return true
		}
	}
	return false
}

func TestWhatStandsForEverythingIsSetApart(t *testing.T) {
	t.Parallel()
	lists := 0
	for n := range parsed(t, draw(t, newSet(t), samples()["token-new-own"])).elements("ul") {
		if strings.Contains(textOf(n), "signet:") {
			lists++
			if wide := strings.Contains(textOf(n), "Everything"); wide != strings.Contains(textOf(n), "signet:admin") {
				t.Errorf("list %q", textOf(n))
			}
		}
	}
	if lists != 2 {
		t.Errorf("%d lists of scopes, want 2", lists)
	}
}
