package daemon

import (
	"os"
	"os/exec"
	"strings"
)

// availability is the daemon's answer about an optional group.
type availability int

const (
	available    availability = 0
	unavailable  availability = 1
	unknownGroup availability = 2
)

// need is what a group asks of the appliance: a program, a file system
// of the kernel, a file, a C library.
type need struct {
	program    string
	filesystem string
	file       string
	library    string // a library server
}

// groups lists every optional group. An empty need is met by the kernel alone.
var groups = map[string]need{
	"acl":              {},
	"blkdiscard":       {},
	"blkdiscardzeroes": {},
	"btrfs":            {program: "btrfs", filesystem: "btrfs"},
	"clevisluks":       {program: "clevis-luks-unlock"},
	"extlinux":         {program: "extlinux"},
	"f2fs":             {program: "resize.f2fs"},
	"fstrim":           {program: "fstrim"},
	"gdisk":            {program: "sgdisk"},
	"grub":             {program: "grub-install"},
	"hivex":            {library: "hivex"},
	"inotify":          {},
	"journal":          {library: "journal"},
	"ldm":              {program: "ldmtool"},
	"libtsk":           {library: "tsk"},
	"libyara":          {program: "yara"},
	"linuxcaps":        {program: "setcap"},
	"linuxfsuuid":      {},
	"linuxmodules":     {file: "/proc/modules"},
	"linuxxattrs":      {},
	"luks":             {program: "cryptsetup"},
	"lvm2":             {program: "lvm"},
	"mdadm":            {program: "mdadm"},
	"mknod":            {},
	"ntfs3g":           {program: "ntfs-3g.probe"},
	"ntfsprogs":        {program: "ntfsresize"},
	"rsync":            {program: "rsync"},
	"scrub":            {program: "scrub"},
	"selinux":          {file: "/sys/fs/selinux/load"},
	"selinuxrelabel":   {program: "setfiles"},
	"sleuthkit":        {program: "icat"},
	"squashfs":         {program: "mksquashfs"},
	"syslinux":         {program: "syslinux"},
	"wipefs":           {program: "wipefs"},
	"xfs":              {program: "mkfs.xfs", filesystem: "xfs"},
	"xz":               {program: "xz"},
	"zerofree":         {program: "zerofree"},
	"augeas":           {}, // retired, answered with yes
	"realpath":         {}, // retired, answered with yes
}

func (d *Daemon) groupAvailable(group string) availability {
	n, ok := groups[group]
	if !ok {
		return unknownGroup
	}
	if n.program != "" {
		if _, err := exec.LookPath(n.program); err != nil {
			return unavailable
		}
	}
	if n.file != "" {
		if _, err := os.Stat(n.file); err != nil {
			return unavailable
		}
	}
	if n.filesystem != "" && !d.filesystemAvailable(n.filesystem) {
		return unavailable
	}
	if n.library != "" && d.libraries.Check(n.library) != nil {
		return unavailable
	}
	return available
}

// filesystemAvailable reports whether the kernel has a file system, loading its
// module if need be.
func (d *Daemon) filesystemAvailable(name string) bool {
	if kernelHas(name) {
		return true
	}
	d.run("modprobe", name)
	return kernelHas(name)
}

func kernelHas(fs string) bool {
	b, _ := os.ReadFile("/proc/filesystems")
	for _, line := range lines(string(b)) {
		if _, name, _ := strings.Cut(line, "\t"); name == fs {
			return true
		}
	}
	return false
}
