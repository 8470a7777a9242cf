package authz_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/standards.md says where each section is done and what holds it. What it names must
// exist, or it says nothing.
func TestWhatTheStandardsPageNamesExists(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/standards.md")
	if err != nil {
		t.Fatal(err)
	}
	known := testNames(t, "..")
	for _, quoted := range regexp.MustCompile("`[^`]+`").FindAllString(string(page), -1) {
		name := strings.Trim(quoted, "`")
		switch {
		case regexp.MustCompile(`^(Test|Fuzz)\w+$`).MatchString(name):
			if !known[name] {
				t.Errorf("there is no %s", name)
			}
		case strings.Contains(name, "/") && strings.Contains(filepath.Base(name), "."):
			if _, err := os.Stat(filepath.Join("..", name)); err != nil {
				t.Errorf("there is no %s", name)
			}
		}
	}
}

// A page that leads nowhere helps nobody.
func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".md") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range link.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), string(found[1]))); err != nil {
				t.Errorf("%s leads to %s, which is not there", path, found[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// testNames gathers the tests and fuzz targets of the repository.
func testNames(t *testing.T, root string) map[string]bool {
	t.Helper()
	out, declared := map[string]bool{}, regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range declared.FindAllSubmatch(source, -1) {
			out[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
