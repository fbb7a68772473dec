package inspect

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// NixOS keeps everything in /nix; its root directory may be next to empty, or exist only
// in memory.

const nixProfiles = "/nix/var/nix/profiles/"

// nixSystem is what a NixOS starts next: the newest generation, or one that was chosen. If
// that is gone, it is the newest one that is there.
func (g *Guest) nixSystem() string {
	const chosen = nixProfiles + "system"
	if g.isDir(chosen) {
		return chosen
	}
	best, generation := chosen, 0
	for _, name := range g.names(nixProfiles) {
		number, ok := strings.CutPrefix(strings.TrimSuffix(name, "-link"), "system-")
		if n, err := strconv.Atoi(number); ok && err == nil && n > generation && g.isDir(nixProfiles+name) {
			best, generation = nixProfiles+name, n
		}
	}
	return best
}

// hasNixSystem reports whether a file system has a NixOS in its /nix.
func (g *Guest) hasNixSystem() bool { return g.isDir("/nix/store") && g.isDir(g.nixSystem()) }

// InMemory stands for an empty root directory, in which there are only places for other
// file systems.
const InMemory = ""

// settle gives a system its root directory that was found at the top of a btrfs, where its
// store is seen at /nix too: that is what its fstab says, if it names another subvolume.
func (i *inspection) settle() {
	for n := 0; n < len(i.found); n++ {
		f := i.found[n]
		if f.Role != Root || !f.storeOnly || f.OS.claimed == "" || f.OS.claimed == f.Mountable {
			continue
		}
		i.move(f.OS)
		i.found = slices.DeleteFunc(i.found, func(o Filesystem) bool { return o.Mountable == f.Mountable })
		n = -1 // they are others now
	}
}

// move adds a system at the place that its fstab claims for it, unless it was found there.
func (i *inspection) move(o *OS) {
	at := slices.IndexFunc(i.found, func(f Filesystem) bool { return f.Mountable == o.claimed })
	if at >= 0 && i.found[at].Role == Root {
		return
	}
	o.place()
	f := Filesystem{Mountable: o.claimed, Role: Root, OS: o}
	if at >= 0 {
		i.found[at] = f
	} else {
		i.found = append(i.found, f)
	}
}

// place puts the root directory where the fstab claims it to be.
func (o *OS) place() {
	for n := range o.Mounts {
		if o.Mounts[n].Point == "/" {
			o.Mounts[n].Mountable = o.claimed
		}
	}
}

// fromStore describes a NixOS by its store alone.
func (i *inspection) fromStore(store string) *OS {
	f, err := i.examine([]Mount{{InMemory, "/"}, {store, "/nix"}})
	if err != nil || f.Role != Root || f.storeElsewhere {
		return nil
	}
	return f.OS
}

// rootless looks for the root directories of stores that belong to no system. What has none
// to be mounted is told, as is a /usr whose root directory is made when it starts.
func (i *inspection) rootless() {
	var usr *Filesystem
	for n := range i.found {
		f := &i.found[n]
		if f.Role == Root {
			usr = nil
			break
		}
		if f.Role == Usr && (usr == nil || i.newer(f, usr) > 0) {
			usr = f
		}
	}
	if usr != nil {
		i.warnings = append(i.warnings, i.devs.show(usr.Mountable)+": "+shorten(cmp.Or(usr.OS.Product, usr.OS.Distro, "a system"), 48)+
			" is in this /usr, but its root directory is made or filled only when it starts, so that it cannot be mounted as a whole")
	}
	for n := range i.found {
		f := i.found[n]
		if f.Role != store || i.taken(f.Mountable) {
			continue
		}
		o := i.fromStore(f.Mountable)
		switch {
		case o == nil:
		case o.claimed != "":
			i.move(o)
		default:
			where := "is not here"
			if o.inMemory {
				where = "is in memory"
			}
			i.warnings = append(i.warnings, i.devs.show(f.Mountable)+": "+shorten(cmp.Or(o.Product, "a NixOS"), 48)+
				" is in this store, but its root directory "+where+", so that it cannot be mounted as a whole")
		}
	}
}
