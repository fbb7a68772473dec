package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gofish/internal/inspect"
)

// Names that udev gives devices on a running Linux, as links in folders of /dev/disk.
// The appliance has no udev: a name is looked up when it is used, so a
// label that was just set is found at once.

// linkFolders are the folders whose links are named for what blkid(8) calls a tag.
var linkFolders = map[string]string{
	"by-label": "LABEL", "by-uuid": "UUID", "by-partlabel": "PARTLABEL", "by-partuuid": "PARTUUID",
}

// Linked lists the devices (kernel names, in the order of the drives) that a name
// under /dev/disk or /dev/md refers to. There may be several if one is a copy of another.
// The result is nil if there is none, or if it is not such a name.
func (d *Devices) Linked(name string) []string {
	rest, ok := strings.CutPrefix(name, "/dev/")
	if !ok {
		return nil
	}
	if array, ok := strings.CutPrefix(rest, "md/"); ok {
		return d.arraysOf("MD_NAME", array)
	}
	folder, link, ok := strings.Cut(strings.TrimPrefix(rest, "disk/"), "/")
	if !ok || link == "" || strings.Contains(link, "/") || !strings.HasPrefix(rest, "disk/") {
		return nil
	}
	switch folder {
	case "guestfs":
		return d.labelled(link)
	case "by-id":
		return d.byID(link)
	case "by-path":
		return d.byDisk(link, diskPaths)
	case "by-diskseq":
		return d.byDisk(link, func(disk string) []string { return []string{attribute(disk, "diskseq")} })
	}
	if tag, ok := linkFolders[folder]; ok {
		devs, _ := d.Tagged(tag, inspect.Unhex(link))
		return devs
	}
	return nil
}

// Tagged lists the devices that have a property, except the appliance's own, in
// the order of the drives.
func (d *Devices) Tagged(tag, value string) ([]string, error) {
	// Partition UUIDs are printed in lower case; people and firmware write both.
	if tag == "PARTUUID" {
		value = strings.ToLower(value)
	}
	// In quotes, since blkid would take a quote at the start of the value as its own.
	out, err := d.output("blkid", "-c", "/dev/null", "-o", "device", "-t", tag+`="`+value+`"`)
	var te *ToolError
	if err != nil && !(errors.As(err, &te) && te.Status == 2) {
		return nil, err
	}
	root := d.rootDisk()
	var devs []string
	for _, dev := range lines(out) {
		if root == "" || !strings.HasPrefix(dev, "/dev/"+root) {
			devs = append(devs, volumeName(dev))
		}
	}
	return d.inOrder(devs), nil
}

// inOrder sorts devices by the drive they are on; what is on none comes last.
func (d *Devices) inOrder(devs []string) []string {
	disks := d.disks()
	place := func(dev string) int {
		if disk, _, err := splitPartition(Device(dev)); err == nil {
			dev = string(disk)
		}
		if i := slices.Index(disks, strings.TrimPrefix(dev, "/dev/")); i >= 0 {
			return i
		}
		return len(disks)
	}
	slices.SortStableFunc(devs, func(a, b string) int { return place(a) - place(b) })
	return devs
}

// labelled finds a drive by the label it was added with, or a partition of it, whose
// number follows.
func (d *Devices) labelled(name string) []string {
	for _, disk := range d.disks() {
		label := serial(disk)
		if label == "" {
			continue
		}
		number, ok := strings.CutPrefix(name, label)
		if !ok {
			continue
		}
		if dev := d.partitionOf(disk, number); dev != nil {
			return dev
		}
	}
	return nil
}

// partitionOf is a disk or, where a number is given, its partition of that number.
func (d *Devices) partitionOf(disk, number string) []string {
	if number == "" {
		return []string{"/dev/" + disk}
	}
	n, err := strconv.Atoi(number)
	if err != nil || !slices.Contains(d.partitionNumbers(disk), n) {
		return nil
	}
	return []string{"/dev/" + disk + number}
}

// byDisk finds a disk by one of the names that namesOf returns for it. A partition
// has its disk's name followed by -partN.
func (d *Devices) byDisk(link string, namesOf func(disk string) []string) []string {
	name, number := link, ""
	if i := strings.LastIndex(link, "-part"); i >= 0 {
		if _, err := strconv.Atoi(link[i+len("-part"):]); err == nil {
			name, number = link[:i], link[i+len("-part"):]
		}
	}
	var found []string
	for _, disk := range d.disks() {
		if slices.Contains(namesOf(disk), name) {
			found = append(found, d.partitionOf(disk, number)...)
		}
	}
	return found
}

// byID finds what udev's rules name by an identifier of its own: volumes, arrays,
// physical volumes, and disks by model and serial number.
func (d *Devices) byID(link string) []string {
	if name, ok := strings.CutPrefix(link, "dm-name-"); ok {
		return mappersWhere(func(m mapper) bool { return m.name == name })
	}
	if uuid, ok := strings.CutPrefix(link, "dm-uuid-"); ok {
		return mappersWhere(func(m mapper) bool { return m.uuid == uuid })
	}
	if uuid, ok := strings.CutPrefix(link, "lvm-pv-uuid-"); ok {
		devs, _ := d.Tagged("UUID", uuid)
		return devs
	}
	for prefix, tag := range map[string]string{"md-uuid-": "MD_UUID", "md-name-": "MD_NAME"} {
		if value, ok := strings.CutPrefix(link, prefix); ok {
			return d.arraysOf(tag, value)
		}
	}
	return d.byDisk(link, diskIDs)
}

// arraysOf finds arrays by their UUID, however its digits are grouped, or by their
// name. The name of the machine that made the array and a colon may come before it.
func (d *Devices) arraysOf(tag, value string) []string {
	same := func(v string) bool { return v == value || v[strings.LastIndex(v, ":")+1:] == value }
	if tag == "MD_UUID" {
		digits := strings.NewReplacer(":", "", "-", "")
		same = func(v string) bool { return strings.EqualFold(digits.Replace(v), digits.Replace(value)) }
	}
	var l []string
	for _, md := range globAll("/sys/block/md*/md") {
		dev := "/dev/" + filepath.Base(filepath.Dir(md))
		out, err := d.output("mdadm", "--detail", "--export", dev)
		if err != nil {
			continue
		}
		for _, line := range lines(out) {
			if v, ok := strings.CutPrefix(line, tag+"="); ok && same(v) {
				l = append(l, dev)
			}
		}
	}
	return l
}

// diskIDs are the names of a disk in by-id. For SCSI udev builds them from vendor,
// model and serial number; where a drive has been given the serial number of a real
// disk, the name that its guest has for it matches too.
func diskIDs(disk string) []string {
	id := serial(disk)
	if strings.HasPrefix(disk, "vd") {
		if id == "" {
			return nil
		}
		return []string{"virtio-" + id}
	}
	if id == "" {
		// qemu gives a disk without a serial number the name of its drive
		// (SPC-5 §7.7.6, an identifier that begins 8 bytes into the page).
		if b, err := os.ReadFile("/sys/block/" + disk + "/device/vpd_pg83"); err == nil && len(b) > 8 {
			id = string(b[8:])
		}
	}
	if id == "" {
		return nil
	}
	model := strings.ReplaceAll(attribute(disk, "device/vendor")+" "+attribute(disk, "device/model"), " ", "_")
	return []string{"scsi-0" + model + "_" + id, "scsi-S" + model + "_" + id, "virtio-" + id}
}

// diskPaths are the names of a disk in by-path: where it is attached.
func diskPaths(disk string) []string {
	path, err := filepath.EvalSymlinks("/sys/block/" + disk)
	if err != nil {
		return nil
	}
	var pci, scsi string
	for _, part := range strings.Split(path, "/") {
		if pciAddress.MatchString(part) {
			pci = part
		} else if _, rest, ok := strings.Cut(part, ":"); ok && scsiAddress.MatchString(part) {
			scsi = "0:" + rest
		}
	}
	if scsi == "" {
		return []string{"pci-" + pci, "virtio-pci-" + pci}
	}
	return []string{"pci-" + pci + "-scsi-" + scsi}
}
