package guestroot

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// hostile makes a root with links that would lead out of it, to a file beside it.
func hostile(t *testing.T) (r *Root, top string) {
	top = t.TempDir()
	dir := filepath.Join(top, "root")
	for name, content := range map[string]string{"root/etc/name": "inside", "root/secret": "inside", "secret": "outside"} {
		if err := os.MkdirAll(filepath.Join(top, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"up": "../../secret", "deep": "etc/../../../secret", "abs": "/secret", "dir": "/etc", "loop": "loop", "none": "/nothing",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return New(dir + "/"), top
}

func TestOpenStaysInside(t *testing.T) {
	r, _ := hostile(t)
	for _, keep := range []bool{false, true} {
		r.Keep(keep)
		for _, p := range []Path{"/secret", "/up", "/deep", "/abs", "/../secret", "/dir/name", "/dir/../../secret"} {
			f, err := r.Open(p, unix.O_RDONLY, 0)
			if err != nil {
				t.Errorf("%s: %v", p, err)
				continue
			}
			if b, err := io.ReadAll(f); string(b) != "inside" || err != nil {
				t.Errorf("%s is %q, %v", p, b, err)
			}
			f.Close()
		}
		if r.Held() != keep {
			t.Errorf("the root is held: %v, not %v", r.Held(), keep)
		}
	}
	r.Keep(false)
	for p, want := range map[Path]error{"/loop": syscall.ELOOP, "/none": syscall.ENOENT, "/secret/x": syscall.ENOTDIR} {
		if _, err := r.Open(p, unix.O_RDONLY, 0); err != want {
			t.Errorf("%s: %v, not %v", p, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	r, top := hostile(t)
	inside := filepath.Join(top, "root")
	for _, c := range []struct {
		what string
		find func(Path) (string, error)
		path Path
		want string
	}{
		{"Host", r.Host, "/abs", "/secret"},
		{"Host", r.Host, "/dir/name", "/etc/name"},
		{"HostLink", r.HostLink, "/abs", "/abs"},
		{"HostLink", r.HostLink, "/dir/name", "/etc/name"},
		{"HostNew", r.HostNew, "/dir/new", "/etc/new"},
		{"HostNew", r.HostNew, "/dir/name", "/etc/name"},
	} {
		if got, err := c.find(c.path); err != nil || got != inside+c.want {
			t.Errorf("%s(%s) is %s, %v; want %s", c.what, c.path, got, err, inside+c.want)
		}
	}
	if _, err := r.HostNew("/nothing/new"); err != syscall.ENOENT {
		t.Errorf("a new name in a folder that does not exist: %v", err)
	}
	if got := r.Guest(inside + "/etc/name"); got != "/etc/name" {
		t.Errorf("the guest's name is %s", got)
	}
	if got := r.Guest(inside); got != "/" {
		t.Errorf("the guest's name of the root is %s", got)
	}
	for p, want := range map[Path]error{"/": syscall.EBUSY, "/etc/..": syscall.EINVAL, "/etc/.": syscall.EINVAL} {
		if _, _, err := r.Parent(p); err != want {
			t.Errorf("the parent of %s: %v, not %v", p, err, want)
		}
	}
	dir, base, err := r.Parent("/dir/name/")
	if err != nil || base != "name" {
		t.Fatalf("the parent of /dir/name/: %s, %v", base, err)
	}
	defer dir.Close()
	if to, _ := os.Readlink(FDPath(dir)); to != inside+"/etc" {
		t.Errorf("the parent of /dir/name/ is %s", to)
	}
	st, err := r.Stat("/abs")
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		t.Errorf("stat: %v", err)
	}
	st, err = r.Lstat("/abs")
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
		t.Errorf("lstat: %v", err)
	}
}

func TestEnter(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to change its root directory")
	}
	r, top := hostile(t)
	for range 20 { // on whatever thread
		err := r.Enter(func() error {
			for _, name := range []string{"/secret", "/up", "/../secret", "secret"} {
				if b, err := os.ReadFile(name); err != nil || string(b) != "inside" {
					t.Errorf("%s is %q, %v", name, b, err)
				}
			}
			return syscall.EXDEV
		})
		if err != syscall.EXDEV {
			t.Fatalf("the error of the function is %v", err)
		}
		if b, err := os.ReadFile(filepath.Join(top, "secret")); err != nil || string(b) != "outside" {
			t.Fatalf("the process is not where it was: %q, %v", b, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a panic inside is not passed on")
		}
	}()
	r.Enter(func() error { panic("inside") })
}
