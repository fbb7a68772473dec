package appliance

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"gofish/internal/newfile"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/cpio"
)

// Entry is an appliance in the cache.
type Entry struct {
	Manifest
	Dir     string    `json:"dir"`
	Current bool      `json:"current"` // the one that Find returns
	Stale   bool      `json:"stale"`   // made by a builder that wanted something else
	Initrds []Part    `json:"initrds"`
	Used    time.Time `json:"used"` // when its newest initrd was written
	Disk    int64     `json:"disk"` // total bytes on disk
}

// List returns what is in the cache, the current appliance first.
func List(cacheDir string) ([]Entry, error) {
	c := cache{dir: CacheDir(cacheDir)}
	if err := c.trusted(c.dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	dirs, _ := filepath.Glob(filepath.Join(c.dir, "base-*"))
	current, _, err := c.find()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		current, _, _ = c.current()
	case err != nil && !errors.As(err, new(*Damage)):
		return nil, err
	}
	var l []Entry
	for _, dir := range dirs {
		m, err := readManifest(dir)
		if err != nil {
			continue // not finished, or not ours; prune removes it
		}
		e := Entry{Manifest: *m, Dir: dir, Current: dir == current, Stale: !m.usable(), Used: m.Made}
		filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			fi, err := d.Info()
			if err != nil {
				return nil
			}
			e.Disk += diskUse(fi)
			if strings.HasPrefix(d.Name(), "initrd") {
				e.Initrds = append(e.Initrds, Part{d.Name(), fi.Size()})
				if fi.ModTime().After(e.Used) {
					e.Used = fi.ModTime()
				}
			}
			return nil
		})
		l = append(l, e)
	}
	sort.SliceStable(l, func(i, j int) bool {
		if l[i].Current != l[j].Current {
			return l[i].Current
		}
		return l[i].Made.After(l[j].Made)
	})
	return l, nil
}

// Prune removes everything but the appliance in use with the initrd of this program, or
// the newest one if it has none, and the one that another version has made current; with
// all, these too. It returns the number of bytes that became free.
func Prune(ctx context.Context, cacheDir string, all bool, progress func(string)) (int64, error) {
	c := cache{dir: CacheDir(cacheDir)}
	if err := c.trusted(c.dir); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	if progress == nil {
		progress = func(string) {}
	}
	unlock, _, err := c.lock(ctx, progress)
	if err != nil {
		return 0, err
	}
	defer unlock()
	inside, _ := filepath.Glob(filepath.Join(c.dir, "base-*"))
	for _, dir := range append(inside, filepath.Join(c.dir, "templates"), filepath.Join(c.dir, "apt"), filepath.Join(c.dir, "apt", "archives")) {
		if err := c.trusted(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	before := treeUse(c.dir)
	var current, linked string // what this version uses, and what another one may
	if !all {
		var err error
		if linked, _, err = c.current(); err != nil {
			linked = ""
		}
		if current, _, err = c.find(); err != nil {
			current = linked
		}
	}
	if linked == "" {
		os.Remove(filepath.Join(c.dir, "current"))
	}
	c.sweep()
	removeAll(filepath.Join(c.dir, "apt", "archives"))
	PruneTemplates(filepath.Join(c.dir, "templates"), 0, "")
	if all {
		removeAll(filepath.Join(c.dir, "apt"))
	}
	bases, _ := filepath.Glob(filepath.Join(c.dir, "base-*"))
	for _, b := range bases {
		if b != current && b != linked {
			if err := removeAll(b); err != nil {
				return 0, err
			}
		}
	}
	if current != "" {
		initrds, _ := filepath.Glob(filepath.Join(current, "initrd-*"))
		sort.Slice(initrds, func(i, j int) bool { return modTime(initrds[i]).After(modTime(initrds[j])) })
		if own := ownInitrd(current); slices.Contains(initrds, own) {
			initrds = slices.DeleteFunc(initrds, func(f string) bool { return f == own })
		} else if len(initrds) > 0 {
			initrds = initrds[1:]
		}
		for _, f := range initrds {
			os.Remove(f)
		}
	}
	return max(0, before-treeUse(c.dir)), nil
}

// ownInitrd is where this program's initrd of a base lies or would lie.
func ownInitrd(dir string) string {
	f, err := os.Open(self)
	if err != nil {
		return ""
	}
	defer f.Close()
	id, err := programID(f)
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "initrd-"+id)
}

func modTime(p string) time.Time {
	fi, err := os.Stat(p)
	if err != nil {
		return time.Time{}
	}
	return fi.ModTime()
}

func treeUse(dir string) (n int64) {
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			if fi, err := d.Info(); err == nil {
				n += diskUse(fi)
			}
		}
		return nil
	})
	return n
}

const readmeFixed = `This is an appliance of gofish, complete in four files. It does not depend on the
distribution of the machine it is used on (x86-64).

Any program that uses libguestfs can run it:

    export LIBGUESTFS_PATH=/path/to/this/folder

and so can gofish, which also takes it into its own cache with

    gofish appliance import /path/to/this/folder

kernel  Linux, as an uncompressed ELF file that qemu enters through PVH
initrd  gofish as /init, and the modules that reach the disk "root"
root    ext4, the distribution's tools; only read, may be shared by many
`

// Export writes an appliance into a folder, as a fixed appliance that libguestfs
// accepts. README.fixed comes last: a folder without it is not an appliance.
func Export(ctx context.Context, a *Appliance, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, "README.fixed")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	files := [][2]string{{a.Kernel, "kernel"}, {a.Initrd, "initrd"}, {a.Root, "root"}}
	if !a.Fixed {
		files = append(files, [2]string{filepath.Join(a.Dir, "manifest.json"), "manifest.json"})
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := copySparse(f[0], filepath.Join(dir, f[1])); err != nil {
			return fmt.Errorf("export %s: %w", f[1], err)
		}
	}
	return os.WriteFile(filepath.Join(dir, "README.fixed"), []byte(readmeFixed), 0o644)
}

// copySparse copies a file, which has its name when it is complete. Runs of zeros become
// holes.
func copySparse(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return newfile.Write(to, 0o644, func(out *os.File) error {
		if err := writeSparse(out, in); err != nil {
			return err
		}
		return out.Chmod(0o644) // whatever the umask is
	})
}

func writeSparse(out *os.File, in io.Reader) error {
	buf := make([]byte, 64<<10)
	zero := make([]byte, len(buf))
	var off int64
	for {
		n, err := io.ReadFull(in, buf)
		if n > 0 && !bytes.Equal(buf[:n], zero[:n]) {
			if _, err := out.WriteAt(buf[:n], off); err != nil {
				return err
			}
		}
		off += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return out.Truncate(off)
		}
		if err != nil {
			return err
		}
	}
}

// Import takes an exported appliance (a folder, or a tar archive that may be
// packed with gzip, xz, zstd or bzip2) into the cache and makes it the current one.
// If its initrd is one of ours, the modules in it are used with this program.
func Import(ctx context.Context, from string, o BuildOptions) (*Appliance, error) {
	progress := o.Progress
	if progress == nil {
		progress = func(string) {}
	}
	c, err := openCache(CacheDir(o.CacheDir))
	if err != nil {
		return nil, err
	}
	unlock, _, err := c.lock(ctx, progress)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c.sweep()
	tmp, err := os.MkdirTemp(c.dir, "tmp-import-")
	if err != nil {
		return nil, err
	}
	defer removeAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return nil, err
	}
	progress("appliance: reading " + from)
	if err := readExport(ctx, from, tmp); err != nil {
		return nil, fmt.Errorf("import %s: %w", from, err)
	}
	m, err := importManifest(tmp)
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", from, err)
	}
	if err := c.publish(tmp, m.Key); err != nil {
		return nil, err
	}
	if err := c.use(m.Key); err != nil {
		return nil, err
	}
	dir, m, err := c.current()
	if err != nil {
		return nil, err
	}
	return c.assemble(dir, m, o.Binary)
}

// exported are the files an export consists of; no others are taken.
var exported = map[string]bool{"kernel": true, "initrd": true, "root": true, "README.fixed": true, "manifest.json": true}

func readExport(ctx context.Context, from, to string) error {
	fi, err := os.Stat(from)
	if err != nil {
		return err
	}
	if fi.IsDir() {
		for name := range exported {
			if err := copySparse(filepath.Join(from, name), filepath.Join(to, name)); err != nil && !(name == "manifest.json" && errors.Is(err, fs.ErrNotExist)) {
				return err
			}
		}
		return nil
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := decompressor(bufio.NewReaderSize(f, 1<<20))
	if errors.Is(err, errNotCompressed) {
		if _, err = f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r = bufio.NewReaderSize(f, 1<<20)
	} else if err != nil {
		return err
	}
	tr := tar.NewReader(r)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		name := filepath.Base(h.Name)
		if h.Typeflag != tar.TypeReg || !exported[name] {
			continue
		}
		out, err := os.OpenFile(filepath.Join(to, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		err = writeSparse(out, tr)
		if cerr := out.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// importManifest checks the files of an import and writes its manifest.
func importManifest(dir string) (*Manifest, error) {
	m := new(Manifest)
	if old, err := readManifest(dir); err == nil {
		m = old
	}
	m.Source, m.Made, m.Initrd = "import", time.Now().UTC().Truncate(time.Second), false
	h := sha256.New()
	for _, name := range []string{"README.fixed", "kernel", "initrd", "root"} {
		if !exists(filepath.Join(dir, name)) {
			return nil, fmt.Errorf("it has no %s", name)
		}
		sum := fileSum(filepath.Join(dir, name))
		fmt.Fprintln(h, name, sum)
	}
	m.Key = hex.EncodeToString(h.Sum(nil)[:8])
	var err error
	if m.UUID, err = rootUUID(filepath.Join(dir, "root")); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "boot"), 0o755); err != nil {
		return nil, err
	}
	if n, err := bootModulesOf(filepath.Join(dir, "initrd"), filepath.Join(dir, "boot")); err != nil || n == 0 {
		m.Initrd = true // somebody else's: used as it is
	} else if err := os.Remove(filepath.Join(dir, "initrd")); err != nil {
		return nil, err
	}
	return m, m.seal(dir)
}

// bootModulesOf extracts and counts the modules in an initrd of ours.
func bootModulesOf(initrd, to string) (n int, err error) {
	f, err := os.Open(initrd)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	err = cpio.Each(bufio.NewReaderSize(f, 1<<20), func(name string, mode uint32, size int64, content io.Reader) error {
		base, ok := strings.CutPrefix(name, "modules/")
		if !ok || strings.Contains(base, "/") || !strings.HasSuffix(base, ".ko") || mode&unix.S_IFMT != unix.S_IFREG {
			return nil
		}
		out, err := os.OpenFile(filepath.Join(to, base), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		defer out.Close()
		n++
		_, err = io.Copy(out, content)
		return err
	})
	return n, err
}
