package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// What the kernel says of devices in /sys.

func globAll(pattern string) []string {
	l, _ := filepath.Glob(pattern)
	return l
}

// sysFolder is the kernel's folder about a block device, whatever the name of its node;
// empty if there is none.
func sysFolder(device string) string {
	var st unix.Stat_t
	if unix.Stat(device, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return ""
	}
	return fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
}

// kernelName is the kernel's name of a block device.
func kernelName(device string) string {
	to, err := os.Readlink(sysFolder(device))
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

// attribute is what the kernel says of a disk in sysfs, in one line.
func attribute(disk, name string) string {
	b, _ := os.ReadFile("/sys/block/" + disk + "/" + name)
	return strings.TrimSpace(string(b))
}

// serial is the serial number of a disk: SCSI's vital product data page 0x80 (SPC-5
// §7.7.17, text from byte 4) or virtio-blk's attribute.
func serial(name string) string {
	if b, err := os.ReadFile("/sys/block/" + name + "/device/vpd_pg80"); err == nil && len(b) > 4 {
		s := serialCharacters.ReplaceAllString(string(b[4:]), "")
		// qemu gives a disk without a serial number of its own the name of its drive.
		if defaultSerial.MatchString(s) {
			return ""
		}
		return s
	}
	b, _ := os.ReadFile("/sys/block/" + name + "/serial")
	return strings.TrimSpace(string(b))
}

// sectorStart is the first byte of a partition.
func sectorStart(name string) uint64 {
	b, _ := os.ReadFile("/sys/class/block/" + name + "/start")
	n, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n * 512 // whatever the size of the disk's own sectors
}

// slaves lists what a device (kernel name) is made of.
func slaves(name string) []string {
	var l []string
	for _, p := range globAll("/sys/class/block/" + name + "/slaves/*") {
		name, err := os.ReadFile(p + "/dm/name")
		if err == nil {
			l = append(l, volumeName(api.MapperDir+strings.TrimSpace(string(name))))
		} else {
			l = append(l, "/dev/"+filepath.Base(p))
		}
	}
	return l
}

// writeSys writes to a file of the kernel.
func writeSys(name, text string) error {
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text))
	return err
}

// blockDevices lists the kernel names of disks and partitions that begin with one of
// the prefixes.
func blockDevices(prefixes ...string) []string {
	f, err := os.Open("/sys/class/block")
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	return slices.DeleteFunc(names, func(name string) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	})
}
