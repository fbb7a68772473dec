package inspect

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"gofish/internal/api"
)

// Device is a block device, with everything by which a guest may name it.
type Device struct {
	Name  string // as mountables have it
	Shown string // the same for people
	Drive int    // the number of the disk that it is, or is a partition of; otherwise -1
	Part  int    // the partition's number, 0 for a disk
	Start uint64 // the partition's first byte
	// Tags are what blkid(8) reports (UUID, LABEL, TYPE, UUID_SUB, PART_ENTRY_…), and
	// DM_NAME, DM_UUID, MD_NAME, MD_UUID, SERIAL.
	Tags map[string]string
	On   []string // what it is made of: an opened LUKS device is on a partition
	// Subvolumes of a btrfs, by number, and the one that is mounted by default.
	Subvolumes map[uint64]string
	Default    uint64
	Origin     map[uint64]uint64 // what snapshots were made of; a number of no subvolume if that was deleted
	Worth      []string          // those of interest
	Frozen     []string          // those that are read-only snapshots
	SnapshotOf string            // of a volume of LVM: the volume that it is a snapshot of
}

// Devices are all devices, in the order of the drives; those on top of others come last.
type Devices struct {
	All []*Device
	// Named finds devices by the names that this machine knows them by; nil: none.
	Named func(name string) []string
}

func (d *Devices) byName(name string) *Device {
	if name != "" {
		for _, dev := range d.All {
			if dev.Name == name {
				return dev
			}
		}
	}
	return nil
}

// of finds the device that a mountable is on, and the path there.
func (d *Devices) of(mountable string) (dev *Device, path string) {
	rest, ok := cutMountable(mountable)
	if !ok {
		return d.byName(mountable), ""
	}
	for _, c := range d.All {
		if p, ok := strings.CutPrefix(rest, c.Name+"/"); ok {
			return c, p
		}
	}
	return nil, ""
}

// Subvolume is the number of the subvolume that a mountable is.
func (d *Devices) Subvolume(mountable string) (id uint64, ok bool) {
	dev, path := d.of(mountable)
	if dev == nil || !strings.HasPrefix(mountable, api.VolumePrefix) {
		return 0, false
	}
	for id, p := range dev.Subvolumes {
		if p == path {
			return id, true
		}
	}
	return btrfsTop, path == "/"
}

// family is the number of the subvolume that another one comes from, over any number of
// snapshots. What comes from one subvolume holds one system, at several times.
func (dev *Device) family(id uint64) uint64 {
	for range dev.Origin { // a damaged tree may have a ring
		from, ok := dev.Origin[id]
		if !ok {
			break
		}
		id = from
	}
	return id
}

// snapshotOf reports whether a volume of LVM is a snapshot of another, or of a snapshot of it.
func (d *Devices) snapshotOf(dev, of *Device) bool {
	for range d.All {
		if dev = d.byName(dev.SnapshotOf); dev == nil || dev == of {
			return dev != nil
		}
	}
	return false
}

func (dev *Device) hasSubvolume(path string) bool {
	for _, p := range dev.Subvolumes {
		if p == path {
			return true
		}
	}
	return false
}

// cutMountable takes the prefix off a mountable that is more than a device.
func cutMountable(m string) (rest string, ok bool) {
	for _, prefix := range []string{api.VolumePrefix, api.FolderPrefix} {
		if rest, ok = strings.CutPrefix(m, prefix); ok {
			return rest, true
		}
	}
	return m, false
}

// where lists the devices for which fits is true.
func (d *Devices) where(fits func(*Device) bool) []*Device {
	var l []*Device
	for _, dev := range d.All {
		if fits(dev) {
			l = append(l, dev)
		}
	}
	return l
}

// tagged lists the devices with a tag of that value. UUIDs are hexadecimal numbers,
// which may be in either case.
func (d *Devices) tagged(tag, value string) []*Device {
	if value == "" {
		return nil
	}
	return d.where(func(dev *Device) bool {
		v := dev.Tags[tag]
		switch tag {
		case "UUID", "PART_ENTRY_UUID":
			return strings.EqualFold(v, value)
		case "MD_UUID": // which is grouped in several ways
			digits := strings.NewReplacer(":", "", "-", "")
			return strings.EqualFold(digits.Replace(v), digits.Replace(value))
		case "MD_NAME": // a host's name and a colon may come before it
			return v == value || v != "" && v[strings.LastIndex(v, ":")+1:] == value
		}
		return v == value
	})
}

// partition lists the partition of that number on a drive, or the drive itself.
func (d *Devices) partition(drive, part int) []*Device {
	return d.where(func(dev *Device) bool { return dev.Drive == drive && dev.Part == part })
}

func (d *Devices) named(name string) []*Device {
	if dev := d.byName(name); dev != nil {
		return []*Device{dev}
	}
	if d.Named == nil {
		return nil
	}
	var l []*Device
	for _, n := range d.Named(name) {
		if dev := d.byName(n); dev != nil {
			l = append(l, dev)
		}
	}
	return l
}

// drives lists the disks that a device is on: a volume may be on several.
func (d *Devices) drives(dev *Device) []int {
	var l []int
	d.below(dev, func(b *Device) {
		if b.Drive >= 0 && !slices.Contains(l, b.Drive) {
			l = append(l, b.Drive)
		}
	})
	return l
}

// below visits a device and everything that it is made of.
func (d *Devices) below(dev *Device, visit func(*Device)) {
	seen := map[*Device]bool{}
	var walk func(*Device)
	walk = func(dev *Device) {
		if dev == nil || seen[dev] {
			return
		}
		seen[dev] = true
		visit(dev)
		for _, n := range dev.On {
			walk(d.byName(n))
		}
	}
	walk(dev)
}

// opened is the content of an encrypted device, if it was opened; for other devices, the device itself.
func (d *Devices) opened(dev *Device) *Device {
	if t := dev.Tags["TYPE"]; t != "crypto_LUKS" && t != "BitLocker" {
		return dev
	}
	for _, up := range d.All {
		if slices.Contains(up.On, dev.Name) && strings.HasPrefix(up.Tags["DM_UUID"], "CRYPT-") {
			return up
		}
	}
	return dev
}

// sameFilesystem reports whether two devices are parts of one btrfs, or overlapping partitions:
// Sun's disks have one that covers the whole disk. A copy of a device of a btrfs is not a part of it: it has the number of the original.
func sameFilesystem(a, b *Device) bool {
	if a.Tags["TYPE"] != b.Tags["TYPE"] || a.Tags["UUID"] != b.Tags["UUID"] {
		return false
	}
	over := a.Part > 0 && b.Part > 0 && a.Drive >= 0 && a.Drive == b.Drive && a.Start == b.Start && a.Tags["UUID"] != ""
	return over || a.Tags["TYPE"] == "btrfs" && a.Tags["UUID_SUB"] != b.Tags["UUID_SUB"]
}

// windowsPartition finds a partition by what Windows remembers about it: for an MBR, the disk's
// signature and the partition's first byte; for a GPT, its GUID.
func (d *Devices) windowsPartition(raw []byte) string {
	var l []*Device
	switch {
	case len(raw) == 12:
		signature, start := fmt.Sprintf("%08x-", binary.LittleEndian.Uint32(raw)), binary.LittleEndian.Uint64(raw[4:])
		l = d.where(func(dev *Device) bool {
			return dev.Part > 0 && dev.Start == start && strings.HasPrefix(dev.Tags["PART_ENTRY_UUID"], signature)
		})
	case len(raw) == 24 && string(raw[:8]) == "DMIO:ID:":
		l = d.tagged("PART_ENTRY_UUID", guidText(raw[8:]))
	}
	if len(l) == 0 {
		return ""
	}
	return l[0].Name
}

// guidText writes a GUID as Windows stores it, with three parts little-endian.
func guidText(b []byte) string {
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:16])
}
