package session

import (
	"errors"
	"fmt"
	"testing"

	"gofish/guestfs/types"
)

func TestErrorTexts(t *testing.T) {
	there := types.Hash{{Key: "/dev/sda1", Value: "ext4"}, {Key: "/dev/sda2", Value: "swap"}, {Key: "/dev/sdb", Value: "unknown"}}
	failed := &types.Error{Action: "mount_options", Text: "/dev/sda9: No such file or directory"}
	for want, err := range map[string]error{
		"/dev/sda9: No such file or directory; there are /dev/sda1 (ext4), which -m mounts": &MountError{Mount: ParseMount("/dev/sda9"), Cause: failed, There: there},
		"LABEL=x: not found": &MountError{Mount: ParseMount("LABEL=x"), Cause: &types.Error{Action: "mount_vfs", Text: "not found"}},
		"no operating system was found on this disk; there are /dev/sda1 (ext4), which -m mounts": &SystemError{There: there},
		"no operating system was found on this disk":                                              &SystemError{There: there[1:]},
		"multi-boot operating systems are not supported":                                          &SystemError{Several: true},
		"/dev/sda1 is locked": &LockedError{Text: "/dev/sda1 is locked"},
		"x; y":                errors.Join(&types.Error{Action: "a", Text: "x"}, &types.LinkError{Action: "b", Text: "y"}),
		"z: a: x":             fmt.Errorf("z: %w", &types.Error{Action: "a", Text: "x"}),
	} {
		if got := Plain(err); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// TestParseMount: subvolumes and folders have a colon of their own.
func TestParseMount(t *testing.T) {
	text := func(p *string) string {
		if p == nil {
			return "-"
		}
		return *p
	}
	for arg, want := range map[string]string{
		"/dev/sda1":                 "/dev/sda1 / - -",
		"/dev/sda1:/boot:ro":        "/dev/sda1 /boot ro -",
		"/dev/sda1:/::vfat":         "/dev/sda1 /  vfat",
		"btrfsvol:/dev/sda1/@:/x":   "btrfsvol:/dev/sda1/@ /x - -",
		"/dev/sda1:/a:x,y:ext4:odd": "/dev/sda1 /a x,y ext4:odd",
	} {
		m := ParseMount(arg)
		if got := fmt.Sprintf("%s %s %s %s", m.Device, m.Dir, text(m.Options), text(m.FSType)); got != want {
			t.Errorf("%s: %q", arg, got)
		}
	}
}
