package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

const errSharingViolation = syscall.Errno(32)

// lockFile takes a lock that the system lets go when the process ends, however it ends: a
// file that is opened without sharing. A lock that somebody else has is errLocked.
func lockFile(path string) (release func() error, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case err == nil:
		return os.NewFile(uintptr(h), path).Close, nil
	case errors.Is(err, errSharingViolation):
		err = errLocked
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
