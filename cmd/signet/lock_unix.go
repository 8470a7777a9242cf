//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"fmt"
	"os"
	"syscall"
)

// lockFile takes a lock that the kernel lets go when the process ends, however it ends.
// Without wait, a lock that somebody else has is errLocked.
func lockFile(path string, wait bool) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if err != syscall.EINTR {
			break
		}
	}
	switch {
	case err == nil:
		return f.Close, nil
	case err == syscall.EWOULDBLOCK:
		err = errLocked
	}
	_ = f.Close()
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
