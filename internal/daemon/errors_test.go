package daemon

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
)

func TestNamed(t *testing.T) {
	d := &Daemon{devices: NewDevices(t.TempDir(), "/dev", nil)}
	tool := &ToolError{Tool: "x", Status: 1, Text: "x 1.47.0 (5-Feb-2023)\nx: it is broken.\n       dmesg(1) may have more information after failed mount system call."}
	for _, c := range []struct {
		args []any
		err  error
		want string
	}{
		{[]any{Device("/dev/sda"), "opt"}, tool, "/dev/sda: x: it is broken."},
		{[]any{3, Path("/a"), Device("/dev/sdb")}, tool, "/a: x: it is broken."},
		{[]any{DevOrPath{Path: "/a"}}, syscall.EIO, "/a: input/output error"},
		{[]any{MountableOrPath{Mountable: Mountable{Device: "/dev/sda", Volume: "v"}}}, syscall.EIO, "btrfsvol:/dev/sda/v: input/output error"},
		{[]any{Path("/a"), Path("/b")}, fmt.Errorf("read /b: %w", syscall.EIO), "read /b: input/output error"},
		{[]any{Path("/a")}, errors.New("size cannot be negative"), "size cannot be negative"},
		{[]any{Path("/a"), "/spec"}, fmt.Errorf("/spec: %w", syscall.ENOENT), "/spec: no such file or directory"},
		{[]any{Device("/dev/sda"), "/"}, fmt.Errorf("use /f: %w", syscall.EIO), "/dev/sda: use /f: input/output error"},
		{[]any{"text"}, syscall.EIO, "input/output error"},
	} {
		if got := d.named(c.args, c.err); got.Error() != c.want || !errors.Is(got, c.err) {
			t.Errorf("named(%v, %v) is %q, not %q", c.args, c.err, got, c.want)
		}
	}
	if err := d.named([]any{Path("/a")}, nil); err != nil {
		t.Error(err)
	}
	e2fsck := "e2fsck: Bad magic number in super-block while trying to open /dev/sda\n/dev/sda: \nThe superblock could not be read or does not describe a valid ext2/ext3/ext4\nfilesystem.  If …"
	if got := sentence(e2fsck); got != "e2fsck: Bad magic number in super-block while trying to open /dev/sda" {
		t.Errorf("%q", got)
	}
	f2fs := "Info: MKFS version\n  \"Linux version 5.18 (x@y)\"\nInfo: FSCK version\n  from \"Linux version 5.18\"\n    to \"Linux version 6.1\"\n[f2fs_do_mount:3573] Can't find valid checkpoint\n"
	if got := sentence(f2fs); got != "[f2fs_do_mount:3573] Can't find valid checkpoint" {
		t.Errorf("%q", got)
	}
}
