package authz_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/signet-auth/signet"

// law says what a folder may import of ours, itself and what is below it aside. Breaking a
// direction is a change of the architecture: it belongs in docs/architecture.md first.
var law = []struct {
	folder string
	may    []string
}{
	{"authz/verifier", nil},
	{"authz/cache", []string{"authz"}},
	{"authz/lastuse", nil},
	{"authz/authztest", []string{"authz"}},
	// Every decider knows the nouns, and no other decider; cache and lastuse decide nothing.
	{"authz/", []string{"authz", "authz/cache", "authz/lastuse"}},
	{"authz", nil},
	{"storage/storagetest", []string{"authz", "storage", "migrations", "storage/storagetest/postgrestest", "storage/storagetest/postgrestest/cluster"}},
	{"storage", []string{"authz"}},
	{"migrations", nil},
	{"web/page", []string{"authz"}},
	{"web/webtest", []string{"*"}}, // test support wires what cmd wires
	{"web", []string{"authz", "authz/*", "web", "web/*"}},
	{"cmd/signet/demo", []string{"authz/verifier"}},
	{"cmd", []string{"*"}},
}

// foreign says which folder alone may import a library.
var foreign = []struct{ library, folder string }{
	{"github.com/ory/fosite", "authz/oauth2"},
	{"github.com/jackc/pgx/", "storage"},
	{"github.com/golang-migrate/", "migrations"},
	{"github.com/gorilla/mux", "web"},
	{"github.com/spf13/cobra", "cmd"},
	{"github.com/knadh/koanf", "cmd"},
	{"database/sql", "storage"},
	{"html/template", "web/page"},
}

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...").Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		folder := strings.TrimPrefix(words[0], module+"/")
		for _, imported := range words[1:] {
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
				if !mayImport(folder, ours) {
					t.Errorf("%s imports %s", folder, ours)
				}
				continue
			}
			checkForeign(t, folder, imported)
		}
	}
}

func mayImport(folder, ours string) bool {
	for _, rule := range law {
		if !within(folder, rule.folder) {
			continue
		}
		return within(ours, folder) || slices.ContainsFunc(rule.may, func(pattern string) bool {
			prefix, wild := strings.CutSuffix(pattern, "*")
			return ours == pattern || wild && strings.HasPrefix(ours, prefix)
		})
	}
	return false // a folder that the law does not know
}

// within reports whether a folder is another or below it; a rule that ends in a slash is
// about what is below only.
func within(folder, rule string) bool {
	return folder == rule || strings.HasPrefix(folder, strings.TrimSuffix(rule, "/")+"/")
}

func checkForeign(t *testing.T, folder, imported string) {
	t.Helper()
	for _, rule := range foreign {
		if !strings.HasPrefix(imported, rule.library) || within(folder, rule.folder) {
			continue
		}
		if rule.library == "database/sql" && folder == "migrations" || strings.HasPrefix(folder, "storage/storagetest") ||
			rule.library == "html/template" && strings.HasPrefix(folder, "cmd/signet/demo") ||
			rule.library == "github.com/jackc/pgx/" && folder == "migrations" {
			continue
		}
		t.Errorf("%s imports %s, which only %s may", folder, imported, rule.folder)
	}
}

func TestTheVerifierNeedsNothingButGoJOSE(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+"/authz/verifier").Output()
	if err != nil {
		t.Fatalf("list dependencies: %v", err)
	}
	for dep := range strings.FieldsSeq(string(out)) {
		if dep != module+"/authz/verifier" && !strings.HasPrefix(dep, "github.com/go-jose/go-jose/v4") {
			t.Errorf("the verifier drags in %s", dep)
		}
	}
}
