package trust

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	top := t.TempDir()
	name := func(n string) string { return filepath.Join(top, n) }
	for n, mode := range map[string]fs.FileMode{"private": 0o700, "seen": 0o755, "group": 0o770, "open": 0o777} {
		if err := os.Mkdir(name(n), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name(n), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("private", name("link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Mkdir(name("foreign"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(name("foreign"), 12345, 0); err != nil {
			t.Fatal(err)
		}
		if err := Folder(name("foreign"), 0o022); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
			t.Errorf("a folder of somebody else: %v", err)
		}
	}
	for _, c := range []struct {
		name      string
		forbidden fs.FileMode
		want      string
	}{
		{"private", 0o077, ""},
		{"private", 0o022, ""},
		{"seen", 0o022, ""},
		{"seen", 0o077, "others can look"},
		{"group", 0o022, "others can write"},
		{"open", 0o077, "others can write"},
		{"link", 0o022, "symbolic link"},
		{"file", 0o022, "not a folder"},
	} {
		err := Folder(name(c.name), c.forbidden)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, %#o: %v, want %q", c.name, c.forbidden, err, c.want)
		}
	}
	if err := Folder(name("none"), 0o022); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
}
