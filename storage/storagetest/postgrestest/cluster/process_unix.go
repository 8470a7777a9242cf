//go:build unix

package cluster

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// processAttributes puts the supervisor into a session of its own, where a Ctrl-C at the terminal does not reach it
// before the tests are done, and takes root away from it: PostgreSQL refuses to run as root.
func processAttributes() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	credential, err := unprivileged("postgres", "nobody")
	if err != nil {
		return nil, err
	}
	attr.Credential = credential
	return attr, nil
}

// unprivileged gives the identity of the first of these users that this machine knows.
func unprivileged(names ...string) (*syscall.Credential, error) {
	for _, name := range names {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read user id of %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read group id of %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("find an unprivileged user to run PostgreSQL as: none of %v exists", names)
}
