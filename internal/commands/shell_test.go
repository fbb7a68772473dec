package commands

import (
	"os"
	"path/filepath"
	"testing"

	"gofish/internal/handle"
)

// asShell makes the test program behave as the shell, so that tests run it as a
// process, under the name of the program they compare it with.
const asShell = "GOFISH_TEST_AS_SHELL"

func TestMain(m *testing.M) {
	if name, ok := os.LookupEnv(asShell); ok {
		p := &Program{
			Name:    filepath.Base(name),
			Version: "1.48.6",
			Args:    os.Args[1:],
			Stdin:   os.Stdin,
			Stdout:  os.Stdout,
			Stderr:  os.Stderr,
			New:     func() (Caller, error) { return handle.New(os.LookupEnv) },
		}
		os.Exit(p.Run())
	}
	os.Exit(m.Run())
}
