package storage_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-auth/signet/storage"
)

// forbidden is what one of the two databases does not know, or understands differently. The
// numbers are those of the rules in the package comment.
var forbidden = map[string]*regexp.Regexp{
	"1: placeholders are $1, $2, …":           regexp.MustCompile(`\?`),
	"2: the database never tells the time":    regexp.MustCompile(`(?i)\bnow\s*\(|current_(time|date)|localtime|statement_timestamp|\binterval\s*'|\b(datetime|strftime|julianday|unixepoch|age|extract|date_trunc|date_part|to_timestamp)\s*\(`),
	"3: only what both know":                  regexp.MustCompile(`(?i)\binsert\s+or\b|\breplace\s+into\b|\bdistinct\s+on\b|\bmerge\s+into\b|\browid\b|\bifnull\s*\(|\bglob\b|\bfull\s+join\b|\bxmax\b|\bctid\b`),
	"4: claims are conditional writes":        regexp.MustCompile(`(?i)\bfor\s+(no\s+key\s+)?(update|share|key\s+share)\b|skip\s+locked|\bnowait\b|advisory`),
	"5: a boolean is its own condition":       regexp.MustCompile(`(?i)(=|<>|\bis(\s+not)?)\s*(true|false)\b`),
	"6: identifiers are TEXT":                 regexp.MustCompile(`(?i)\buuid\b|gen_random|random\s*\(`),
	"8: SQL never looks into structures":      regexp.MustCompile(`(?i)->|#>|@>|<@|\bjsonb?_`),
	"9: other case has a column of its own":   regexp.MustCompile(`(?i)\bi?like\b|citext|\b(lower|upper)\s*\(|collate|similar\s+to|~`),
	"10: no casts, sequences, arrays":         regexp.MustCompile(`(?i)::|\bcast\s*\(|serial|\bidentity\b|autoincrement|nextval|currval|\bany\s*\(|\ball\s*\(|\barray\b|unnest|\[`),
	"strings of SQL are never formatted into": regexp.MustCompile(`%[a-z]`),
}

func violations(statement string) (rules []string) {
	for rule, pattern := range forbidden {
		if pattern.MatchString(statement) {
			rules = append(rules, rule)
		}
	}
	return rules
}

func TestForbiddenWordsAreFound(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`SELECT now()`, `SELECT CURRENT_TIMESTAMP`, `SELECT 1 FROM a FOR UPDATE`, `FOR UPDATE SKIP LOCKED`,
		`SELECT id::text`, `CAST(a AS text)`, `WHERE a ILIKE $1`, `a citext`, `a = ANY($1)`, `extract(year FROM a)`,
		`date_trunc('day', a)`, `id serial`, `GENERATED ALWAYS AS IDENTITY`, `WHERE active = TRUE`, `WHERE a IS NOT false`,
		`WHERE a = ?`, `INSERT OR IGNORE INTO a`, `a ->> 'b'`, `lower(a)`, `WHERE a LIKE 'b%s'`, `a = $1 - interval '1 day'`,
	} {
		if violations(bad) == nil {
			t.Errorf("%q breaks no rule", bad)
		}
	}
}

// sources parses what a pattern names.
func sources(t *testing.T, pattern string) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name.Name != "storage_test" {
			files = append(files, file)
		}
	}
	return set, files
}

var beginsLikeSQL = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)

func TestStatementsArePortable(t *testing.T) {
	t.Parallel()
	set, files := sources(t, "*.go")
	seen := 0
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			raw := strings.HasPrefix(literal.Value, "`")
			text := strings.Trim(literal.Value, "`\"")
			if beginsLikeSQL.MatchString(text) {
				seen++
				if !raw {
					t.Errorf("%s: a statement is a raw string", set.Position(n.Pos()))
				}
			}
			if raw {
				for _, rule := range violations(text) {
					t.Errorf("%s breaks rule %s", set.Position(n.Pos()), rule)
				}
			}
			return true
		})
	}
	if seen < 80 {
		t.Errorf("found %d statements only: the test looks in the wrong place", seen)
	}
}

// statementArgument says which argument of a call is SQL.
var statementArgument = map[string]int{
	"exec": 2, "exec1": 2, "get": 4, "list": 4, "ExecContext": 1, "QueryContext": 1, "QueryRowContext": 1, "number": 2,
	"sweep": 2,
}

// Nothing that was given to a method may become part of a statement's text.
func TestStatementsAreConstant(t *testing.T) {
	t.Parallel()
	set, files := sources(t, "*.go")
	constants := map[string]bool{
		"statement": true, // the parameter of exec, get and list, whose callers are checked here
		"query":     true, // likewise of number
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST {
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						constants[name.Name] = true
					}
				}
			}
			return true
		})
	}
	checked := 0
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			index, ok := statementArgument[callee(call)]
			if !ok || len(call.Args) <= index {
				return true
			}
			checked++
			if !isConstant(call.Args[index], constants) {
				t.Errorf("%s: the statement is not made of constants", set.Position(call.Pos()))
			}
			return true
		})
	}
	if checked < 80 {
		t.Errorf("found %d statements only: the test looks in the wrong place", checked)
	}
}

func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func isConstant(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return constants[e.Name]
	case *ast.SelectorExpr: // a field of the table of literals that Sweep walks
		x, ok := e.X.(*ast.Ident)
		return ok && x.Name == "step" && e.Sel.Name == "statement"
	case *ast.BinaryExpr:
		return isConstant(e.X, constants) && isConstant(e.Y, constants)
	}
	return false
}

// A method that the suite does not call is one that nobody has tried on both databases.
func TestSuiteCallsEveryMethod(t *testing.T) {
	t.Parallel()
	_, files := sources(t, "storagetest/*.go")
	called := map[string]bool{
		"Watch": true, // in watch_test.go of this package
		"Ping":  true, // by storage.Open
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				called[s.Sel.Name] = true
			}
			return true
		})
	}
	store := reflect.TypeFor[*storage.Store]()
	for method := range store.Methods() {
		if name := method.Name; !called[name] {
			t.Errorf("storagetest does not call Store.%s", name)
		}
	}
}
