package cluster

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNotInstalled says that this machine has no PostgreSQL server to start.
var ErrNotInstalled = errors.New("PostgreSQL is not installed (looked for initdb, pg_ctl and postgres in PATH and in the usual folders)")

// find gives the first folder that holds all the programs a cluster needs.
func find(folders []string) (string, error) {
	for _, folder := range folders {
		if complete(folder) {
			return folder, nil
		}
	}
	return "", ErrNotInstalled
}

// complete asks for all three: Debian puts the client programs alone into /usr/bin.
func complete(folder string) bool {
	for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
		info, err := os.Stat(filepath.Join(folder, program))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

// candidates lists where a server may be, the user's own choice first: PATH, then the folders of Debian, Red Hat and
// Homebrew with the newest version first, then what pg_config says.
func candidates() []string {
	var folders []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(initdb); err == nil {
			folders = append(folders, filepath.Dir(target))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
	} {
		matches, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		folders = append(folders, newestFirst(matches)...)
	}
	if output, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(output)))
	}
	return folders
}

var versionInPath = regexp.MustCompile(`\d+`)

// newestFirst orders by the first number in the path, as a number: 15 is newer than 9.6. Without one a path comes last.
func newestFirst(folders []string) []string {
	version := func(folder string) int {
		n, _ := strconv.Atoi(versionInPath.FindString(folder))
		return n
	}
	slices.SortStableFunc(folders, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	return folders
}
