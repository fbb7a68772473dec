package inspect

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gofish/internal/api"
)

// Volume is something that can be mounted, and what blkid(8) says that it is.
type Volume struct{ Mountable, Type string }

// Inspect looks for operating systems on volumes. open mounts exactly what it is
// given, in that order, and shows it; it fails if the first cannot be mounted. The second result is for people: what was
// not found, and what was chosen where the choice was not clear.
func Inspect(volumes []Volume, devs *Devices, open func([]Mount) (*Guest, error)) ([]Filesystem, []string) {
	i := &inspection{devs: devs, open: open}
	var copies []string
	looked := map[*Device]int{}
	for _, v := range volumes {
		dev, path := devs.of(v.Mountable)
		switch {
		case v.Type == "swap":
			i.found = append(i.found, Filesystem{Mountable: v.Mountable, Role: Swap})
		case v.Type == "unknown" || i.partOfAnother(dev):
		case isSnapshot(path) || dev != nil && slices.Contains(dev.Frozen, path):
			copies = append(copies, v.Mountable)
		case path != "" && looked[dev] == maxSubvolumes:
			i.warnings = append(i.warnings, fmt.Sprintf("%s: only the first %d of its subvolumes are looked at", dev.Shown, maxSubvolumes))
			looked[dev]++
		case path != "" && looked[dev] > maxSubvolumes:
		default:
			looked[dev]++
			i.look(v.Mountable)
		}
	}
	// A system that exists only in a snapshot was started from it.
	for _, m := range copies[:min(len(copies), maxCopies)] {
		dev, _ := devs.of(m)
		if !slices.ContainsFunc(i.found, func(f Filesystem) bool { d, _ := devs.of(f.Mountable); return f.Role == Root && d == dev }) {
			i.look(m)
		}
	}
	for n := range i.found {
		i.deployed(&i.found[n])
	}
	i.settle()
	for n := range i.found {
		i.complete(&i.found[n])
	}
	i.rootless()
	i.withoutCopies()
	roots := slices.DeleteFunc(slices.Clone(i.found), func(f Filesystem) bool { return f.Role != Root })
	for _, f := range roots {
		for _, w := range f.OS.Warnings {
			if len(roots) > 1 {
				w = shorten(devs.show(f.Mountable), 48) + ": " + w
			}
			i.warnings = append(i.warnings, w)
		}
	}
	return i.found, i.warnings
}

// More subvolumes, and more snapshots, are not examined: each has to be mounted.
const (
	maxSubvolumes = 200
	maxCopies     = 20
)

type inspection struct {
	devs     *Devices
	open     func([]Mount) (*Guest, error)
	found    []Filesystem
	warnings []string
}

// look examines a volume. One that cannot be mounted is skipped.
func (i *inspection) look(mountable string) {
	f, err := i.examine([]Mount{{mountable, "/"}})
	if err != nil {
		return
	}
	i.found = append(i.found, f)
	if f.Role == composefs {
		i.warnings = append(i.warnings, i.devs.show(mountable)+": a system is there whose files are in a composefs repository, which is not looked into")
	}
}

func (i *inspection) examine(mounts []Mount) (Filesystem, error) {
	g, err := i.open(mounts)
	if err != nil {
		return Filesystem{}, err
	}
	g.Devices, g.Mounted = i.devs, mounts[1:]
	return Examine(g, mounts[0].Mountable), nil
}

// partOfAnother reports whether a device has no file system of its own, but is part of a
// btrfs that an earlier device represents.
func (i *inspection) partOfAnother(dev *Device) bool {
	if dev == nil {
		return false
	}
	first := slices.IndexFunc(i.devs.All, func(o *Device) bool { return o == dev || sameFilesystem(o, dev) })
	return i.devs.All[first] != dev
}

// snapshotPattern are subvolumes that are copies of others, as Snapper and Timeshift
// make them, and containers.
var snapshotPattern = regexp.MustCompile(`(^|/)(\.?@?_?snapshots/[^/]+/snapshot|timeshift-btrfs/snapshots/.*|var/lib/(machines|portables)/.*|docker/btrfs/subvolumes/.*|containers/storage/btrfs/subvolumes/.*|lxd/storage-pools/.*)$`)

func isSnapshot(path string) bool { return snapshotPattern.MatchString(path) }

// near reports whether two mountables are on a common disk.
func (i *inspection) near(a, b string) bool {
	da, _ := i.devs.of(a)
	db, _ := i.devs.of(b)
	if da == nil || db == nil {
		return false
	}
	drives := i.devs.drives(da)
	return slices.ContainsFunc(i.devs.drives(db), func(n int) bool { return slices.Contains(drives, n) })
}

// complete looks again at a system that has parts on separate file systems,
// now that it is known on which, with those mounted.
func (i *inspection) complete(f *Filesystem) {
	if f.Role != Root && f.Role != bare {
		return
	}
	mounts := []Mount{{f.Mountable, "/"}}
	var parts []Mount
	if f.Role == Root {
		for _, m := range f.OS.Mounts {
			if m.Point == "/usr" || m.Point == "/nix" {
				parts = append(parts, m)
			}
		}
	}
	if len(parts) == 0 {
		parts = i.missing(f)
	} else if f.OS.Distro != "" && f.OS.Arch != "" {
		return
	}
	if len(parts) == 0 {
		return
	}
	whole, err := i.examine(append(mounts, parts...))
	if err != nil || whole.Role != Root {
		return
	}
	f.Role, f.OS = Root, whole.OS
	if at := slices.IndexFunc(parts, func(m Mount) bool { return m.Point == "/nix" }); whole.storeElsewhere && at >= 0 {
		// There is no folder for it.
		if o := i.fromStore(parts[at].Mountable); o != nil {
			o.claimed = f.Mountable
			o.place()
			f.OS = o
		}
	}
}

// missing finds a part of a system that is elsewhere although no fstab says so: the
// newest /usr that belongs to no other one, on its disk if there is one; the store of a NixOS.
func (i *inspection) missing(f *Filesystem) []Mount {
	var best *Filesystem
	point, role := "/usr", Usr
	if f.storeElsewhere {
		point, role = "/nix", store
	} else if !f.usrElsewhere {
		return nil
	}
	for n := range i.found {
		u := &i.found[n]
		if u.Role != role || i.taken(u.Mountable) {
			continue
		}
		if best == nil || cmp.Or(compareBool(i.near(f.Mountable, u.Mountable), i.near(f.Mountable, best.Mountable)), i.newer(u, best)) > 0 {
			best = u
		}
	}
	if best == nil {
		return nil
	}
	return []Mount{{best.Mountable, point}}
}

// newer compares two /usr. Of partitions with the type of one, systemd takes that with the
// newest label.
func (i *inspection) newer(a, b *Filesystem) int {
	if a.OS == nil || b.OS == nil {
		return 0
	}
	label := func(f *Filesystem) (name string, typed bool) {
		if dev, _ := i.devs.of(f.Mountable); dev != nil {
			i.devs.below(dev, func(part *Device) {
				if part.place() == "/usr" {
					name, typed = part.Tags["PART_ENTRY_NAME"], true
				}
			})
		}
		return name, typed
	}
	nameA, isA := label(a)
	nameB, isB := label(b)
	return cmp.Or(
		compareBool(isA, isB),
		compareBool(newerName(nameA, nameB), newerName(nameB, nameA)),
		cmp.Compare(a.OS.Major, b.OS.Major), cmp.Compare(a.OS.Minor, b.OS.Minor))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// taken reports whether a system mounts a mountable.
func (i *inspection) taken(mountable string) bool {
	return slices.ContainsFunc(i.found, func(f Filesystem) bool {
		return f.Role == Root && slices.ContainsFunc(f.OS.Mounts, func(m Mount) bool { return m.Mountable == mountable })
	})
}

// withoutCopies leaves out roots that are there several times: the default subvolume under
// two names, and snapshots, of btrfs and of LVM.
func (i *inspection) withoutCopies() {
	// One after the other, so that of a ring one stays.
	for n := 0; n < len(i.found); {
		f := i.found[n]
		if f.Role == Root && slices.ContainsFunc(i.found, func(o Filesystem) bool { return o.Role == Root && i.standsFor(o, f) }) {
			i.found = slices.Delete(i.found, n, n+1)
		} else {
			n++
		}
	}
}

// standsFor reports whether a root makes another one, a copy of it, superfluous.
func (i *inspection) standsFor(o, f Filesystem) bool {
	dev, path := i.devs.of(f.Mountable)
	at, _ := i.devs.of(o.Mountable)
	if dev == nil || at == nil || o.Mountable == f.Mountable {
		return false
	}
	if at != dev {
		return i.devs.snapshotOf(dev, at)
	}
	if f.OS.claimed == o.Mountable {
		return true // by its own fstab
	}
	a, isA := i.volume(o)
	b, isB := i.volume(f)
	switch {
	case !isA || !isB:
		return false
	case a == b: // the default subvolume
		return path != "" && f.OS.claimed != f.Mountable
	case dev.family(a) != dev.family(b) || f.OS.claimed == f.Mountable: // it has become a system of its own
		return false
	}
	return i.rank(dev, o, a, f, b) > 0
}

// volume is the number of the subvolume that a root is.
func (i *inspection) volume(f Filesystem) (id uint64, ok bool) {
	dev, path := i.devs.of(f.Mountable)
	if dev.Tags["TYPE"] != "btrfs" || strings.HasPrefix(f.Mountable, api.FolderPrefix) {
		return 0, false
	}
	if path == "" {
		return cmp.Or(dev.Default, btrfsTop), true
	}
	return i.devs.Subvolume(f.Mountable)
}

// rank compares two subvolumes of which one is a snapshot of the other, or both of a
// third: which is the system as it is now? The one that its fstab names, else the one
// that is mounted by default, else the one that the snapshots are of.
func (i *inspection) rank(dev *Device, a Filesystem, idA uint64, b Filesystem, idB uint64) int {
	made := func(f Filesystem) bool {
		_, path := i.devs.of(f.Mountable)
		return isSnapshot(path) || slices.Contains(dev.Frozen, path)
	}
	descends := func(id, from uint64) bool {
		for range dev.Origin {
			if id = dev.Origin[id]; id == from {
				return true
			}
		}
		return false
	}
	return cmp.Or(
		compareBool(a.OS.claimed == a.Mountable, b.OS.claimed == b.Mountable),
		compareBool(idA == dev.Default, idB == dev.Default),
		compareBool(made(b), made(a)),
		compareBool(descends(idB, idA), descends(idA, idB)),
		cmp.Compare(idB, idA))
}
