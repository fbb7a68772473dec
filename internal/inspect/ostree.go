package inspect

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"gofish/internal/api"
)

// deployment is a tree that OSTree has built in a folder: it becomes a system's
// root directory when it is started.
type deployment struct {
	path string // /ostree/deploy/OS/deploy/CHECKSUM.SERIAL
	os   string
	made int64
}

// bootEntry is an entry in a boot loader's menu (Boot Loader Specification).
type bootEntry struct {
	version int
	link    string // to the deployment
	chosen  bool   // by the loader's configuration
}

// maxDeployments bounds how many are examined: systems keep two or three of each.
const maxDeployments = 16

// some lists the content of a folder, up to what a system would have there.
func (g *Guest) some(dir string) []string {
	l := g.names(dir)
	slices.Sort(l)
	return l[:min(len(l), maxDeployments)]
}

// ostree lists the deployments on a file system, and the links that boot entries name.
func (g *Guest) ostree(f *Filesystem) {
	const top = "/ostree/deploy/"
	if !g.isDir(top) {
		return
	}
	for _, os := range g.some(top) {
		for _, n := range g.some(top + os + "/deploy") {
			dir := top + os + "/deploy/" + n
			if fi, err := g.stat(dir); err == nil && g.isDir(dir+"/usr") {
				f.deployments = append(f.deployments, deployment{dir, os, fi.ModTime().Unix()})
			}
		}
	}
	f.links = map[string]string{}
	for _, boot := range g.some("/ostree") {
		if !strings.HasPrefix(boot, "boot.") {
			continue
		}
		for _, os := range g.some("/ostree/" + boot) {
			for _, sum := range g.some("/ostree/" + boot + "/" + os) {
				dir := "/ostree/" + boot + "/" + os + "/" + sum
				for _, n := range g.some(dir) {
					if t := g.readLink(dir + "/" + n); t != "" {
						f.links[dir+"/"+n] = path.Join(dir, t)
					}
				}
			}
		}
	}
}

// bootEntries reads a boot loader's entries for OSTree.
func (g *Guest) bootEntries() (l []bootEntry) {
	for _, loader := range []string{"/loader", "/boot/loader"} {
		dir, chosen := loader+"/entries", ""
		for _, line := range g.linesOf(loader+"/loader.conf", maxSmall) {
			if w := strings.Fields(line); len(w) > 1 && w[0] == "default" {
				chosen = strings.TrimSuffix(w[1], ".conf")
			}
		}
		for _, n := range g.some(dir) {
			name, ok := strings.CutSuffix(n, ".conf")
			if !ok {
				continue
			}
			var e bootEntry
			e.chosen, _ = path.Match(chosen, name)
			for _, line := range g.linesOf(dir+"/"+n, maxSmall) {
				w := strings.Fields(line)
				if len(w) > 1 && w[0] == "version" {
					e.version, _ = strconv.Atoi(w[1])
				}
				for _, arg := range w {
					if link, ok := strings.CutPrefix(arg, "ostree="); ok && w[0] == "options" {
						e.link = path.Clean(link)
					}
				}
			}
			if e.link != "" {
				l = append(l, e)
			}
		}
	}
	// The highest version starts by default.
	slices.SortStableFunc(l, func(a, b bootEntry) int {
		return cmp.Or(compareBool(b.chosen, a.chosen), cmp.Compare(b.version, a.version))
	})
	return l
}

// deployed replaces a file system with deployments by the system that its boot loader starts,
// whose root directory is a folder.
func (i *inspection) deployed(f *Filesystem) {
	if len(f.deployments) == 0 || f.Role == Root {
		return
	}
	d, boot := i.started(f)
	root := i.folder(f.Mountable, d.path)
	mounts := []Mount{{root, "/"}, {f.Mountable, "/sysroot"}, {i.folder(f.Mountable, "/ostree/deploy/"+d.os+"/var"), "/var"}}
	if boot != "" {
		mounts = append(mounts, Mount{boot, "/boot"})
	}
	if sys, err := i.examine(mounts); err == nil && sys.Role == Root {
		*f = Filesystem{Mountable: root, Role: Root, OS: sys.OS}
	}
}

// started finds the deployment that is started, and the file system with the boot loader's files.
func (i *inspection) started(f *Filesystem) (d deployment, boot string) {
	by := func(p string) int {
		return slices.IndexFunc(f.deployments, func(d deployment) bool { return d.path == p })
	}
	sources := []*Filesystem{f}
	for _, near := range []bool{true, false} {
		for n := range i.found {
			if b := &i.found[n]; b != f && len(b.entries) > 0 && i.near(f.Mountable, b.Mountable) == near {
				sources = append(sources, b)
			}
		}
	}
	for _, b := range sources {
		for _, e := range b.entries {
			if n := by(f.links[e.link]); n >= 0 {
				boot = b.Mountable
				if b == f {
					boot = i.folder(f.Mountable, "/boot")
				}
				return f.deployments[n], boot
			}
		}
	}
	// Nothing says which one, so take the newest.
	return slices.MaxFunc(f.deployments, func(a, b deployment) int { return cmp.Compare(a.made, b.made) }), ""
}

// folder is the mountable of a folder on one. Paths on a btrfs start at its top.
func (i *inspection) folder(mountable, dir string) string {
	dev, at := i.devs.of(mountable)
	if dev == nil {
		return ""
	}
	if at == "" {
		at = dev.Subvolumes[dev.Default]
	}
	return api.FolderPrefix + dev.Name + path.Join("/", at, dir)
}
