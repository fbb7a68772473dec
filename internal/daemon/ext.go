package daemon

import (
	"fmt"
	"regexp"
	"strconv"
)

// extLabelMax is the room for a label in the superblock.
const extLabelMax = 16

func errExtLabel(label string) error {
	return fmt.Errorf("%s: ext2/3/4 labels are limited to %d bytes", label, extLabelMax)
}

func (d *Daemon) setExtLabel(dev Device, label string) error {
	if len(label) > extLabelMax {
		return errExtLabel(label)
	}
	return d.onDevice(dev, "e2label", string(dev), label)
}

var resize2fsMinimum = regexp.MustCompile(`(?m)^Estimated minimum size of the filesystem: (\d+)`)

// extMinimumSize asks resize2fs, which counts in blocks of the file system.
func (d *Daemon) extMinimumSize(dev Device) (int64, error) {
	out, err := output("resize2fs", "-P", "-f", string(dev))
	if err != nil {
		return 0, d.failed(err, dev)
	}
	m := resize2fsMinimum.FindStringSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s: no minimum size in the output of resize2fs:\n%s", d.shownDevice(dev), out)
	}
	blocks, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, err
	}
	size, err := d.extBlockSize(dev)
	return blocks * size, err
}

func (d *Daemon) extBlockSize(dev Device) (int64, error) {
	out, err := output("tune2fs", "-l", string(dev))
	if err != nil {
		return 0, d.failed(err, dev)
	}
	m := regexp.MustCompile(`(?m)^Block size: +(\d+)$`).FindStringSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s: no block size in the superblock", d.shownDevice(dev))
	}
	return strconv.ParseInt(m[1], 10, 64)
}
