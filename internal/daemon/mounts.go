package daemon

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mountEntry is a line of /proc/self/mountinfo.
type mountEntry struct {
	Source, Point, Type string
	Root                string // what of the file system is mounted: / is all
	Options             string // of the mount, not of the file system
}

// mountable is what was mounted, for the client. There is no name for something mounted
// without a device.
func (m *mountEntry) mountable() string {
	dev := volumeName(m.Source)
	path := strings.TrimPrefix(m.Root, "/")
	switch {
	case path == "":
		return dev
	case m.Type == "btrfs" && isSubvolume(m.Point):
		return Mountable{Device: Device(dev), Volume: path}.String()
	}
	return Mountable{Device: Device(dev), Folder: path}.String()
}

// btrfsVolumeInode is the number of the root directory of every subvolume
// (BTRFS_FIRST_FREE_OBJECTID).
const btrfsVolumeInode = 256

func isSubvolume(dir string) bool {
	var st unix.Stat_t
	return unix.Stat(dir, &st) == nil && st.Ino == btrfsVolumeInode
}

// escaped are the octal numbers of bytes in /proc/self/mountinfo.
var escaped = regexp.MustCompile(`\\[0-3][0-7]{2}`)

func mountUnescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(e string) string {
		n, _ := strconv.ParseUint(e[1:], 8, 8)
		return string([]byte{byte(n)})
	})
}

// sysrootBase is the empty, writable file system that the appliance's init puts
// on the sysroot, so that mount points can be made there. It is not the guest's.
const sysrootBase = "sysroot"

// mountsBelow lists what is mounted at the sysroot and below, oldest first.
// Points are paths of the appliance.
func (d *Daemon) mountsBelow() ([]mountEntry, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var l []mountEntry
	for _, line := range lines(string(b)) {
		// Number, parent, device, root, point, options, any more, "-", type, source, options.
		head, tail, _ := strings.Cut(line, " - ")
		f, t := strings.Split(head, " "), strings.Split(tail, " ") // other blanks may be in names
		if len(f) < 6 || len(t) < 2 {
			continue
		}
		m := mountEntry{Source: withoutPadding(mountUnescape(t[1])), Point: mountUnescape(f[4]), Type: t[0], Root: mountUnescape(f[3]), Options: f[5]}
		if m.Source == sysrootBase && m.Type == "tmpfs" {
			continue
		}
		if m.Point == d.root.Dir() || strings.HasPrefix(m.Point, d.root.Dir()+"/") {
			l = append(l, m)
		}
	}
	return l, nil
}

// mountPoint is where a device is mounted, as a path of the appliance. Devices
// are distinguished by number: a volume has several names.
func (d *Daemon) mountPoint(device Device) string {
	var want, have unix.Stat_t
	if unix.Stat(string(device), &want) != nil {
		return ""
	}
	l, _ := d.mountsBelow()
	for _, m := range l {
		if strings.HasPrefix(m.Source, "/dev/") && unix.Stat(m.Source, &have) == nil && have.Rdev == want.Rdev {
			return m.Point
		}
	}
	return ""
}

// mountedAt is mountPoint for a call that wants the file system mounted.
func (d *Daemon) mountedAt(device Device) (string, error) {
	p := d.mountPoint(device)
	if p == "" {
		return "", fmt.Errorf("device not mounted: %s", d.shownDevice(device))
	}
	return p, nil
}

// withMount runs fn on a directory where a device is mounted: where it is
// already, or else on a temporary one for the duration of the call.
func (d *Daemon) withMount(device Device, fstype, options string, fn func(dir string) error) error {
	if p := d.mountPoint(device); p != "" {
		return fn(p)
	}
	tmp, err := os.MkdirTemp("", "mount-")
	if err != nil {
		return errnoOf(err)
	}
	defer os.Remove(tmp)
	if err := unix.Mount(string(device), tmp, fstype, unix.MS_NODEV|unix.MS_NOSUID, options); err != nil {
		return wrap(err, "mount: %s", d.shownDevice(device))
	}
	err = fn(tmp)
	if uerr := unix.Unmount(tmp, 0); err == nil {
		err = wrap(uerr, "umount: %s", d.shownDevice(device))
	}
	return err
}
