package inspect

import "slices"

// Combine puts together what single file systems told: a system that keeps /usr
// apart gets what is known from there, and a root that is found twice, under two
// names of one file system, is kept once. Each root has itself among its mounts.
func Combine(found []Filesystem) []Filesystem {
	for i := range found {
		f := &found[i]
		if f.Role != Root {
			continue
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
	// A root whose own fstab says that another one is its root is a copy of that:
	// the default subvolume seen under the device's name, or a snapshot.
	return slices.DeleteFunc(found, func(f Filesystem) bool {
		if f.Role != Root {
			return false
		}
		i := slices.IndexFunc(f.OS.Mounts, func(m Mount) bool { return m.Point == "/" })
		real := f.OS.Mounts[i].Mountable
		return real != f.Mountable && slices.ContainsFunc(found, func(o Filesystem) bool { return o.Role == Root && o.Mountable == real })
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
