package daemon

import (
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

// mountable is what was mounted, for the client. It has no name for what is mounted
// from no device.
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
		m := mountEntry{Source: uncut(mountUnescape(t[1])), Point: mountUnescape(f[4]), Type: t[0], Root: mountUnescape(f[3]), Options: f[5]}
		if m.Source == sysrootBase && m.Type == "tmpfs" {
			continue
		}
		if m.Point == d.root.dir || strings.HasPrefix(m.Point, d.root.dir+"/") {
			l = append(l, m)
		}
	}
	return l, nil
}
