package inspect

import (
	"slices"
	"strings"
)

// Combine puts together what single file systems told: a system that keeps /usr
// apart gets what is known from there, and a root that is found twice, under two
// names of one file system, is kept once. Each root has itself among its mounts.
func Combine(found []Filesystem) []Filesystem {
	for i := range found {
		f := &found[i]
		if f.Role != Root {
			continue
		}
		if u := coreOSUsr(f.OS, found); u != nil {
			f.OS.Distro = "" // what its /usr says is better, and is taken over below
			f.OS.Mounts = append(f.OS.Mounts, Mount{u.Mountable, "/usr"})
		}
		for _, m := range f.OS.Mounts {
			for _, u := range found {
				if u.Role == Usr && m.Point == "/usr" && u.Mountable == m.Mountable {
					f.OS.complete(u.OS)
				}
			}
		}
		if !slices.ContainsFunc(f.OS.Mounts, func(m Mount) bool { return m.Point == "/" }) {
			f.OS.Mounts = append([]Mount{{f.Mountable, "/"}}, f.OS.Mounts...)
		}
	}
	// A root of btrfs whose own fstab says that another one there is its root is a copy
	// of that: the default subvolume seen under the device's name, or a snapshot.
	return slices.DeleteFunc(found, func(f Filesystem) bool {
		if f.Role != Root {
			return false
		}
		i := slices.IndexFunc(f.OS.Mounts, func(m Mount) bool { return m.Point == "/" })
		real := f.OS.Mounts[i].Mountable
		return real != f.Mountable && sameBtrfs(real, f.Mountable) && slices.ContainsFunc(found, func(o Filesystem) bool { return o.Role == Root && o.Mountable == real })
	})
}

// complete takes over what is not known yet.
func (o *OS) complete(u *OS) {
	if o.Distro == "" {
		o.Distro, o.Product, o.Major, o.Minor, o.BuildID = u.Distro, u.Product, u.Major, u.Minor, u.BuildID
		o.PackageFormat, o.Manager = u.PackageFormat, u.Manager
	}
	if o.Arch == "" {
		o.Arch = u.Arch
	}
}

// coreOSUsr finds the /usr of a CoreOS, which no fstab names: there are two, one of them
// for the next update, and the newer one is taken.
func coreOSUsr(o *OS, found []Filesystem) *Filesystem {
	if o.Distro != "coreos" || slices.ContainsFunc(o.Mounts, func(m Mount) bool { return m.Point == "/usr" }) {
		return nil
	}
	var best *Filesystem
	for i, u := range found {
		if u.Role != Usr || u.OS.Distro != "coreos" {
			continue
		}
		if best == nil || u.OS.Major > best.OS.Major || u.OS.Major == best.OS.Major && u.OS.Minor > best.OS.Minor {
			best = &found[i]
		}
	}
	return best
}

// sameBtrfs reports whether two mountables are on one device, one of them at least as a
// subvolume. A volume group counts as a device.
func sameBtrfs(a, b string) bool {
	a, volA := strings.CutPrefix(a, "btrfsvol:")
	b, volB := strings.CutPrefix(b, "btrfsvol:")
	device := func(m string) string {
		l := strings.SplitN(m, "/", 4) // "", "dev", its name, and what follows
		return strings.Join(l[:min(3, len(l))], "/")
	}
	return (volA || volB) && device(a) == device(b)
}
