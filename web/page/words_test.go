package page

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"ordinary", "Acme Calendar", "Acme Calendar"},
		{"spaces", "  Acme \n\t Calendar ", "Acme Calendar"},
		{"at the limit", strings.Repeat("é", 20), strings.Repeat("é", 20)},
		{"over the limit", strings.Repeat("é", 21), strings.Repeat("é", 20) + "…"},
		{"reversed", "a\u202eb\u2066c", "abc"},
		{"zero width", "a\u200bb\ufeffc", "abc"},
		{"family of emoji", "👩\u200d👧", "👩\u200d👧"},
		{"broken utf-8", "a\xffb", "ab"},
		{"nothing but control", "\x00\u202e", ""},
		{"right to left script", "יומן", "יומן"},
	} {
		if got := plain(c.in, 20); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"Acme", "a\u202eb", "\xff", strings.Repeat("x ", 50), "👩\u200d👧", " a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := plain(s, 20)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 22 {
			t.Errorf("%q became %q", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || hidden(r) {
				t.Errorf("%q kept %U", s, r)
			}
		}
	})
}

func TestRelativeTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gap  time.Duration
		want string
	}{
		{0, "just now"},
		{-59 * time.Second, "just now"},
		{-time.Minute, "1 minute ago"},
		{-90 * time.Second, "1 minute ago"},
		{-59 * time.Minute, "59 minutes ago"},
		{-time.Hour, "1 hour ago"},
		{-47 * time.Hour, "1 day ago"},
		{-6 * day, "6 days ago"},
		{-7 * day, "2 October 2026"},
		{-365 * day, "9 October 2025"},
		{time.Second, "in a moment"},
		{time.Minute, "in 1 minute"},
		{89 * time.Second, "in 1 minute"},
		{59*time.Minute + 29*time.Second, "in 59 minutes"},
		{time.Hour - time.Second, "in 1 hour"},
		{23*time.Hour + 29*time.Minute, "in 23 hours"},
		{day - time.Second, "in 1 day"},
		{25 * time.Hour, "in 1 day"},
		{2*day - time.Second, "in 2 days"},
		{13 * day, "in 13 days"},
		{14 * day, "23 October 2026"},
	} {
		if got := momentOf(noon, noon.Add(c.gap)).Text; got != c.want {
			t.Errorf("%v: %q, want %q", c.gap, got, c.want)
		}
	}
}

func TestMomentIsInUTC(t *testing.T) {
	t.Parallel()
	lisbon := time.FixedZone("WEST", 3600)
	got := momentOf(time.Time{}, noon.In(lisbon))
	want := moment{"2026-10-09T12:00:00Z", "9 October 2026, 12:00 UTC", "9 October 2026"}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestWaitText(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		0:                       "1 second",
		900 * time.Millisecond:  "1 second",
		1001 * time.Millisecond: "2 seconds",
		30 * time.Second:        "30 seconds",
		time.Minute:             "1 minute",
		90 * time.Second:        "90 seconds",
		2 * time.Minute:         "2 minutes",
		121 * time.Second:       "3 minutes",
		15 * time.Minute:        "15 minutes",
		2 * time.Hour:           "2 hours",
	} {
		if got := (Login{Wait: wait}).WaitText(); got != want {
			t.Errorf("%v: %q, want %q", wait, got, want)
		}
	}
}

func TestExpiriesStayWithinTheLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		max     int
		chosen  string
		want    string
		checked string
	}{
		{"no limit", 0, "", "7 30 90 365", "30"},
		{"90 days", 90, "", "7 30 90", "30"},
		{"short", 10, "", "7", "7"},
		{"shorter than any", 3, "", "", ""},
		{"chosen before", 0, "365", "7 30 90 365", "365"},
		{"a date", 0, "date", "7 30 90 365", ""},
	} {
		var values []string
		checked := ""
		for _, e := range (AccountTokenNew{Layout: visitor, MaxDays: c.max, Expires: c.chosen}).Expiries() {
			values = append(values, e.Value)
			if e.Checked {
				checked = e.Value
			}
		}
		if got := strings.Join(values, " "); got != c.want || checked != c.checked {
			t.Errorf("%s: %q with %q checked, want %q with %q", c.name, got, checked, c.want, c.checked)
		}
	}
}

func TestBadges(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"acme": "A", "  «école»": "É", "3d": "3", "": "", "\u202e": "", "🗓️": "", "日本": "日"} {
		if got := initial(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
