package demo

import (
	"os/exec"
	"syscall"
)

// apart keeps a program from hearing the Ctrl-C that is meant for us: we end it ourselves.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
