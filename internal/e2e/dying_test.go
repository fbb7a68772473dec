package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gofish/internal/handle"
)

// A daemon that dies in the middle of an upload is an error of the connection, and the
// handle can launch again.
func TestDaemonDiesInUpload(t *testing.T) {
	h := newHandle(t, 100<<20)
	must(t, h, "launch")
	if _, err := call(h, "internal_rhbz914931", "/dev/zero", 0); err == nil || !strings.Contains(err.Error(), "count out of range") {
		t.Errorf("no pieces at all: %v", err)
	}
	must(t, h, "ping_daemon")
	// It never ends, or ends long before the daemon wants to.
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("short"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"/dev/zero", short} {
		_, err := call(h, "internal_rhbz914931", file, 5)
		var le *handle.LinkError
		if !errors.As(err, &le) || !strings.Contains(err.Error(), "appliance closed the connection unexpectedly") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", file, err)
		}
		if h.State() != handle.Config {
			t.Fatalf("after that the handle is in state %d", h.State())
		}
		must(t, h, "add_drive_scratch", int64(10<<20))
		must(t, h, "launch")
		must(t, h, "ping_daemon")
	}
}

// Two handles are told apart by their addresses.
func TestPointers(t *testing.T) {
	a, b := newHandle(t, 1<<20), newHandle(t, 1<<20)
	first := must(t, a, "c_pointer").(int64)
	if first == 0 || first != must(t, a, "c_pointer").(int64) || first == must(t, b, "c_pointer").(int64) {
		t.Errorf("a handle has the address %#x", first)
	}
}
