package page

import (
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func stylesheet(t *testing.T) string {
	t.Helper()
	css, err := files.ReadFile("static/signet.css")
	if err != nil {
		t.Fatal(err)
	}
	return string(css)
}

var property = regexp.MustCompile(`--([a-z0-9-]+):\s*(#[0-9a-f]{3,6});`)

// themes reads the colours of the light theme, and those of the dark one laid over them.
func themes(t *testing.T) map[string]map[string]string {
	t.Helper()
	light, dark, found := strings.Cut(stylesheet(t), "prefers-color-scheme: dark")
	if !found {
		t.Fatal("no dark theme")
	}
	dark, _, _ = strings.Cut(dark, "\n}\n")
	out := map[string]map[string]string{"light": colours(light)}
	out["dark"] = maps.Clone(out["light"])
	maps.Copy(out["dark"], colours(dark))
	return out
}

func colours(css string) map[string]string {
	out := map[string]string{}
	for _, m := range property.FindAllStringSubmatch(css, -1) {
		out[m[1]] = m[2]
	}
	return out
}

// WCAG 2.2 asks 4.5:1 of text (1.4.3) and 3:1 of the edges of controls, of the focus ring
// and of pictures that carry meaning (1.4.11).
func TestContrast(t *testing.T) {
	t.Parallel()
	text := map[string][]string{
		"ink":     {"paper", "sheet", "fold", "tag-ground", "plain-over"},
		"soft":    {"paper", "sheet", "fold", "tag-ground", "plain-over"},
		"link":    {"paper", "sheet", "fold"},
		"on-main": {"main", "main-over"},
		"danger":  {"paper", "sheet", "danger-over"},
		"bad":     {"bad-ground"},
		"warn":    {"warn-ground"},
		"good":    {"good-ground"},
		"on-tone": {"tone-1", "tone-2", "tone-3", "tone-4", "tone-5", "tone-6"},
		"print":   {"wax-deep"},
	}
	graphic := map[string][]string{
		"edge":  {"paper", "sheet", "fold"},
		"focus": {"paper", "sheet", "fold"},
		"good":  {"sheet"},
		"wax":   {"paper", "sheet", "fold"},
	}
	for theme, colour := range themes(t) {
		checkContrast(t, theme, colour, text, 4.5)
		checkContrast(t, theme, colour, graphic, 3)
	}
}

func checkContrast(t *testing.T, theme string, colour map[string]string, pairs map[string][]string, least float64) {
	t.Helper()
	for front, backs := range pairs {
		for _, back := range backs {
			ratio := contrast(t, colour[front], colour[back])
			if ratio < least {
				t.Errorf("%s: %s on %s has %.2f:1, want %.1f:1", theme, front, back, ratio, least)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	rgb, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("colour %q is not one", colour)
	}
	linear := func(shift uint) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= .04045 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*linear(16) + .7152*linear(8) + .0722*linear(0)
}

func TestStylesheetIsSelfContained(t *testing.T) {
	t.Parallel()
	css := stylesheet(t)
	for _, bad := range []string{"url(", "@import", "@font-face", "http:", "https:"} {
		if strings.Contains(css, bad) {
			t.Errorf("the stylesheet fetches something: %s", bad)
		}
	}
	for _, m := range regexp.MustCompile(`var\(--([a-z0-9-]+)\)`).FindAllStringSubmatch(css, -1) {
		if !strings.Contains(css, "--"+m[1]+":") {
			t.Errorf("--%s is used and not defined", m[1])
		}
	}
	for _, want := range []string{"prefers-reduced-motion", ":focus-visible", "@media print", "forced-colors"} {
		if !strings.Contains(css, want) {
			t.Errorf("the stylesheet forgets %s", want)
		}
	}
}

func TestEveryClassHasAStyle(t *testing.T) {
	t.Parallel()
	css := stylesheet(t)
	// Named so that the markup can be read; they look like what surrounds them.
	plainOnes := []string{"note", "tone-1", "tag-over"}
	eachPage(t, func(t *testing.T, _ Page, d document) {
		for n := range d.elements() {
			for class := range strings.FieldsSeq(attr(n, "class")) {
				if !regexp.MustCompile(`\.`+class+`\b`).MatchString(css) && !contains(plainOnes, class) {
					t.Errorf("class %s has no style", class)
				}
			}
		}
	})
}
