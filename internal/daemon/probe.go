package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// What is on a device: types and labels of file systems, and what else blkid reports.

// blkid asks blkid(8) about a device. On a disk as small as a floppy, low-level probing stops
// at what looks like a partition table, which the first sector of a file system may; the
// other way of asking does not.
func (d *Daemon) blkid(dev string, args ...string) (string, error) {
	args = append([]string{"blkid", "-c", "/dev/null"}, args...)
	out, err := d.output(append(slices.Clip(args), "-p", dev)...)
	if (out == "" || strings.Contains(out, "PTTYPE=") && !strings.Contains("\n"+out, "\nTYPE=")) && d.isFloppy(dev) {
		return d.output(append(args, dev)...)
	}
	return out, err
}

// isFloppy reports whether blkid(8) treats a disk as a floppy.
func (d *Daemon) isFloppy(dev string) bool {
	n, err := d.devSize(Device(dev))
	return err == nil && n <= 1440<<10
}

// probeType is the type of a device's content, empty if it is not known.
func (d *Daemon) probeType(dev string) string {
	out, err := d.blkid(dev, "-o", "value", "-s", "TYPE")
	if err != nil {
		return "" // also when several signatures contradict each other
	}
	return strings.TrimSpace(out)
}

// probeTags returns what blkid(8) reports about a device.
func (d *Daemon) probeTags(dev string) map[string]string {
	tags := map[string]string{}
	out, _ := d.blkid(dev, "-o", "export")
	for _, line := range lines(out) {
		if k, v, ok := strings.Cut(unescapeExport(line), "="); ok {
			tags[k] = v
		}
	}
	return tags
}

// blkidTag reads one property of what a device holds, empty if there is none.
func (d *Daemon) blkidTag(device Device, tag string) (string, error) {
	out, err := d.blkid(string(device), "-o", "value", "-s", tag)
	var te *ToolError
	if errors.As(err, &te) && te.Status == 2 {
		return "", nil
	}
	if err != nil {
		return "", d.deviceError(err, device)
	}
	return strings.TrimSuffix(out, "\n"), nil
}

// holdsCD reports whether a disk with partitions is an image of a CD that is on the
// whole disk only. Such an image has a table so that other machines start from it.
func (d *Daemon) holdsCD(disk string, parts []string) bool {
	tags := d.probeTags(disk)
	return isCD(tags) && !slices.ContainsFunc(parts, func(p string) bool { return sameCD(tags, d.probeTags(p)) })
}

func isCD(tags map[string]string) bool { return tags["TYPE"] == "iso9660" || tags["TYPE"] == "udf" }

// sameCD reports whether a partition holds what its disk does: it starts at the same place,
// or has its own description of the same CD.
func sameCD(disk, part map[string]string) bool {
	return part["TYPE"] == disk["TYPE"] && part["UUID"] == disk["UUID"] && part["LABEL"] == disk["LABEL"]
}

func (d *Daemon) holdsFilesystem(partition string) bool {
	out, err := d.blkid(partition, "-o", "value", "-s", "PART_ENTRY_TYPE")
	return err != nil || !notFilesystem[strings.ToLower(strings.TrimSpace(out))]
}

// btrfsVolumes lists a btrfs file system and its subvolumes as mountables.
func (d *Daemon) btrfsVolumes(dev string) api.Hash {
	h := api.Hash{{Key: dev, Value: "btrfs"}}
	tmp, err := os.MkdirTemp("/tmp", "btrfs-*")
	if err != nil {
		return h
	}
	defer os.Remove(tmp)
	if unix.Mount(dev, tmp, "btrfs", unix.MS_RDONLY|unix.MS_NODEV|unix.MS_NOSUID, btrfsTop) != nil {
		return h
	}
	defer unix.Unmount(tmp, unix.MNT_DETACH)
	list, _ := btrfsSubvolumes(tmp)
	for _, v := range list {
		h = append(h, api.Pair{Key: Mountable{Device: Device(dev), Volume: v.Path}.String(), Value: "btrfs"})
	}
	return h
}

// mdDevices lists the RAID arrays.
func (d *Daemon) mdDevices() []string {
	l := []string{}
	for _, p := range globAll("/sys/block/md*/md") {
		l = append(l, "/dev/"+filepath.Base(filepath.Dir(p)))
	}
	sort.Strings(l)
	return l
}
