//go:build !unix

package cluster

import (
	"fmt"
	"syscall"
)

// processAttributes refuses: the supervisor is a shell script. A server that is running already can still be used.
func processAttributes() (*syscall.SysProcAttr, error) {
	return nil, fmt.Errorf("%w in a way that this system could start; set SIGNET_TEST_DATABASE_URL", ErrNotInstalled)
}
