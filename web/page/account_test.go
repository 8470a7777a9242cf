package page

import (
	"strings"
	"testing"
	"time"
)

func TestHowLongAnEntryWasIdle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		kind            EntryKind
		since, lastUsed time.Duration // ago; zero: never
		want            string
	}{
		{"used yesterday", KindApp, 400 * day, day, ""},
		{"used 89 days ago", KindApp, 400 * day, 89 * day, ""},
		{"used 90 days ago", KindApp, 400 * day, 90 * day, "3 months"},
		{"used a year ago", KindGateway, 400 * day, 365 * day, "12 months"},
		{"a token that never was", KindToken, 100 * day, 0, "3 months"},
		{"a new token", KindToken, day, 0, ""},
		{"an app of which it is not known", KindApp, 400 * day, 0, ""},
	} {
		e := Entry{Kind: c.kind, Since: noon.Add(-c.since)}
		if c.lastUsed > 0 {
			e.LastUsed = noon.Add(-c.lastUsed)
		}
		if got := (AccountApps{Layout: person}).Idle(e); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLongListsOfSentencesAreFolded(t *testing.T) {
	t.Parallel()
	for n, folded := range map[int]int{0: 0, 6: 0, 7: 2, 30: 25} {
		a := Access{Sentences: strings.Fields(strings.Repeat("See ", n))}
		if len(a.Rest()) != folded || len(a.First())+folded != n {
			t.Errorf("%d sentences: %d at once and %d folded, want %d folded", n, len(a.First()), len(a.Rest()), folded)
		}
	}
}

func TestAnEntryDoesNotRepeatItsName(t *testing.T) {
	t.Parallel()
	d := parsed(t, draw(t, newSet(t), AccountApps{Layout: person, Entries: []Entry{
		{Kind: KindGateway, Name: "Orders", Access: []Access{{API: "Orders", Sentences: []string{"See"}}, {API: "Invoices", Sentences: []string{"See"}}}},
	}}))
	var headings []string
	for n := range d.elements("h3") {
		headings = append(headings, textOf(n))
	}
	if strings.Join(headings, " ") != "Invoices" {
		t.Errorf("headings %q", headings)
	}
}

// Whoever hears the page and not sees it must know which of many buttons this one is.
func TestEveryButtonOfAListNamesItsEntry(t *testing.T) {
	t.Parallel()
	s, all := newSet(t), samples()
	for name, words := range map[string][]string{
		"apps": {
			"Remove access of Acme Calendar", "Yes, remove access of Acme Calendar",
			"Revoke backup script", "Yes, revoke it: backup script", "Remove access of Acme Wiki",
		},
		"sessions": {"Sign out Safari on iPhone, 2001:db8::1"},
	} {
		var said []string
		for n := range parsed(t, draw(t, s, all[name])).elements("button", "summary") {
			said = append(said, strings.NewReplacer("Keep access", "", "Keep", "").Replace(textOf(n)))
		}
		for _, want := range words {
			if !contains(said, want) {
				t.Errorf("%s: no button says %q: %q", name, want, said)
			}
		}
	}
}

// The note is read out when the page opens: it takes the focus.
func TestFlash(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flash Flash
		class string
	}{
		"done":    {Flash{Text: "Acme Calendar no longer has access."}, "note note-good"},
		"failed":  {Flash{Text: "The token could not be replaced.", Failed: true}, "note note-bad"},
		"nothing": {},
	} {
		class := ""
		for n := range parsed(t, draw(t, newSet(t), AccountApps{Layout: Layout{Flash: c.flash}})).elements("p") {
			if attr(n, "id") != "flash" {
				continue
			}
			if class = attr(n, "class"); textOf(n) != c.flash.Text || !has(n, "autofocus") || attr(n, "tabindex") != "-1" {
				t.Errorf("%s: %q with %v", name, textOf(n), n.Attr)
			}
		}
		if class != c.class {
			t.Errorf("%s: class %q, want %q", name, class, c.class)
		}
	}
}
