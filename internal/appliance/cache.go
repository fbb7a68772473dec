package appliance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gofish/internal/proto"
	"gofish/internal/trust"
)

// The cache holds
//
//	current        link to the base that is in use
//	base-KEY/      kernel, root, boot/NN-name.ko, manifest.json, initrd-PROGRAM
//	apt/           private state of apt
//	tmp-*          being built, by the holder of the lock
//	lock           held while building, importing or pruning

// CacheDir is where appliances are kept. An explicit folder (set-cachedir) wins
// over GOFISH_CACHEDIR, that over LIBGUESTFS_CACHEDIR; since others may use such a
// folder too, a private one is made in it. Without a home directory it is in TMPDIR.
func CacheDir(explicit string) string {
	for _, d := range []string{explicit, os.Getenv("GOFISH_CACHEDIR"), os.Getenv("LIBGUESTFS_CACHEDIR")} {
		if d != "" {
			return filepath.Join(d, "gofish-"+strconv.Itoa(os.Geteuid()))
		}
	}
	if d := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "gofish")
	}
	// A service may have a HOME that does not exist.
	home := os.Getenv("HOME")
	if fi, err := os.Stat(home); filepath.IsAbs(home) && err == nil && fi.IsDir() {
		return filepath.Join(home, ".cache", "gofish")
	}
	return filepath.Join(os.TempDir(), "gofish-"+strconv.Itoa(os.Geteuid()))
}

// Manifest describes what a base was made from and what is in it.
type Manifest struct {
	Spec     string    `json:"spec"`   // what the builder wanted; another spec needs another base
	Key      string    `json:"key"`    // content it was made from
	Source   string    `json:"source"` // apt, host or import
	Made     time.Time `json:"made"`
	Kernel   string    `json:"kernel"` // version
	PVH      bool      `json:"pvh"`    // the kernel is an ELF file with a PVH entry
	UUID     string    `json:"uuid"`
	Sizes    []Part    `json:"sizes"`             // kernel, root
	Files    []Content `json:"files,omitempty"`   // all of the base but the initrds of programs
	Largest  []Part    `json:"largest"`           // largest parts of the root image
	Missing  []string  `json:"missing,omitempty"` // packages or programs that could not be had
	Disabled []string  `json:"disabled,omitempty"`
	Packages []Package `json:"packages,omitempty"`
	Initrd   bool      `json:"initrd,omitempty"` // an imported initrd is used as it is
}

// Part is a file, a package or a folder with its size in bytes.
type Part struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Content describes a file of a base as it was made. It never changes later.
type Content struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Sum   string `json:"sum"`   // SHA-256
	Wrote int64  `json:"wrote"` // time of its last change, in seconds
}

type cache struct {
	dir  string
	deep bool // the content of files is read to see whether they are whole
}

// Damage is an appliance whose files are not what was built.
type Damage struct {
	Dir, What string
	Imported  bool // it cannot be built anew
}

func (e *Damage) Error() string {
	text := fmt.Sprintf("the appliance in %s is damaged: %s", e.Dir, e.What)
	if e.Imported {
		text += ": import it again, or remove it with gofish appliance prune --all, so that one is built"
	}
	return text
}

// openCache makes the cache if need be and refuses one that others can change:
// what is in it is run.
func openCache(dir string) (cache, error) {
	c := cache{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return c, fmt.Errorf("appliance cache: %w: set GOFISH_CACHEDIR to a folder that you can write", err)
	}
	return c, c.trusted(dir)
}

// OpenCache returns the folder that CacheDir names, made if need be and checked:
// what is in it is run, so nobody else may have made it or be able to change it.
func OpenCache(explicit string) (string, error) {
	c, err := openCache(CacheDir(explicit))
	return c.dir, err
}

// trusted refuses a folder that another user could have put in place of ours.
func (c cache) trusted(dir string) error {
	err := trust.Folder(dir, 0o022)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w, so its appliances cannot be trusted: remove it, or set GOFISH_CACHEDIR to a folder of your own", err)
}

func (c cache) base(key string) string { return filepath.Join(c.dir, "base-"+key) }

// find returns the base to use: the current one, or if that is of another version of
// gofish, the newest of those that this version would make. The error is fs.ErrNotExist if
// there is none, then m is the current one; or a *Damage.
func (c cache) find() (dir string, m *Manifest, err error) {
	current, m, err := c.current()
	others := m != nil && !m.usable() // be it damaged or not
	if !others && !errors.Is(err, fs.ErrNotExist) {
		return current, m, err
	}
	dir, own := c.spare()
	if own == nil {
		return "", m, fs.ErrNotExist
	}
	return dir, own, nil
}

// spare is the newest base that this version would make and that is whole; nil if there is none.
func (c cache) spare() (dir string, own *Manifest) {
	bases, _ := filepath.Glob(c.base("*"))
	for _, b := range bases {
		if c.trusted(b) != nil {
			continue
		}
		if other, err := c.open(b); err == nil && other.Source != "import" && other.usable() && (own == nil || other.Made.After(own.Made)) {
			dir, own = b, other
		}
	}
	return dir, own
}

// current is the base that was made or imported last; fs.ErrNotExist if there is none.
func (c cache) current() (dir string, m *Manifest, err error) {
	to, err := os.Readlink(filepath.Join(c.dir, "current"))
	if err != nil || filepath.Base(to) != to || !strings.HasPrefix(to, "base-") {
		return "", nil, fs.ErrNotExist // not a link, or one that leads outside: not ours
	}
	dir = filepath.Join(c.dir, to)
	if err := c.trusted(dir); err != nil {
		return "", nil, err
	}
	m, err = c.open(dir)
	return dir, m, err
}

// open reads what a base was made of, and sees whether it is still that.
func (c cache) open(dir string) (*Manifest, error) {
	m, err := readManifest(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Damage{Dir: dir, What: "it has no manifest.json"}
	case err != nil && proto.ErrnoOf(err) != 0:
		return nil, err
	case err != nil:
		return nil, &Damage{Dir: dir, What: err.Error()}
	case c.base(m.Key) != dir:
		return nil, &Damage{Dir: dir, What: "its manifest.json is of another one"}
	}
	if what := m.damage(dir, c.deep); what != "" {
		return m, &Damage{dir, what, m.Source == "import"}
	}
	return m, nil
}

// damage says which file of a base is not what it was, empty if none. What has its size and
// time is only read if deep.
func (m *Manifest) damage(dir string, deep bool) string {
	files := m.Files
	if files == nil { // made by an earlier version
		for _, p := range m.Sizes {
			files = append(files, Content{Name: p.Name, Bytes: p.Bytes})
		}
	}
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		fi, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return f.Name + " is missing"
		case err != nil || !fi.Mode().IsRegular():
			return f.Name + " is not a file"
		case fi.Size() != f.Bytes:
			return fmt.Sprintf("%s has %d bytes and not %d", f.Name, fi.Size(), f.Bytes)
		case f.Sum == "" || !deep && fi.ModTime().Unix() == f.Wrote:
			continue
		case fileSum(name) != f.Sum:
			return f.Name + " has another content"
		case fi.ModTime().Unix() != f.Wrote: // a copy: it need not be read again
			os.Chtimes(name, time.Time{}, time.Unix(f.Wrote, 0))
		}
	}
	return ""
}

// seal writes the manifest of a base that is complete.
func (m *Manifest) seal(dir string) error {
	names := []string{"kernel", "root"}
	if m.Initrd {
		names = append(names, "initrd")
	}
	modules, err := os.ReadDir(filepath.Join(dir, "boot"))
	if err != nil {
		return err
	}
	for _, e := range modules {
		names = append(names, filepath.Join("boot", e.Name()))
	}
	m.Sizes, m.Files = nil, nil
	for i, name := range names {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		m.Files = append(m.Files, Content{name, fi.Size(), fileSum(filepath.Join(dir, name)), fi.ModTime().Unix()})
		if i < 2 {
			m.Sizes = append(m.Sizes, Part{name, fi.Size()})
		}
	}
	j, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), append(j, '\n'), 0o644)
}

func readManifest(dir string) (*Manifest, error) {
	b, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return nil, err
	}
	m := new(Manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	return m, nil
}

// use makes a base the current one.
func (c cache) use(key string) error {
	tmp := filepath.Join(c.dir, "tmp-current-"+strconv.Itoa(os.Getpid()))
	os.Remove(tmp)
	if err := os.Symlink("base-"+key, tmp); err != nil {
		return err
	}
	current := filepath.Join(c.dir, "current")
	err := os.Rename(tmp, current)
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.EEXIST) { // a copy that followed the link
		if err = removeAll(current); err == nil {
			err = os.Rename(tmp, current)
		}
	}
	return err
}

// lock waits for other processes that build. It returns the undo, which the kernel does
// too if this process dies.
func (c cache) lock(ctx context.Context, progress func(string)) (unlock func(), waited bool, err error) {
	f, err := os.OpenFile(filepath.Join(c.dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, false, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, waited, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			f.Close()
			return nil, waited, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if !waited {
			waited = true
			progress("another process is building the appliance, waiting for it")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, waited, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// sweep removes what killed builds left. Call it under the lock.
func (c cache) sweep() {
	l, _ := filepath.Glob(filepath.Join(c.dir, "tmp-*"))
	for _, p := range l {
		removeAll(p)
	}
	l, _ = filepath.Glob(filepath.Join(c.dir, "base-*", "tmp-*"))
	for _, p := range l {
		if c.trusted(filepath.Dir(p)) != nil {
			continue
		}
		// Initrds are written without the lock; one in the making is young.
		if fi, err := os.Stat(p); err == nil && time.Since(fi.ModTime()) > time.Hour {
			os.Remove(p)
		}
	}
}

// removeAll also removes folders that their owner may not write.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// holds reports whether there is a base of this key, and all of it is as it was made.
func (c cache) holds(key string) bool {
	c.deep = true
	_, err := c.open(c.base(key))
	return err == nil
}

// publish makes a finished folder appear under its name, or drops it if another
// one is there already.
func (c cache) publish(tmp, key string) error {
	if err := syncTree(tmp); err != nil {
		return err
	}
	dst := c.base(key)
	if err := os.Rename(tmp, dst); err != nil {
		if c.holds(key) {
			return removeAll(tmp)
		}
		// There is a folder, but it is not an appliance, or it is damaged.
		if err := removeAll(dst); err != nil {
			return err
		}
		if err := os.Rename(tmp, dst); err != nil {
			return err
		}
	}
	return syncPath(c.dir)
}

// room fails if the cache's file system has less than n free bytes.
func (c cache) room(n int64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(c.dir, &st); err != nil {
		return nil // then the build will fail by itself
	}
	if free := int64(st.Bavail) * st.Bsize; free < n {
		return fmt.Errorf("%s: the next step of building the appliance takes up to %d MB, and only %d MB are free: make room, or set GOFISH_CACHEDIR to a folder on another disk", c.dir, n>>20, free>>20)
	}
	return nil
}

func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		return syncPath(p)
	})
}

func syncPath(p string) error {
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("sync %s: %w", p, err)
	}
	return nil
}

func diskUse(fi fs.FileInfo) int64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return fi.Size()
}
