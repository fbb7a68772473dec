package daemon

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/diskimage"
)

// Devices that consist of others, or are inside another, exist before the first call.

// Signatures of what must be assembled before the first call: where, and what.
var volumeSignatures = []struct {
	kind   string
	offset int64
	magic  []byte
}{
	{"lvm", 0, []byte("LABELONE")}, {"lvm", 512, []byte("LABELONE")}, {"lvm", 1024, []byte("LABELONE")}, {"lvm", 1536, []byte("LABELONE")},
	{"md", 0, mdMagic}, {"md", 4096, mdMagic},
	{"ldm", 0xc00, []byte("PRIVHEAD")},
}

var mdMagic = []byte{0xfc, 0x4e, 0x2b, 0xa9}

// blockReader reads an open device without the preparations of package os.
type blockReader int

func (fd blockReader) ReadAt(b []byte, off int64) (int, error) {
	n, err := unix.Pread(int(fd), b, off)
	return max(0, n), err // -1 for a sector that cannot be read
}

// volumesOn reports the kinds of volumes found on a device of the size.
func volumesOn(r interface {
	ReadAt([]byte, int64) (int, error)
}, size int64, found map[string]bool) {
	head := make([]byte, 8192)
	n, _ := r.ReadAt(head, 0)
	head = head[:n]
	for _, s := range volumeSignatures {
		if int64(len(head)) >= s.offset+int64(len(s.magic)) && bytes.HasPrefix(head[s.offset:], s.magic) {
			found[s.kind] = true
		}
	}
	// md metadata 0.90 and 1.0 are near the end (md(4)), and so does the header of
	// dynamic disks with a GPT, in a partition of its own.
	buf := make([]byte, 16)
	if _, err := r.ReadAt(buf, size-512); err == nil && bytes.HasPrefix(buf, []byte("PRIVHEAD")) {
		found["ldm"] = true
	}
	for _, off := range []int64{size&^65535 - 65536, (size/512 - 16) &^ 7 * 512} {
		if off > 0 {
			if _, err := r.ReadAt(buf, off); err == nil && bytes.HasPrefix(buf, mdMagic) {
				found["md"] = true
			}
		}
	}
}

// scanned is what was found on the devices.
type scanned struct {
	kinds    map[string]bool
	pvs      []physicalVolume // in the order of the drives
	warnings []string
}

// scan looks at the devices whose kernel names begin with one of the prefixes.
func (d *Devices) scan(s *scanned, prefixes ...string) {
	var pvs []string
	byName := map[string]physicalVolume{}
	for _, name := range blockDevices(prefixes...) {
		fd, err := unix.Open("/dev/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		var size int64
		if ioctlPtr(fd, unix.BLKGETSIZE64, &size) == nil {
			volumesOn(blockReader(fd), size, s.kinds)
			if text := otherSectors(fd); text != "" && unix.Access("/sys/block/"+name, unix.F_OK) == nil {
				s.warnings = append(s.warnings, d.Reverse("/dev/"+name)+": "+text)
			}
			if pv, ok := readPV(blockReader(fd)); ok {
				pv.device = "/dev/" + name
				pvs = append(pvs, pv.device)
				byName[pv.device] = pv
			}
		}
		unix.Close(fd)
	}
	slices.Sort(pvs)
	if len(pvs) > 1 {
		pvs = d.inOrder(pvs)
	}
	for _, dev := range pvs {
		s.pvs = append(s.pvs, byName[dev])
	}
}

// otherSectors says that a device has a partition table which was made for sectors of
// another size, so that the kernel does not see it; empty if not.
func otherSectors(fd int) string {
	want := diskimage.GPTSectors(blockReader(fd))
	if want == 0 {
		return ""
	}
	have, err := unix.IoctlGetInt(fd, unix.BLKSSZGET)
	if err != nil || have == want {
		return ""
	}
	return fmt.Sprintf("its partition table is for sectors of %d bytes, but the drive has sectors of %d: add it with --blocksize=%[1]d, or blocksize:%[1]d", want, have)
}

// activateVolumes assembles RAID arrays, volume groups and dynamic disks, so
// that they exist at the first call. Tools only run if there is something for them
// to do: starting a program is slow under emulation.
func (d *Daemon) activateVolumes() {
	for _, disk := range d.devices.disks() {
		d.mendTold(disk)
	}
	s := scanned{kinds: map[string]bool{}}
	d.devices.scan(&s, "sd", "hd", "vd")
	for _, text := range s.warnings {
		d.warn("%s", text)
	}
	if s.kinds["md"] {
		d.assembleArrays()
		d.devices.scan(&s, "md")
	}
	if s.kinds["lvm"] {
		d.run("modprobe", "dm_mod")
		d.activateGroups(s.pvs, "-aay", "--sysinit")
	}
	if s.kinds["ldm"] {
		d.run("ldmtool", "create", "all")
	}
}

func (d *Daemon) assembleArrays() {
	said, _ := d.complaints("mdadm", "-As", "--auto=yes", "--run")
	nameArrays()
	forgetArrays() // those that do not start; opening the node of one makes it anew
	for _, text := range tellArrays(d.devices.arrayMembers(), activeArrays(), idleArrays(said), d.devices.Reverse) {
		d.warn("%s", text)
	}
}

// idleArray is an array that mdadm cannot start.
type idleArray struct{ name, reason string }

var (
	notRun    = regexp.MustCompile(`^mdadm: failed to RUN_ARRAY (.+): (.+)$`)
	notEnough = regexp.MustCompile(`^mdadm: (.+?) (assembled from .+ - (?:not enough|need).*)$`)
	notRunWhy = regexp.MustCompile(`^mdadm: (Not enough devices .+?)\.?$`)
)

// idleArrays reads what mdadm says of arrays that it cannot start.
func idleArrays(said string) (l []idleArray) {
	for _, line := range lines(said) {
		if m := notRun.FindStringSubmatch(line); m != nil {
			l = append(l, idleArray{shortArrayName(m[1]), m[2]})
		} else if m := notEnough.FindStringSubmatch(line); m != nil {
			l = append(l, idleArray{shortArrayName(m[1]), m[2]})
		} else if m := notRunWhy.FindStringSubmatch(line); m != nil && len(l) > 0 {
			l[len(l)-1].reason = m[1] // rather than the kernel's number
		}
	}
	return l
}

// physicalVolume is a device that LVM has marked.
type physicalVolume struct {
	device         string // kernel name
	uuid           string // 32 characters, as on the disk
	group, groupID string // empty if it is in no group, or if the group cannot be read
}

// readPV reads LVM's label, which is in one of the first four sectors, and the name of
// the group from the metadata (lib/format_text/layout.h of LVM2): after the label's
// header of 32 bytes come the volume's UUID, its size, and two lists of areas, for data
// and for metadata, each a position and a size of 8 bytes and ended by zeros. All
// numbers are little-endian.
func readPV(r interface {
	ReadAt([]byte, int64) (int, error)
}) (pv physicalVolume, ok bool) {
	head := make([]byte, 2048)
	n, _ := r.ReadAt(head, 0)
	head = head[:n]
	le := binary.LittleEndian
	for at := 0; at+512 <= len(head); at += 512 {
		label := head[at : at+512]
		if !bytes.HasPrefix(label, []byte("LABELONE")) {
			continue
		}
		start := int(le.Uint32(label[20:]))
		if start < 32 || start+40 > len(label) {
			return pv, false
		}
		pv.uuid = string(label[start : start+32])
		areas := label[start+40:]
		lists := 0
		for ; len(areas) >= 16 && lists < 2; areas = areas[16:] {
			offset := le.Uint64(areas)
			if offset == 0 {
				lists++
				continue
			}
			if lists == 1 {
				pv.group, pv.groupID = readGroup(r, offset)
				break
			}
		}
		return pv, true
	}
	return pv, false
}

var groupText = regexp.MustCompile(`^([A-Za-z0-9+_.-]+) \{\s*id = "([A-Za-z0-9-]+)"`)

// readGroup reads the name and the UUID of a group from a metadata area: its header has
// a mark after a checksum of 4 bytes, and from byte 40 on where the text is, counted
// from the header.
func readGroup(r interface {
	ReadAt([]byte, int64) (int, error)
}, area uint64) (name, id string) {
	header := make([]byte, 512)
	if area > 1<<62 {
		return "", ""
	}
	if n, _ := r.ReadAt(header, int64(area)); n < len(header) || string(header[4:20]) != " LVM2 x[5A%r0N*>" {
		return "", ""
	}
	le := binary.LittleEndian
	offset := le.Uint64(header[40:])
	if offset == 0 || offset > 1<<40 {
		return "", ""
	}
	text := make([]byte, 512)
	n, _ := r.ReadAt(text, int64(area+offset))
	if m := groupText.FindSubmatch(text[:n]); m != nil {
		return string(m[1]), string(m[2])
	}
	return "", ""
}

// activateGroups runs vgchange. Of devices that are copies of each other LVM would
// activate nothing at all, and only some of the groups that share a name. So the first one counts,
// in the order of the drives, and the user is warned.
func (d *Daemon) activateGroups(pvs []physicalVolume, args ...string) error {
	pvs = slices.DeleteFunc(pvs, func(pv physicalVolume) bool {
		return d.lvmSees != nil && !d.lvmSees(pv.device) || held(pv.device)
	})
	show := d.devices.Reverse
	var reject, others []string
	volumes, groups := map[string]physicalVolume{}, map[string]physicalVolume{}
	for _, pv := range pvs {
		first, known := volumes[pv.uuid]
		if known {
			reject = append(reject, "r|^"+pv.device+"$|")
			d.warnOnce(pv.uuid+pv.device, "%s is a copy of %s, a physical volume of volume group %s, and is left out: lvm-set-filter %[1]s makes it count",
				show(pv.device), show(first.device), cmp.Or(pv.group, "(none)"))
			continue
		}
		volumes[pv.uuid] = pv
		if pv.group == "" {
			continue
		}
		first, known = groups[pv.group]
		if !known {
			groups[pv.group] = pv
		} else if first.groupID != pv.groupID {
			others = append(others, fmt.Sprintf("vg_uuid!=%q", pv.groupID))
			d.warnOnce(pv.groupID, "there are two volume groups %s, on %s and on %s: that on %[2]s is active; lvm-set-filter %[3]s picks the other",
				pv.group, show(first.device), show(pv.device))
		}
	}
	if err := d.writeLVMConf(reject); err != nil {
		return err
	}
	if others != nil {
		args = append(args, "--select", strings.Join(others, " && "))
	}
	said, err := d.complaints(append([]string{"lvm", "vgchange"}, args...)...)
	if said != "" && len(d.lvmFilter) == 0 { // otherwise it is as the user wants it
		d.tellIncomplete(pvs, said, others)
	}
	return withoutLines(err, lvmNoise...)
}

var (
	missingPV = regexp.MustCompile(`VG (\S+) is missing PV ([A-Za-z0-9-]+)(?: \(last written to (/dev/\S+?)\))?`)
	cutPV     = regexp.MustCompile(`Device (/dev/\S+) has size of (\d+) sectors which is smaller than corresponding PV size of (\d+) sectors`)
	noVolume  = regexp.MustCompile(`(?m)^.*(?: failed: |Failed to activate|Refusing activation).*$`)
)

// incomplete is a volume group of which something is not there.
type incomplete struct{ missing, reasons, volumes []string }

// incompleteGroups reads what vgchange says of groups whose disks are missing, or shorter
// than they were.
func incompleteGroups(said string, pvs []physicalVolume, show func(string) string) map[string]*incomplete {
	groups := map[string]*incomplete{}
	of := func(name string) *incomplete {
		if groups[name] == nil {
			groups[name] = &incomplete{}
		}
		return groups[name]
	}
	for _, m := range missingPV.FindAllStringSubmatch(said, -1) {
		name := m[2]
		if m[3] != "" {
			name += " (which was " + m[3] + ")"
		}
		if g := of(m[1]); !slices.Contains(g.missing, name) {
			g.missing = append(g.missing, name)
		}
	}
	for _, m := range cutPV.FindAllStringSubmatch(said, -1) {
		for _, pv := range pvs {
			if pv.device != m[1] || pv.group == "" {
				continue
			}
			reason := fmt.Sprintf("%s has %s sectors, but was made with %s: the image was cut off, or is a part of one", show(m[1]), m[2], m[3])
			if g := of(pv.group); !slices.Contains(g.reasons, reason) {
				g.reasons = append(g.reasons, reason)
			}
		}
	}
	for _, g := range groups {
		switch n := len(g.missing); {
		case n == 1:
			g.reasons = append(g.reasons, "physical volume "+g.missing[0]+" is missing: add its disk, or unlock it")
		case n > 1:
			g.reasons = append(g.reasons, "physical volumes "+strings.Join(g.missing, ", ")+" are missing: add their disks, or unlock them")
		}
	}
	return groups
}

// tellIncomplete warns of groups of which something is not there, with the volumes that
// this concerns: an error about one that has no device does not say why.
func (d *Daemon) tellIncomplete(pvs []physicalVolume, said string, others []string) {
	groups := incompleteGroups(said, pvs, d.devices.Reverse)
	why := noVolume.FindString(said)
	if len(groups) == 0 && why == "" {
		return
	}
	are := append([]string{"lv_role=public", "lv_skip_activation!=yes", `lv_active!="active"`}, others...)
	absent, _ := d.lvmColumn("lvs", "vg_name,lv_name", "-S", strings.Join(are, " && "))
	for _, name := range absent {
		vg, lv, _ := strings.Cut(name, "/")
		if groups[vg] == nil {
			groups[vg] = &incomplete{reasons: []string{cmp.Or(strings.TrimSpace(why), "not activated")}}
		}
		groups[vg].volumes = append(groups[vg].volumes, lv)
	}
	for _, vg := range slices.Sorted(maps.Keys(groups)) {
		g := groups[vg]
		if len(g.reasons) == 0 {
			continue
		}
		left := "all of its volumes are there"
		if len(g.volumes) > 0 {
			left = "these volumes are not there: " + strings.Join(g.volumes, ", ")
		}
		text := fmt.Sprintf("volume group %s: %s; %s", vg, strings.Join(g.reasons, "; "), left)
		d.warnOnce(text, "%s", text)
	}
}

func (d *Daemon) warnOnce(what, format string, args ...any) {
	if !d.lvmTold[what] {
		d.lvmTold[what] = true
		d.warn(format, args...)
	}
}

// held reports whether a device is a part of something else: what looks like a volume
// on a member of a mirror is the mirror's.
func held(device string) bool {
	l, _ := os.ReadDir("/sys/class/block/" + filepath.Base(device) + "/holders")
	return slices.ContainsFunc(l, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "md") })
}

// writeLVMConf makes LVM see what patterns and the user's filter let through.
func (d *Daemon) writeLVMConf(patterns []string) error {
	patterns = append(patterns, d.lvmFilter...)
	conf := lvmConf
	if len(patterns) > 0 {
		for i, p := range patterns {
			patterns[i] = `"` + p + `"`
		}
		const section = "devices {\n"
		conf = strings.Replace(conf, section, section+"    filter = [ "+strings.Join(patterns, ", ")+" ]\n", 1)
	} else if b, err := os.ReadFile(lvmSystemDir + "/lvm.conf"); err == nil && string(b) == conf {
		return nil
	}
	file := filepath.Join(lvmSystemDir, "lvm.conf")
	if err := os.WriteFile(file+".new", []byte(conf), 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
