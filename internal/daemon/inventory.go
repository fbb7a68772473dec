package daemon

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/guestroot"
	"gofish/internal/inspect"
)

// inventory lists all block devices with what they hold, for inspection. Every btrfs
// stays mounted, out of the way, until done: then mounting each of its subvolumes is fast.
func (d *Daemon) inventory() (devs *inspect.Devices, done func()) {
	devs = &inspect.Devices{Named: d.devices.Linked}
	add := func(dev inspect.Device) *inspect.Device {
		dev.Shown, dev.Tags = d.devices.Reverse(dev.Name), map[string]string{}
		devs.All = append(devs.All, &dev)
		return &dev
	}
	for i, name := range d.devices.disks() {
		if openable("/dev/" + name) {
			add(inspect.Device{Name: "/dev/" + name, Drive: i}).Tags["SERIAL"] = serial(name)
		}
	}
	for i, name := range d.devices.disks() {
		for _, n := range d.devices.partitionNumbers(name) {
			part := name + strconv.Itoa(n)
			add(inspect.Device{Name: "/dev/" + part, Drive: i, Part: n, Start: sectorStart(part), On: []string{"/dev/" + name}})
		}
	}
	for _, md := range d.mdDevices() {
		dev := add(inspect.Device{Name: md, Drive: -1, On: slaves(filepath.Base(md))})
		out, _ := d.output("mdadm", "--detail", "--export", md)
		for _, line := range lines(out) {
			if k, v, ok := strings.Cut(line, "="); ok && strings.HasPrefix(k, "MD_") {
				dev.Tags[k] = v
			}
		}
	}
	for _, part := range mdPartitions() {
		name := filepath.Base(part)
		b, _ := os.ReadFile("/sys/class/block/" + name + "/partition")
		n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		whole, _ := filepath.EvalSymlinks("/sys/class/block/" + name + "/..")
		add(inspect.Device{Name: part, Drive: -1, Part: n, Start: sectorStart(name), On: []string{"/dev/" + filepath.Base(whole)}})
	}
	mapped := map[string]mapper{}
	for _, m := range deviceMappers() {
		mapped[volumeName(api.MapperDir+m.name)] = m
	}
	for _, dev := range append(d.logicalVolumes(), d.mappedDevices()...) {
		m := mapped[dev]
		tags := add(inspect.Device{Name: dev, Drive: -1, On: slaves(m.kernel)}).Tags
		tags["DM_NAME"], tags["DM_UUID"] = m.name, m.uuid
	}
	done = d.probe(devs)
	d.snapshotVolumes(devs)
	return devs, done
}

// probe has blkid(8) look at all devices at once, since each start of a program takes
// time. A value with control characters is printed in another form, so each line is one record.
func (d *Daemon) probe(devs *inspect.Devices) (done func()) {
	var undo []func()
	done = func() {
		for _, u := range undo {
			u()
		}
	}
	if len(devs.All) == 0 {
		return done
	}
	args := []string{"blkid", "-c", "/dev/null", "-p", "-o", "export"}
	at := map[string]*inspect.Device{}
	for _, dev := range devs.All {
		args = append(args, dev.Name)
		at[dev.Name] = dev
	}
	// Its status is that of one of them.
	out, _ := (&Tool{Args: args}).Output(d.call)
	var dev *inspect.Device
	for _, line := range lines(out) {
		k, v, ok := strings.Cut(unescapeExport(line), "=")
		switch {
		case !ok:
		case k == "DEVNAME":
			dev = at[v]
		case dev != nil:
			dev.Tags[k] = v
		}
	}
	for _, dev := range devs.All {
		if dev.Tags["TYPE"] == "" && d.isFloppy(dev.Name) {
			maps.Copy(dev.Tags, d.probeTags(dev.Name))
		}
	}
	seen, parts := map[string]*inspect.Device{}, map[string]int{}
	for _, dev := range devs.All {
		parts[dev.Tags["UUID_SUB"]]++
	}
	for _, dev := range devs.All {
		if dev.Tags["TYPE"] != "btrfs" {
			continue
		}
		// What is known about one of its devices holds for all of them.
		id := dev.Tags["UUID"]
		if first := seen[id]; first != nil && first.Tags["UUID_SUB"] != dev.Tags["UUID_SUB"] {
			dev.Subvolumes, dev.Default, dev.Origin, dev.Frozen = first.Subvolumes, first.Default, first.Origin, first.Frozen
			continue
		}
		seen[id] = dev
		u := d.probeBtrfs(dev)
		switch {
		case u == nil:
		case parts[dev.Tags["UUID_SUB"]] > 1:
			u() // the kernel does not mount a copy beside its original
		default:
			undo = append(undo, u)
		}
	}
	return done
}

// unescapeExport resolves the backslashes that blkid puts before characters that
// are special to a shell.
func unescapeExport(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// worthALook are the names by which inspection recognizes subvolumes of interest: a root
// directory, a /usr, the store of a NixOS, deployments, a boot loader's files.
var worthALook = [][]string{{"etc"}, {"usr", "var"}, {"bin", "lib"}, {"nix"}, {"store"}, {"ostree"}, {"composefs"}, {"loader"}}

func isWorthALook(root *guestroot.Root, dir Path) bool {
	f, err := root.Handle(dir, false)
	if err != nil {
		return false
	}
	defer f.Close()
	for _, names := range worthALook {
		if !slices.ContainsFunc(names, func(name string) bool {
			var st unix.Stat_t
			return unix.Fstatat(int(f.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil
		}) {
			return true
		}
	}
	return false
}

// probeBtrfs lists the subvolumes of a file system, and those of interest. The file system
// stays mounted until undo, which is nil if it cannot be mounted.
func (d *Daemon) probeBtrfs(dev *inspect.Device) (undo func()) {
	tmp, err := os.MkdirTemp("/tmp", "btrfs-*")
	if err != nil {
		return nil
	}
	if unix.Mount(dev.Name, tmp, "btrfs", unix.MS_RDONLY|unix.MS_NODEV|unix.MS_NOSUID, btrfsTop) != nil {
		os.Remove(tmp)
		return nil
	}
	list, _ := btrfsSubvolumes(tmp)
	dev.Subvolumes = map[uint64]string{}
	top := guestroot.New(tmp)
	for _, v := range list {
		dev.Subvolumes[v.ID] = v.Path
		if isWorthALook(top, Path("/"+v.Path)) {
			dev.Worth = append(dev.Worth, v.Path)
		}
	}
	var frozen []uint64
	dev.Origin, frozen = btrfsSnapshots(tmp)
	for _, id := range frozen {
		if path, ok := dev.Subvolumes[id]; ok {
			dev.Frozen = append(dev.Frozen, path)
		}
	}
	if out, err := d.output("btrfs", "subvolume", "get-default", tmp); err == nil {
		if m := subvolumeID.FindStringSubmatch(out); m != nil {
			dev.Default, _ = strconv.ParseUint(m[1], 10, 64)
		}
	}
	return func() {
		unix.Unmount(tmp, unix.MNT_DETACH)
		os.Remove(tmp)
	}
}

// btrfsSnapshots tells of a mounted btrfs what each snapshot was made of, and which of
// them are read-only. Snapshots of a subvolume that was deleted have a number in common
// that no subvolume has.
func btrfsSnapshots(dir string) (origin map[uint64]uint64, frozen []uint64) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	// struct btrfs_root_item, of linux/btrfs_tree.h: flags, of which the first bit is read-only;
	// the subvolume's UUID, and that of what it was made from, zeros if it was made empty.
	const (
		rootTree, topLevel, firstFree, lastFree, rootItem = 1, 5, 256, ^uint64(255), 132
		flagsAt, uuidAt, parentAt, end                    = 208, 247, 263, 279
	)
	type uuid [16]byte
	byUUID, parents := map[uuid]uint64{}, map[uint64]uuid{}
	btrfsSearch(f, rootTree, topLevel, lastFree, rootItem, func(id, _ uint64, item []byte) {
		if len(item) < end || id > topLevel && id < firstFree {
			return
		}
		own, parent := uuid(item[uuidAt:]), uuid(item[parentAt:])
		if own != (uuid{}) {
			byUUID[own] = id
		}
		if parent != (uuid{}) {
			parents[id] = parent
			if item[flagsAt]&1 != 0 {
				frozen = append(frozen, id)
			}
		}
	})
	origin = map[uint64]uint64{}
	gone := uint64(0)
	for id, parent := range parents {
		if _, known := byUUID[parent]; !known {
			byUUID[parent] = lastFree + 1 + gone
			gone++
		}
		origin[id] = byUUID[parent]
	}
	return origin, frozen
}

// snapshotVolumes notes of volumes of LVM that hold the same file system which is a
// snapshot of which.
func (d *Daemon) snapshotVolumes(devs *inspect.Devices) {
	twice := false
	seen := map[string]bool{}
	for _, dev := range devs.All {
		if id := dev.Tags["UUID"]; id != "" && strings.HasPrefix(dev.Tags["DM_UUID"], "LVM-") {
			twice = twice || seen[id]
			seen[id] = true
		}
	}
	if !twice {
		return // starting a program takes time
	}
	out, err := d.lvmOutput("lvs", "-o", "vg_name,lv_name,origin", "--noheadings", "--separator", "/")
	if err != nil {
		return
	}
	for _, line := range lines(out) {
		if w := strings.Split(strings.TrimSpace(line), "/"); len(w) == 3 && w[2] != "" {
			for _, dev := range devs.All {
				if dev.Name == "/dev/"+w[0]+"/"+w[1] {
					dev.SnapshotOf = "/dev/" + w[0] + "/" + w[2]
				}
			}
		}
	}
}

// volumes lists what inspection has to examine.
func (d *Daemon) volumes(devs *inspect.Devices) []inspect.Volume {
	parts := map[string][]*inspect.Device{}
	for _, dev := range devs.All {
		if dev.Part > 0 {
			for _, whole := range dev.On {
				parts[whole] = append(parts[whole], dev)
			}
		}
	}
	var l []inspect.Volume
	for _, dev := range devs.All {
		typ := dev.Tags["TYPE"]
		switch {
		case typ == "", strings.HasSuffix(typ, "_member"), typ == "crypto_LUKS", typ == "BitLocker":
			continue
		case len(parts[dev.Name]) > 0 && (!isCD(dev.Tags) || slices.ContainsFunc(parts[dev.Name], func(p *inspect.Device) bool { return sameCD(dev.Tags, p.Tags) })):
			continue
		case notFilesystem[strings.ToLower(dev.Tags["PART_ENTRY_TYPE"])]:
			continue
		}
		l = append(l, inspect.Volume{Mountable: dev.Name, Type: typ})
		for _, path := range dev.Worth {
			l = append(l, inspect.Volume{Mountable: Mountable{Device: Device(dev.Name), Volume: path}.String(), Type: typ})
		}
	}
	return l
}
