package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// Devices knows the disks of the appliance and their order. It asks the kernel
// each time, so a disk that is plugged in later appears at once, without
// udev. Names that udev would have made are looked up in names.go.
//
// Clients see disks as /dev/sda, /dev/sdb, … in the order in which the drives
// were added, whatever the kernel calls them.
type Devices struct {
	sys, dev string
	output   func(tool ...string) (string, error) // runs one
}

func NewDevices(sys, dev string, output func(tool ...string) (string, error)) *Devices {
	return &Devices{sys, dev, output}
}

var diskName = regexp.MustCompile(`^(sd|hd|ubd|vd|sr)[a-z0-9]`)

type disk struct {
	name  string // kernel name: sda
	order []int
}

// numbers in a sysfs path that say where the disk is attached: PCI addresses and
// SCSI host:channel:target:lun. The host number is the probing order and is left out.
var (
	pciAddress  = regexp.MustCompile(`^([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$`)
	scsiAddress = regexp.MustCompile(`^\d+:(\d+):(\d+):(\d+)$`)
)

func placeOf(sysPath string) []int {
	var order []int
	for _, part := range strings.Split(sysPath, "/") {
		if m := pciAddress.FindStringSubmatch(part); m != nil {
			for _, s := range m[1:] {
				n, _ := strconv.ParseInt(s, 16, 32)
				order = append(order, int(n))
			}
		} else if m := scsiAddress.FindStringSubmatch(part); m != nil {
			for _, s := range m[1:] {
				n, _ := strconv.Atoi(s)
				order = append(order, n)
			}
		}
	}
	return order
}

func less(a, b []int) bool {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return len(a) < len(b)
}

// disks lists the kernel names of all disks except the appliance's own, in drive order.
func (d *Devices) disks() []string {
	entries, err := os.ReadDir(filepath.Join(d.sys, "block"))
	if err != nil {
		return nil
	}
	rootDisk := d.rootDisk()
	var ds []disk
	for _, e := range entries {
		name := e.Name()
		if !diskName.MatchString(name) || name == rootDisk {
			continue
		}
		p, err := filepath.EvalSymlinks(filepath.Join(d.sys, "block", name))
		if err != nil {
			continue
		}
		ds = append(ds, disk{name, placeOf(p)})
	}
	sort.SliceStable(ds, func(i, j int) bool { return less(ds[i].order, ds[j].order) })
	names := make([]string, len(ds))
	for i, x := range ds {
		names[i] = x.name
	}
	return names
}

// rootDisk is the kernel name of the disk that holds the root file system,
// empty if it is in memory.
func (d *Devices) rootDisk() string {
	var st unix.Stat_t
	if unix.Stat("/", &st) != nil {
		return ""
	}
	p, err := filepath.EvalSymlinks(filepath.Join(d.sys, "dev/block", fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join(p, "partition")); err == nil {
		p = filepath.Dir(p)
	}
	return filepath.Base(p)
}

// openable reports whether the device can be opened for reading; an empty CD
// drive cannot.
func openable(dev string) bool {
	fd, err := unix.Open(dev, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var size uint64
	return ioctlPtr(fd, unix.BLKGETSIZE64, &size) == nil
}

// List returns the disks as the client names them.
func (d *Devices) List() []string {
	l := []string{}
	for i, name := range d.disks() {
		if openable(filepath.Join(d.dev, name)) {
			l = append(l, "/dev/sd"+api.DriveLetters(i))
		}
	}
	return l
}

// Partitions returns the partitions of all disks as the client names them.
func (d *Devices) Partitions() []string {
	l := []string{}
	for i, name := range d.disks() {
		if !openable(filepath.Join(d.dev, name)) {
			continue
		}
		for _, n := range d.partitionNumbers(name) {
			l = append(l, "/dev/sd"+api.DriveLetters(i)+strconv.Itoa(n))
		}
	}
	return l
}

// partitionNumbers lists the partitions of a disk (kernel name) the kernel knows.
func (d *Devices) partitionNumbers(name string) []int {
	files, _ := filepath.Glob(filepath.Join(d.sys, "block", name, name+"*", "partition"))
	nums := []int{}
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			nums = append(nums, n)
		}
	}
	sort.Ints(nums)
	return nums
}

// clientName splits /dev/sdb1 into the drive's letters and what follows.
// It is deliberately wide: hd, vd, ubd name the same drives.
var clientName = regexp.MustCompile(`^/dev/[^m/]{1,2}d([a-z]+)([^/a-z][^/]*)?$`)

// Translate finds the device that the client means. The error ends in an errno
// when the device does not exist; errNotDevice is for a name that is not a device.
func (d *Devices) Translate(name string) (Device, error) {
	if rest, ok := strings.CutPrefix(name, "/dev//"); ok {
		name = "/dev/" + rest
	}
	real := name
	if m := clientName.FindStringSubmatch(name); m != nil {
		if i, ds := api.DriveIndex(m[1]), d.disks(); i >= 0 && i < len(ds) {
			real = filepath.Join(d.dev, ds[i]) + m[2]
		}
	}
	err := canOpen(real)
	if err == nil && strings.HasPrefix(name, "/dev/md/") {
		real, err = filepath.EvalSymlinks(name)
	}
	if err == unix.ENOENT {
		if linked := d.Linked(name); len(linked) > 0 {
			real, err = linked[0], canOpen(linked[0])
		}
	}
	if (err == unix.ENOENT || err == unix.ENXIO) && strings.HasPrefix(name, "/dev/sd") {
		for _, prefix := range []string{"/dev/vd", "/dev/hd", "/dev/ubd"} {
			alt := prefix + strings.TrimPrefix(name, "/dev/sd")
			if canOpen(alt) == nil && alt[len("/dev/"):] != d.rootDisk() {
				return Device(alt), nil
			}
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if !d.isDevice(real) {
		return "", fmt.Errorf("%s: expecting a device name", name)
	}
	return Device(real), nil
}

func canOpen(dev string) error {
	fd, err := unix.Open(dev, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// isDevice reports whether a name is that of a device. The directory of a
// volume group counts as one, and so does a drive without a medium.
func (d *Devices) isDevice(name string) bool {
	if !strings.HasPrefix(name, "/dev/") {
		return false
	}
	var st unix.Stat_t
	if unix.Stat(name, &st) != nil {
		return false
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return true
	case unix.S_IFBLK:
		return strings.HasPrefix(name, "/dev/sd") || openable(name) && filepath.Base(name) != d.rootDisk()
	}
	return false
}

// Reverse turns a kernel's device name into the client's; other names, also
// those inside a btrfsvol:, are left alone or translated in place.
func (d *Devices) Reverse(name string) string {
	for _, prefix := range []string{api.VolumePrefix, api.FolderPrefix} {
		if vol, ok := strings.CutPrefix(name, prefix); ok {
			if dev, sub, ok := strings.Cut(strings.TrimPrefix(vol, "/dev/"), "/"); ok && strings.HasPrefix(vol, "/dev/") {
				return prefix + d.Reverse("/dev/"+dev) + "/" + sub
			}
			return name
		}
	}
	if !strings.HasPrefix(name, "/dev/") || !diskName.MatchString(name[len("/dev/"):]) {
		return name
	}
	for i, disk := range d.disks() {
		rest, ok := strings.CutPrefix(name, "/dev/"+disk)
		if ok && (rest == "" || rest[0] >= '0' && rest[0] <= '9') {
			return "/dev/sd" + api.DriveLetters(i) + rest
		}
	}
	return name
}

// Mountable parses a mountable: a device, btrfsvol:DEVICE/SUBVOLUME or dir:DEVICE/FOLDER.
func (d *Devices) Mountable(s string) (Mountable, error) {
	vol, isVolume := strings.CutPrefix(s, api.VolumePrefix)
	folder, isFolder := strings.CutPrefix(s, api.FolderPrefix)
	if isFolder {
		vol = folder
	} else if !isVolume {
		dev, err := d.Translate(s)
		return Mountable{Device: dev}, err
	}
	// The device may itself have a slash (/dev/VG/LV), so does the subvolume:
	// the shortest prefix that is a device wins.
	if strings.HasPrefix(vol, "/dev/") {
		for i := len("/dev/"); i < len(vol); i++ {
			if vol[i] != '/' {
				continue
			}
			dev, err := d.Translate(vol[:i])
			if err != nil || isDir(string(dev)) {
				continue
			}
			if isFolder {
				return Mountable{Device: dev, Folder: vol[i+1:]}, nil
			}
			return Mountable{Device: dev, Volume: vol[i+1:]}, nil
		}
	}
	if isFolder {
		return Mountable{}, fmt.Errorf("%s: expecting a device and a folder of it", s)
	}
	return Mountable{}, fmt.Errorf("%s: expecting a btrfs volume", s)
}

func isDir(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && fi.IsDir()
}

// ioctlPtr does an ioctl that reads or writes one value.
func ioctlPtr[T any](fd int, req uint, v *T) error {
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(v))); e != 0 {
		return e
	}
	return nil
}
