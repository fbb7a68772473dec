package hostmount

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const list = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
90 22 0:57 / /mnt/a\040b rw,nosuid,nodev,relatime shared:2 - fuse.guestmount disk\0401.img rw,user_id=1000,group_id=1000
91 90 0:58 / /mnt/a\040b rw - fuse gofish rw,user_id=0,group_id=0
92 22 0:59 / /mnt/c rw - tmpfs tmpfs rw
garbage
`
	for dir, want := range map[string]Mount{
		"/mnt/a b": {"/mnt/a b", "0:58", "fuse", "gofish", 0},
		"/mnt/c":   {"/mnt/c", "0:59", "tmpfs", "tmpfs", 0},
	} {
		m := parse(list, dir)
		if m == nil || *m != want {
			t.Errorf("%s: %+v", dir, m)
		}
	}
	if m := parse(list, "/mnt"); m != nil {
		t.Errorf("/mnt: %+v", m)
	}
	first := list[:strings.Index(list, "91 90")]
	if m := parse(first, "/mnt/a b"); m == nil || m.UserID != 1000 || m.Source != "disk 1.img" || m.Connection() != 57 || !m.FUSE() {
		t.Errorf("%+v", m)
	}
}

func TestFind(t *testing.T) {
	top := t.TempDir()
	os.Mkdir(filepath.Join(top, "dir"), 0o700)
	os.Symlink("/proc", filepath.Join(top, "link"))
	if m, err := Find(filepath.Join(top, "link")); err != nil || m.Type != "proc" || m.Dir != "/proc" || m.Connection() != 0 {
		t.Errorf("%+v %v", m, err)
	}
	if _, err := Find(filepath.Join(top, "dir")); err != ErrNone {
		t.Errorf("%v", err)
	}
	if _, err := Find(filepath.Join(top, "none")); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}
