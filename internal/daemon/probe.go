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

// probeType is the type of a device's content, empty if it is not known.
func (d *Daemon) probeType(dev string) string {
	out, err := d.output("blkid", "-c", "/dev/null", "-o", "value", "-s", "TYPE", "-p", dev)
	if err != nil {
		return "" // also when several signatures contradict each other
	}
	return strings.TrimSpace(out)
}

// probeTags returns what blkid(8) reports about a device.
func (d *Daemon) probeTags(dev string) map[string]string {
	tags := map[string]string{}
	out, _ := d.output("blkid", "-c", "/dev/null", "-o", "export", "-p", dev)
	for _, line := range lines(out) {
		if k, v, ok := strings.Cut(unescapeExport(line), "="); ok {
			tags[k] = v
		}
	}
	return tags
}

// blkidTag reads one property of what a device holds, empty if there is none.
func (d *Daemon) blkidTag(device Device, tag string) (string, error) {
	out, err := d.output("blkid", "-c", "/dev/null", "-o", "value", "-s", tag, "-p", string(device))
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
	out, err := d.output("blkid", "-c", "/dev/null", "-o", "value", "-s", "PART_ENTRY_TYPE", "-p", partition)
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
