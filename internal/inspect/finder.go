package inspect

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gofish/internal/api"
)

// finder finds devices by the names that one guest has for them. Names that depend
// on the firmware, a driver or the order of drives are different here: one that is
// known, such as the root directory's, helps to identify the others.
type finder struct {
	g      *Guest
	devs   *Devices
	root   *Device           // that the root directory is on; nil: unknown
	drives []int             // that is on
	known  map[diskName]int  // drives by the names that the guest has for the disks
	crypts map[string]crypt  // by name
	arrays map[string]string // UUIDs by name

	wanted  string // the type of file system that is looked for
	guessed bool   // the last name said nothing that could be matched here
}

// crypt is a line of a crypttab(5).
type crypt struct{ device, key, options string }

func (g *Guest) newFinder(mountable string) *finder {
	f := &finder{g: g, devs: g.Devices, known: map[diskName]int{}, crypts: map[string]crypt{}, arrays: g.arrays()}
	if f.devs == nil {
		f.devs = &Devices{}
	}
	if f.root, _ = f.devs.of(mountable); f.root != nil {
		f.drives = f.devs.drives(f.root)
	}
	for _, line := range g.lines("/etc/crypttab") {
		w := strings.Fields(line)
		if len(w) < 2 || strings.HasPrefix(w[0], "#") {
			continue
		}
		w = append(w, "", "")
		if _, twice := f.crypts[unescape(w[0])]; !twice {
			f.crypts[unescape(w[0])] = crypt{unescape(w[1]), w[2], w[3]}
		}
	}
	return f
}

// learn records that a name of a disk belongs to the drive that a device is on.
func (f *finder) learn(spec string, dev *Device) {
	if n, ok := parseDisk(strings.TrimPrefix(plainDevice(spec), "/dev/")); ok && dev != nil && dev.Drive >= 0 && dev.Part == n.part {
		f.known[n.disk()] = dev.Drive
	}
}

// maxDepth limits how many names may lead to others.
const maxDepth = 4

// find lists the devices that the first field of an fstab line may mean, the likeliest first.
func (f *finder) find(spec string, depth int) []*Device {
	if depth > maxDepth {
		return nil
	}
	spec = plainDevice(strings.Trim(spec, `"'`))
	if m := tagPattern.FindStringSubmatch(spec); m != nil {
		return f.tagged(strings.ToUpper(m[1]), strings.Trim(m[2], `"'`))
	}
	if m := duidPattern.FindStringSubmatch(spec); m != nil {
		return f.onDisk(diskName{class: "duid", id: m[1], index: -1, part: bsdPartition(m[2])})
	}
	name, ok := strings.CutPrefix(spec, "/dev/")
	if !ok {
		return nil
	}
	if name == "root" || name == "gpt-auto-root" {
		return one(f.root)
	}
	for _, by := range linkFolders {
		if v, ok := strings.CutPrefix(name, by.folder); ok {
			return f.tagged(by.tag, Unhex(v))
		}
	}
	if link, ok := strings.CutPrefix(name, "disk/by-id/"); ok {
		return f.byID(Unhex(link), depth)
	}
	if mapped, ok := strings.CutPrefix(name, "mapper/"); ok {
		return f.mapped(mapped, depth)
	}
	if l := f.array(name); l != nil {
		return l
	}
	if n, ok := parseDisk(name); ok {
		return f.onDisk(n)
	}
	return f.devs.named(spec)
}

// plainDevice is a device's name without redundant parts of the path. A number of the
// kernel's is resolved to the name that it refers to.
func plainDevice(spec string) string {
	if !strings.HasPrefix(spec, "/dev/") {
		return spec
	}
	spec = path.Clean(spec)
	number, ok := strings.CutPrefix(spec, "/dev/block/")
	var major, minor int
	if n, err := fmt.Sscanf(number, "%d:%d", &major, &minor); !ok || err != nil || n != 2 || minor < 0 {
		return spec
	}
	// Documentation/admin-guide/devices.txt of Linux. Numbers of other drivers vary.
	disk := func(prefix string, n, each int) string {
		name := string(rune('a' + n%26))
		if n >= 26 {
			name = string(rune('a'+n/26-1)) + name
		}
		if part := minor % each; part > 0 {
			name += strconv.Itoa(part)
		}
		return "/dev/" + prefix + name
	}
	switch {
	case major == 3 && minor < 128:
		return disk("hd", minor/64, 64)
	case major == 8 && minor < 256:
		return disk("sd", minor/16, 16)
	case major >= 65 && major <= 71 && minor < 256:
		return disk("sd", (major-64)*16+minor/16, 16)
	case major == 202 && minor < 256:
		return disk("xvd", minor/16, 16)
	case major == 9:
		return "/dev/md" + strconv.Itoa(minor)
	}
	return spec
}

func one(dev *Device) []*Device {
	if dev == nil {
		return nil
	}
	return []*Device{dev}
}

// linkFolders are folders of links in /dev, Linux's and FreeBSD's, whose names are
// what blkid(8) calls a tag.
var linkFolders = []struct{ folder, tag string }{
	{"disk/by-uuid/", "UUID"}, {"disk/by-label/", "LABEL"}, {"disk/by-partuuid/", "PARTUUID"}, {"disk/by-partlabel/", "PARTLABEL"},
	{"ufs/", "LABEL"}, {"ext2fs/", "LABEL"}, {"msdosfs/", "LABEL"}, {"ntfs/", "LABEL"}, {"ufsid/", "UUID"}, {"gpt/", "PARTLABEL"}, {"gptid/", "PARTUUID"},
}

// tagged finds devices by a tag as mount(8) has it.
func (f *finder) tagged(tag, value string) []*Device {
	switch tag {
	case "PARTUUID":
		tag = "PART_ENTRY_UUID"
	case "PARTLABEL":
		tag = "PART_ENTRY_NAME"
	case "NAME": // a wedge of NetBSD
		if l := f.devs.tagged("PART_ENTRY_NAME", value); l != nil {
			return l
		}
		tag = "LABEL"
	case "ID":
		return f.byID(value, 0)
	}
	return f.devs.tagged(tag, value)
}

// byID finds the device for a name in /dev/disk/by-id.
func (f *finder) byID(link string, depth int) []*Device {
	if name, ok := strings.CutPrefix(link, "dm-name-"); ok {
		return f.mapped(name, depth)
	}
	if uuid, ok := strings.CutPrefix(link, "dm-uuid-"); ok {
		return f.mappedUUID(uuid, depth)
	}
	for prefix, tag := range map[string]string{"md-uuid-": "MD_UUID", "md-name-": "MD_NAME"} {
		if v, ok := strings.CutPrefix(link, prefix); ok {
			return f.parts(v, func(v string) []*Device { return f.devs.tagged(tag, v) })
		}
	}
	if l := f.devs.named("/dev/disk/by-id/" + link); l != nil {
		return l
	}
	if n, ok := parseDisk("disk/by-id/" + link); ok {
		return f.onDisk(n)
	}
	return nil
}

var arrayPart = regexp.MustCompile(`^(.*?)(?:-part|p|)(\d+)$`)

// parts finds an array or, where its name continues with a number, a partition of one.
func (f *finder) parts(name string, whole func(string) []*Device) []*Device {
	if l := whole(name); l != nil {
		return l
	}
	m := arrayPart.FindStringSubmatch(name)
	if m == nil || m[1] == "" {
		return nil
	}
	part, _ := strconv.Atoi(m[2])
	var l []*Device
	for _, md := range whole(m[1]) {
		l = append(l, f.devs.where(func(dev *Device) bool { return dev.Part == part && slices.Contains(dev.On, md.Name) })...)
	}
	return l
}

// array finds an array that a guest calls name (without /dev/): by the UUID that
// its mdadm.conf gives for the name, else by the name in the array's own superblock.
func (f *finder) array(name string) []*Device {
	if !strings.HasPrefix(name, "md") {
		return nil
	}
	return f.parts(name, func(name string) []*Device {
		number, ok := mdNumber(name)
		if !ok {
			return nil
		}
		if l := f.devs.tagged("MD_UUID", f.arrays[number]); l != nil {
			return l
		}
		return f.devs.tagged("MD_NAME", number)
	})
}

// mapped finds a device of device-mapper by its name: those of encrypted devices are
// in the guest's crypttab, and they may have been opened here under another.
func (f *finder) mapped(name string, depth int) []*Device {
	if c, ok := f.crypts[name]; ok {
		if l := f.decrypted(c, depth); l != nil {
			return l
		}
	}
	if l := f.devs.tagged("DM_NAME", name); l != nil {
		return l
	}
	if uuid, ok := strings.CutPrefix(name, "luks-"); ok {
		if l := f.open(f.devs.tagged("UUID", uuid)); l != nil {
			return l
		}
	}
	if n, ok := parseDisk("mapper/" + name); ok {
		return f.onDisk(n)
	}
	return f.devs.named(api.MapperDir + name)
}

// decrypted finds what a line of crypttab opens: the device it names or, where the
// header is separate, the header's device, which has the UUID.
func (f *finder) decrypted(c crypt, depth int) []*Device {
	if l := f.open(f.find(c.device, depth+1)); l != nil {
		return l
	}
	header, _ := option(c.options, "header")
	return f.open(f.find(header, depth+1))
}

// open lists the contents of the encrypted devices, as far as they are open.
func (f *finder) open(l []*Device) (opened []*Device) {
	for _, dev := range l {
		for _, up := range f.devs.All {
			if slices.Contains(up.On, dev.Name) && strings.HasPrefix(up.Tags["DM_UUID"], "CRYPT-") {
				opened = append(opened, up)
			}
		}
	}
	return opened
}

// mappedUUID finds a device of device-mapper by its UUID. The UUID of an encrypted
// one ends in the name under which it was opened.
func (f *finder) mappedUUID(uuid string, depth int) []*Device {
	if l := f.devs.tagged("DM_UUID", uuid); l != nil {
		return l
	}
	w := strings.SplitN(uuid, "-", 4) // CRYPT-LUKS2-UUID-NAME
	if len(w) < 4 || w[0] != "CRYPT" {
		if len(w) == 3 && w[0] == "CRYPT" { // CRYPT-PLAIN-NAME
			return f.mapped(w[2], depth)
		}
		return nil
	}
	same := func(dev *Device) bool {
		v := strings.SplitN(dev.Tags["DM_UUID"], "-", 4)
		return len(v) == 4 && v[0] == w[0] && v[2] == w[2]
	}
	if l := f.devs.where(same); l != nil {
		return l
	}
	return f.mapped(w[3], depth)
}

// lost reports whether a name is that of something whose content cannot be recovered: it is
// encrypted with a key that was discarded.
func (f *finder) lost(spec string) bool {
	c := f.crypts[strings.TrimPrefix(spec, api.MapperDir)]
	return strings.HasSuffix(c.key, "/random") || strings.HasSuffix(c.key, "/urandom")
}

// diskName is a guest's name for a disk, or for a partition of it.
type diskName struct {
	class string // names of one class differ if their disks do
	id    string // within the class
	index int    // which disk it is by the name; -1: it does not say
	part  int    // 0: the disk
}

func (n diskName) disk() diskName { return diskName{class: n.class, id: n.id} }

// diskPatterns are names with letters or numbers, for any driver; the same
// disk may have another of these names here. The first group is the disk's name, the
// second its number, the third the partition's.
var diskPatterns = []*regexp.Regexp{
	regexp.MustCompile(`^((?:[hsv]|xv|ub)d([a-z]{1,3}))(\d*)$`),
	regexp.MustCompile(`^(dasd([a-z]{1,3}))(\d*)$`),
	regexp.MustCompile(`^(nvme(\d+)n\d+)(?:p(\d+))?$`),
	regexp.MustCompile(`^(mmcblk(\d+))(?:p(\d+))?$`),
	regexp.MustCompile(`^((?:cciss|ida|rd)/c\d+d(\d+))(?:p(\d+))?$`), // old RAID controllers
}

// hardwarePattern are links that udev names for hardware: model and serial number, or
// where the disk is attached.
var hardwarePattern = regexp.MustCompile(`^disk/(by-id/(?:scsi-.|[a-z]+)|by-path/|by-diskseq/|by-dname/)(.*?)(?:-part(\d+))?$`)

// multipathPattern are disks that are reached by several paths.
var multipathPattern = regexp.MustCompile(`^(mapper/)(mpath[a-z]+|[0-9a-f]{17,33})(?:(?:-part|p|)(\d+))?$`)

// parseDisk takes a name (without /dev/) apart.
func parseDisk(name string) (diskName, bool) {
	for _, p := range diskPatterns {
		if m := p.FindStringSubmatch(name); m != nil {
			part, _ := strconv.Atoi(m[3])
			n := diskName{"kernel", m[1], driveNumber(m[2]), part}
			if strings.HasPrefix(name, "mmcblk") {
				n.class = "mmcblk" // counted by slots, which may be empty
			}
			if namespace, ok := strings.CutPrefix(m[1], "nvme"+m[2]+"n"); ok {
				if k, err := strconv.Atoi(namespace); err == nil && k > 1 && n.index >= 0 {
					n.index += k - 1 // several on one controller
				}
			}
			return n, true
		}
	}
	if m := bsdPattern.FindStringSubmatch(name); m != nil {
		n := diskName{"kernel", m[1] + m[2], driveNumber(m[2]), 0}
		switch {
		case m[5] != "":
			n.part, _ = strconv.Atoi(m[5])
		case m[4] != "" || m[6] != "": // with a label, which may be in a slice
			n.part = bsdPartition(m[4] + m[6])
		case m[3] != "":
			n.part, _ = strconv.Atoi(m[3])
		}
		return n, true
	}
	for _, p := range []*regexp.Regexp{hardwarePattern, multipathPattern} {
		if m := p.FindStringSubmatch(name); m != nil {
			part, _ := strconv.Atoi(m[3])
			return diskName{m[1], m[2], -1, part}, true
		}
	}
	return diskName{}, false
}

// driveNumber is the number of a disk, from its letters or digits.
func driveNumber(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	n := 0
	for _, c := range s {
		if c < 'a' || c > 'z' || n > 1000 {
			return -1
		}
		n = n*26 + int(c-'a') + 1
	}
	return n - 1
}

// onDisk finds the partition (or the disk) that a name of a disk means.
func (f *finder) onDisk(n diskName) []*Device {
	var l []*Device
	for _, drive := range f.disks(n) {
		l = append(l, f.devs.partition(drive, n.part)...)
	}
	return l
}

// disks lists the drives that a name of a disk may mean, the likeliest first.
func (f *finder) disks(n diskName) []int {
	var all []int
	for _, dev := range f.devs.All {
		if dev.Drive < 0 || dev.Part != 0 {
			continue
		}
		if s := dev.Tags["SERIAL"]; n.index < 0 && len(s) >= 4 && strings.HasSuffix(n.id, s) {
			return []int{dev.Drive}
		}
		all = append(all, dev.Drive)
	}
	if drive, ok := f.known[n.disk()]; ok {
		return []int{drive}
	}
	// Another name of that kind belongs to another disk.
	others := false
	for name, drive := range f.known {
		if name.class == n.class {
			others = true
			all = slices.DeleteFunc(all, func(d int) bool { return d == drive })
		}
	}
	if n.index >= 0 && slices.Contains(all, n.index) {
		// Disks may have been added in another order than the guest has them.
		if !others && !f.holds(n.index, n.part) {
			for _, d := range f.drives {
				if f.holds(d, n.part) {
					f.guessed = true
					return []int{d}
				}
			}
		}
		return []int{n.index}
	}
	switch {
	case others && len(all) == 1:
		return all
	case others, n.index >= 0 && n.class != "mmcblk": // a disk that was not added
		return nil
	}
	f.guessed = true
	return all
}

// holds reports whether a drive has a partition with the content that is looked for.
func (f *finder) holds(drive, part int) bool {
	return slices.ContainsFunc(f.devs.partition(drive, part), func(dev *Device) bool {
		is := f.devs.opened(dev).Tags["TYPE"]
		return is != "" && canBe(is, f.wanted)
	})
}

var hexPattern = regexp.MustCompile(`\\x[0-9a-fA-F]{2}`)

// Unhex resolves udev's escapes for special characters: \x20 is a blank.
func Unhex(s string) string {
	return hexPattern.ReplaceAllStringFunc(s, func(m string) string {
		n, _ := strconv.ParseUint(m[2:], 16, 8)
		return string([]byte{byte(n)})
	})
}
