package handle

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/diskimage"
	"gofish/internal/proto"
)

// chain follows what a disk image names, before qemu opens it: a link that is missing
// or leads in a circle is reported in our words, and from an image that somebody else made
// (untrusted) only what lies beside it is opened.
type chain struct {
	untrusted bool
	named     []string // real paths that the caller named
	warn      func(format string, args ...any)
}

// maxChain is how many files an image may lead to, one way or another.
const maxChain = 1000

// chainLink is an image on the way.
type chainLink struct {
	path   string // as qemu gets it
	format string // empty: qemu finds out
	from   string // how it came in, for messages; empty for the drive itself
	least  int64  // the size that the image naming it needs
}

// shortBy is how much may be missing in the last piece of an image that is whole.
const shortBy = 64 << 10

type fileID struct{ dev, ino uint64 }

// check follows an image of a format, and returns the regular files that it is made of.
// top is how the caller calls it.
func (c *chain) check(top, path, format string) ([]hostFile, error) {
	left := maxChain
	var files []hostFile
	var down func(at chainLink, above []fileID) error
	down = func(at chainLink, above []fileID) error {
		if left--; left < 0 {
			return fmt.Errorf("it leads to more than %d other files", maxChain)
		}
		next, file, err := c.follow(at)
		if err == nil && slices.Contains(above, file.id) {
			err = fmt.Errorf("the chain of backing files leads back to %s: mend it with qemu-img rebase -u", at.path)
		}
		if err != nil {
			return fmt.Errorf("%s%w", at.from, err)
		}
		above = append(above, file.id)
		if file.size > 0 {
			files = append(files, file)
		}
		for _, n := range next {
			if err := down(n, above); err != nil {
				return err
			}
		}
		return nil
	}
	if err := down(chainLink{path: path, format: format}, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", top, err)
	}
	return files, nil
}

// follow opens one image and returns the files that it names.
// The size of anything but a regular file is 0.
func (c *chain) follow(at chainLink) ([]chainLink, hostFile, error) {
	file := hostFile{path: at.path}
	f, err := os.OpenFile(at.path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, file, errText{proto.ErrnoOf(err)}
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, file, errText{proto.ErrnoOf(err)}
	}
	if !fi.Mode().IsRegular() && fi.Mode().Type() != os.ModeDevice {
		return nil, file, fmt.Errorf("not a disk image (%s)", fi.Mode().Type())
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, file, errText{proto.ErrnoOf(err)}
	}
	if file.id = (fileID{st.Dev, st.Ino}); fi.Mode().IsRegular() {
		file.size = st.Size
	}
	found := diskimage.Probe(f)
	switch {
	case at.format == "":
		at.format = found
		if err := c.mayProbe(at.path, found); err != nil {
			return nil, file, err
		}
	case at.format == "qcow2" && found != "qcow2", at.format == "vmdk" && found == "qcow2":
		return nil, file, fmt.Errorf("is not in %s format, as is said of it, but %s", at.format, found)
	}
	if at.format == "qcow2" {
		err = cutOff(f)
	} else if end := diskimage.End(at.format, f, cutOffTime/4); fi.Mode().IsRegular() && end > fi.Size()+shortBy {
		err = errCutOff(end, fi.Size())
	}
	if fi.Mode().IsRegular() && fi.Size()+shortBy < at.least {
		err = errCutOff(at.least, fi.Size())
	}
	if err != nil {
		return nil, file, err
	}
	refs, err := diskimage.Refs(at.format, f)
	if err != nil {
		return nil, file, err
	}
	var next []chainLink
	for _, ref := range refs {
		l, err := c.resolve(f, at, ref)
		if err != nil {
			return nil, file, err
		}
		next = append(next, l...)
	}
	return next, file, nil
}

// resolve finds the files behind a name in an image, which is open as f, if they may be
// opened.
func (c *chain) resolve(f *os.File, at chainLink, ref diskimage.Ref) ([]chainLink, error) {
	what := fmt.Sprintf("its %s %s", ref.Kind, ref.Name)
	if at.from != "" {
		what = fmt.Sprintf("the %s of %s, %s", ref.Kind, at.path, ref.Name)
	}
	places, err := diskimage.Resolve(at.path, ref.Name)
	elsewhere := func(p diskimage.Place) bool { return !c.mayOpen(at.path, p) }
	if c.untrusted && (err != nil || slices.ContainsFunc(places, elsewhere)) {
		return nil, fmt.Errorf("%s is not opened: the image is not trusted, and that file is not beside it. Add that file as a drive too, or leave out --untrusted", what)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	var next []chainLink
	for _, p := range places {
		format := ref.Format
		if p.Format != "" {
			format = p.Format
		}
		if c.untrusted && format != "" && format != "raw" && diskimage.Extensions[format] == nil {
			return nil, fmt.Errorf("%s is not opened: %s is not an image format: leave out --untrusted if you trust it", what, format)
		}
		if p.Path == "" {
			continue // qemu reports whether it is there
		}
		if ref.Kind != diskimage.Backing && (ref.Kind == diskimage.Data || !p.Relative) {
			c.warn("%s has its data in %s, which it names itself", at.path, p.Path)
		}
		link := chainLink{path: p.Path, format: format, from: what + ": "}
		if ref.Kind == diskimage.Extent && format == "raw" {
			link.least = diskimage.FlatEnd(f, ref.Name)
		}
		next = append(next, link)
	}
	return next, nil
}

// mayOpen reports whether an image that is not trusted may have a place opened: a
// regular file beside it or in a folder there, also once links are followed, or
// one that the caller has named.
func (c *chain) mayOpen(image string, p diskimage.Place) bool {
	if p.Path == "" {
		return false
	}
	real, err := filepath.EvalSymlinks(p.Path)
	if err != nil {
		return p.Relative // it is not there, and that will be said
	}
	if slices.Contains(c.named, real) {
		return true
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(image))
	if err != nil {
		return false
	}
	fi, err := os.Stat(real)
	return err == nil && fi.Mode().IsRegular() && p.Relative && strings.HasPrefix(real, strings.TrimSuffix(dir, "/")+"/")
}

// mayProbe refuses, for an image that is not trusted, a format that was found in its
// header alone: a guest can write the header of a qcow2 to its raw disk.
func (c *chain) mayProbe(path, format string) error {
	if !c.untrusted || format == "raw" || slices.Contains(diskimage.Extensions[format], strings.ToLower(filepath.Ext(path))) {
		return nil
	}
	return fmt.Errorf("begins like an image in %s format, which a guest could have written to a raw disk: say --format=raw or --format=%[1]s", format)
}

// chainOf is how the images of a handle are followed. more are drives on their way in.
func (h *Handle) chainOf(more ...*Drive) *chain {
	c := &chain{untrusted: h.untrusted(), warn: h.Warn}
	for _, d := range append(slices.Clone(h.drives), more...) {
		if d.Protocol == "" && d.abs != "" {
			c.named = append(c.named, d.abs)
		}
	}
	return c
}

// untrusted reports whether images are of strangers.
func (h *Handle) untrusted() bool {
	_, set := h.Settings.setting("untrusted")
	return set || h.Settings.Untrusted
}

// warnOfDuplicates warns about images that are given twice: the guest would find two disks with
// the same labels, UUIDs and volumes.
func (h *Handle) warnOfDuplicates() {
	seen := map[fileID]string{}
	for _, d := range h.drives {
		var st unix.Stat_t
		if d.Protocol != "" || d.abs == "" || d.abs == os.DevNull || unix.Stat(d.abs, &st) != nil {
			continue
		}
		id := fileID{st.Dev, st.Ino}
		if other, ok := seen[id]; ok {
			h.Warn("%s is given twice (the first time as %s): its labels, UUIDs and volumes are there twice too", d.Name, other)
		}
		seen[id] = d.Name
	}
}
