package handle

import (
	"errors"
	"gofish/internal/newfile"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A host file is replaced when the new one is complete, if that loses nothing of it.
func TestDest(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("broken")
	for _, test := range []struct {
		name        string
		make        func(name string) error
		inPlace     bool
		afterFail   string // its content then; "-": it is not there
		permissions os.FileMode
	}{
		{"new", func(string) error { return nil }, false, "-", 0},
		{"old", func(n string) error { return os.WriteFile(n, []byte("old"), 0o640) }, false, "old", 0o640},
		{"link", func(n string) error {
			return errors.Join(os.WriteFile(n+"-target", []byte("old"), 0o600), os.Symlink(n+"-target", n))
		}, false, "old", 0o600},
		{"two-names", func(n string) error {
			return errors.Join(os.WriteFile(n, []byte("old"), 0o644), os.Link(n, n+"-second"))
		}, true, "", 0o644},
		{"attribute", func(n string) error {
			if err := os.WriteFile(n, []byte("old"), 0o644); err != nil {
				return err
			}
			return unix.Setxattr(n, "user.mine", []byte("x"), 0)
		}, true, "", 0o644},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := dir + "/" + test.name
			if err := test.make(name); errors.Is(err, unix.EOPNOTSUPP) {
				t.Skip("no attributes here")
			} else if err != nil {
				t.Fatal(err)
			}
			write := func(text string, end error) {
				d, _ := newDest(t.Context(), name)
				if err := d.open(os.O_WRONLY); err != nil {
					t.Fatal(err)
				}
				if (d.fresh == nil) != test.inPlace {
					t.Errorf("written in place: %v", d.fresh == nil)
				}
				if err := d.write([]byte(text), nil); err != nil {
					t.Fatal(err)
				}
				if err := d.close(end); err != end {
					t.Errorf("the end is %v, want %v", err, end)
				}
			}
			write("half", broken)
			b, err := os.ReadFile(name)
			if test.afterFail == "-" {
				if !os.IsNotExist(err) {
					t.Errorf("%q is there, %v", b, err)
				}
			} else if string(b) != test.afterFail {
				t.Errorf("it holds %q, want %q (%v)", b, test.afterFail, err)
			}
			write("whole", nil)
			if b, err := os.ReadFile(name); string(b) != "whole" {
				t.Errorf("it holds %q (%v)", b, err)
			}
			if fi, err := os.Stat(name); err != nil || test.permissions != 0 && fi.Mode().Perm() != test.permissions {
				t.Errorf("%v, %v", fi, err)
			}
		})
	}
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if e.Name()[0] == '.' {
			t.Errorf("%s is left", e.Name())
		}
	}
	// What holds a result takes no more than its limit.
	f, err := newfile.Anonymous(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, _ := newDest(t.Context(), limited{f, 10})
	if err := d.write(make([]byte, 10), nil); err != nil {
		t.Error(err)
	}
	if err := d.write([]byte("x"), nil); !errors.As(err, new(tooMuch)) {
		t.Errorf("%v", err)
	}
}
