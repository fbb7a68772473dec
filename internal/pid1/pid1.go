// Package pid1 runs a program as the appliance's first process if it was started as that.
// Programs that start an appliance must import it: the same program runs on the host and in the virtual machine.
package pid1

import (
	"os"
	"path/filepath"

	"gofish/internal/daemon"
)

func init() {
	// The kernel calls its first process /init. In a container a program may be process 1
	// as well, under its own name.
	if os.Getpid() == 1 && filepath.Base(os.Args[0]) == "init" {
		daemon.Init()
	}
}
