package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Programs on the host and another user of the handle see the same guest, while a mount of it
// is served.
func TestBesideMount(t *testing.T) {
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("there is no /dev/fuse")
	}
	h := newHandle(t, 200<<20)
	must(t, h, "launch")
	must(t, h, "mkfs", "ext4", "/dev/sda")
	must(t, h, "mount", "/dev/sda", "/")
	dir := t.TempDir()
	must(t, h, "mount_local", dir)
	ended := make(chan error, 1)
	go func() {
		_, err := call(h, "mount_local_run")
		ended <- err
	}()
	in := func(name string) string { return filepath.Join(dir, name) }
	host := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	reads := func(name, want string) {
		t.Helper()
		if b, err := os.ReadFile(in(name)); err != nil || string(b) != want {
			t.Errorf("%s on the host: %q, %v, not %q", name, b, err, want)
		}
	}
	// The host's writes are there, also those of a file that is still open.
	host(os.WriteFile(in("a"), []byte("one"), 0o644))
	f, err := os.Create(in("open"))
	host(err)
	defer f.Close()
	f.WriteString("written")
	for name, want := range map[string]string{"/a": "one", "/open": "written"} {
		if got := must(t, h, "cat", name); got != want {
			t.Errorf("%s in the guest: %q, not %q", name, got, want)
		}
	}
	// The guest's changes are seen, whatever the host has cached.
	if _, err := os.Stat(in("later")); err == nil {
		t.Error("later is there too early")
	}
	if l, err := os.ReadDir(dir); err != nil || len(l) != 3 { // with lost+found
		t.Errorf("%v, %v", l, err)
	}
	reads("a", "one")
	must(t, h, "write", "/later", []byte("late"))
	must(t, h, "write", "/a", []byte("longer than it was"))
	must(t, h, "chmod", 0o600, "/open")
	reads("later", "late")
	reads("a", "longer than it was")
	if fi, err := os.Stat(in("open")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi, err)
	}
	if l, err := os.ReadDir(dir); err != nil || len(l) != 4 {
		t.Errorf("%v, %v", l, err)
	}
	must(t, h, "rm", "/later")
	if _, err := os.Stat(in("later")); !os.IsNotExist(err) {
		t.Errorf("what was removed: %v", err)
	}
	must(t, h, "mkdir", "/d")
	host(os.WriteFile(in("d/x"), []byte("x"), 0o644))
	must(t, h, "mv", "/d", "/e")
	reads("e/x", "x")

	// Both at once. Each has files of its own, and reads what it has written.
	big := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	done := make(chan error, 2)
	go func() {
		var err error
		for i := range 5 {
			name := in(fmt.Sprint("host", i))
			if err == nil {
				err = os.WriteFile(name, big[i:], 0o644)
			}
			if b, rerr := os.ReadFile(name); err == nil && (rerr != nil || !bytes.Equal(b, big[i:])) {
				err = fmt.Errorf("%s: %d bytes, %v", name, len(b), rerr)
			}
		}
		done <- err
	}()
	go func() {
		var err error
		for i := range 5 {
			name := fmt.Sprint("/guest", i)
			if err == nil {
				_, err = call(h, "write", name, big[:100000+i])
			}
			if b, rerr := call(h, "read_file", name); err == nil && (rerr != nil || !bytes.Equal(b.([]byte), big[:100000+i])) {
				err = fmt.Errorf("%s: %v", name, rerr)
			}
		}
		done <- err
	}()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	// It ends when the host says so, or the handle.
	f.Close()
	host(unix.Unmount(dir, 0))
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("mount_local_run does not end")
	}
	must(t, h, "mount_local", dir)
	go func() {
		_, err := call(h, "mount_local_run")
		ended <- err
	}()
	reads("a", "longer than it was")
	must(t, h, "umount_local")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	must(t, h, "umount_all") // nothing holds it any longer
}
