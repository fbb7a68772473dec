package appliance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gofish/internal/compression"
)

// Appliance is the files that qemu is started with.
type Appliance struct {
	Dir    string // where the files lie
	Kernel string
	Initrd string
	Root   string
	UUID   string // of the file system in Root
	Key    string // of the base; empty for a fixed appliance
	Fixed  bool   // found on a search path, not ours to change
	Mended bool   // it was damaged, and is now another one
}

// FindOptions tell Find where to look.
type FindOptions struct {
	Path     string                           // folders with fixed appliances, separated by colons; empty: only the cache
	CacheDir string                           // see CacheDir
	Binary   string                           // program that becomes /init; empty: this one
	Progress func(string)                     // gets a line for each long step; may be nil
	Deep     bool                             // something is wrong with the appliance: all of it is read
	Warn     func(format string, args ...any) // reports what was found damaged; may be nil
}

// Find returns the appliance to use: the first fixed one on the path if a path is
// given, else the cached one, which is built first if there is none. With an
// appliance in the cache it takes a few milliseconds and writes nothing.
func Find(ctx context.Context, o FindOptions) (*Appliance, error) {
	if o.Path != "" {
		return findFixed(o.Path)
	}
	c, err := openCache(CacheDir(o.CacheDir))
	if err != nil {
		return nil, err
	}
	c.deep = o.Deep
	dir, m, err := c.find()
	if err == nil {
		return c.assemble(dir, m, o.Binary)
	}
	b := BuildOptions{CacheDir: o.CacheDir, Binary: o.Binary, Progress: o.Progress, IfNone: true, deep: o.Deep}
	if m != nil && m.Source == "host" {
		b.Source = m.Source // as it was asked for then
	}
	var damage *Damage
	switch {
	case errors.As(err, &damage) && !damage.Imported:
		if o.Warn != nil {
			o.Warn("%v: another one takes its place", err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	a, err := Build(ctx, b)
	if err != nil && damage != nil {
		return nil, fmt.Errorf("%w: %w", damage, err)
	}
	if err == nil {
		a.Mended = damage != nil
	}
	return a, err
}

// Check reads all of the appliance in the cache, and says whether that is not what was built.
func Check(cacheDir string) (damage *Damage) {
	c := cache{dir: CacheDir(cacheDir), deep: true}
	_, _, err := c.find()
	errors.As(err, &damage)
	return damage
}

// usable: made by a builder that wanted the same as this one.
func (m *Manifest) usable() bool {
	return m.Source == "import" || m.Spec == spec(m.Source)
}

// findFixed searches a path as libguestfs does (LIBGUESTFS_PATH).
func findFixed(path string) (*Appliance, error) {
	var foreign []string
	for _, dir := range strings.Split(path, ":") {
		if dir == "" {
			dir = "."
		}
		whole := true
		for _, name := range []string{"README.fixed", "kernel", "initrd", "root"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				whole = false
			}
		}
		if !whole {
			if s := foreignAppliance(dir); s != "" {
				foreign = append(foreign, s)
			}
			continue
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		a := &Appliance{Dir: dir, Fixed: true,
			Kernel: filepath.Join(dir, "kernel"), Initrd: filepath.Join(dir, "initrd"), Root: filepath.Join(dir, "root")}
		if head := fileHead(a.Root, compression.HeadSize); strings.HasPrefix(head, "QFI\xfb") {
			return nil, fmt.Errorf("%s is in qcow2 format: convert it with qemu-img convert -O raw %[1]s %[1]s.raw, and rename that to root", a.Root)
		} else if kind := compression.Of([]byte(head)); kind != "" {
			return nil, fmt.Errorf("%s is packed with %s: unpack it, and name it root again", a.Root, kind)
		}
		a.UUID, err = rootUUID(a.Root)
		return a, err
	}
	err := fmt.Errorf("cannot find any suitable libguestfs supermin, fixed or old-style appliance on LIBGUESTFS_PATH (search path: %s)", path)
	if foreign != nil {
		err = fmt.Errorf("%w: %s: make a fixed one with libguestfs-make-fixed-appliance DIR and put DIR on the path, or unset the path to use gofish's own", err, strings.Join(foreign, ", "))
	}
	return nil, err
}

// foreignAppliance says what kind of appliance a folder holds that only libguestfs
// can start; empty if none.
func foreignAppliance(dir string) string {
	if fi, err := os.Stat(filepath.Join(dir, "supermin.d")); err == nil && fi.IsDir() {
		return filepath.Join(dir, "supermin.d") + " is a supermin appliance, which only libguestfs can build"
	}
	for _, kernel := range []string{"vmlinuz.*", "kernel.*"} {
		k, _ := filepath.Glob(filepath.Join(dir, kernel))
		i, _ := filepath.Glob(filepath.Join(dir, "initramfs.*"))
		if len(k) > 0 && len(i) > 0 {
			return dir + " holds an old-style appliance, which has no root image"
		}
	}
	return ""
}

// fileHead returns the first bytes of a file, fewer if it has no more.
func fileHead(name string, n int) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, n)
	n, _ = io.ReadFull(f, b)
	return string(b[:n])
}

// assemble completes a base with the initrd of a program.
func (c cache) assemble(dir string, m *Manifest, binary string) (*Appliance, error) {
	a := &Appliance{Dir: dir, Kernel: filepath.Join(dir, "kernel"), Root: filepath.Join(dir, "root"), UUID: m.UUID, Key: m.Key}
	if m.Initrd {
		a.Initrd = filepath.Join(dir, "initrd")
		return a, nil
	}
	var err error
	a.Initrd, a.Mended, err = initrdFor(dir, binary, c.deep)
	return a, err
}
