package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const errSharingViolation = syscall.Errno(32)

// lockFile takes a lock that the system lets go when the process ends, however it ends: a
// file that is opened without sharing. Without wait, a lock that somebody else has is
// errLocked.
func lockFile(path string, wait bool) (release func() error, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	for {
		h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
			syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
		switch {
		case err == nil:
			return os.NewFile(uintptr(h), path).Close, nil
		case !errors.Is(err, errSharingViolation):
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case !wait:
			return nil, fmt.Errorf("lock %s: %w", path, errLocked)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
