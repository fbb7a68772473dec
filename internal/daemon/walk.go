package daemon

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	pathpkg "path"
	"strings"

	"golang.org/x/sys/unix"
)

// Ls0 sends the names in a directory, each ended by a zero byte, in the order of
// the directory: sorting is left to the client, which has the memory.
func (d Actions) Ls0(dir Path, filenames io.Writer) error {
	f, err := d.openDir(dir)
	if err != nil {
		return wrap(err, "opendir: %s", dir)
	}
	defer f.Close()
	w := bufio.NewWriter(filenames)
	err = eachDirent(f, func(_ uint64, _ byte, name string) error {
		if name == "." || name == ".." {
			return d.call.Err()
		}
		_, err := w.WriteString(name + "\x00")
		return err
	})
	if err != nil {
		return wrap(err, "readdir: %s", dir)
	}
	return w.Flush()
}

// openTree opens the directory where a walk starts.
func (d *Daemon) openTree(directory Path) (*os.File, error) {
	st, err := d.root.Stat(directory)
	if err != nil {
		return nil, wrap(err, "%s", directory)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil, fmt.Errorf("%s: not a directory", directory)
	}
	f, err := d.openDir(directory)
	return f, wrap(err, "%s", directory)
}

func (d Actions) Find0(directory Path, files io.Writer) error {
	top, err := d.openTree(directory)
	if err != nil {
		return err
	}
	defer top.Close()
	w := bufio.NewWriter(files)
	// libguestfs cuts the directory's name off each path: a leading slash
	// stays, except below the root.
	prefix := "/"
	if strings.HasSuffix(string(directory), "/") {
		prefix = ""
	}
	err = d.walk(top, directory, "", func(e *entry) error {
		_, err := w.WriteString(prefix + e.rel + "\x00")
		return err
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

func (d Actions) Du(c *Call, path Path) (int64, error) {
	st, err := d.root.Lstat(path)
	if err != nil {
		return 0, wrap(err, "%s: du: cannot access '%s'", path, path)
	}
	bytes := st.Blocks * 512
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		top, err := d.openDir(path)
		if err != nil {
			return 0, wrap(err, "%s", path)
		}
		defer top.Close()
		type file struct{ dev, ino uint64 }
		linked := map[file]bool{} // files with several names count once
		err = d.walk(top, path, "", func(e *entry) error {
			if err := c.Progress(0, 1); err != nil {
				return err
			}
			st, err := e.stat()
			if err != nil && gone(e.dir, e.name) {
				return nil
			}
			if err != nil {
				return wrap(err, "%s", pathpkg.Join(string(path), e.rel))
			}
			if st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
				id := file{uint64(st.Dev), st.Ino}
				if linked[id] {
					return nil
				}
				linked[id] = true
			}
			bytes += st.Blocks * 512
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return (bytes + 1023) / 1024, nil
}

// entry is what a walk finds.
type entry struct {
	dir  *os.File // the directory that holds it
	name string
	rel  string // path from the top of the walk
	typ  byte   // DT_…
	st   *unix.Stat_t
}

// stat reads the entry's status; a link is not followed.
func (e *entry) stat() (*unix.Stat_t, error) {
	if e.st == nil {
		var st unix.Stat_t
		if err := unix.Fstatat(int(e.dir.Fd()), e.name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return nil, err
		}
		e.st = &st
	}
	return e.st, nil
}

// open opens a regular file; a link is not followed.
func (e *entry) open() (*os.File, error) {
	fd, err := unix.Openat(int(e.dir.Fd()), e.name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), e.rel), nil
}

var errTooDeep = errors.New("directories are nested too deeply")

// A walk holds one descriptor for each level.
const maxDepth = 1000

// walk visits everything below a directory, parents first, in the order of the
// directories. It never follows a link, so it cannot leave the tree. A directory that
// cannot be read is an error that names it: its content would be missing.
func (d *Daemon) walk(top *os.File, directory Path, prefix string, fn func(*entry) error) error {
	w := walker{d, string(directory), prefix, fn}
	return w.level(top, "", 0)
}

// gone reports whether a name was removed since it was read from its directory. One that is
// still there but refers to nothing is damage.
func gone(dir *os.File, name string) bool {
	fd, err := unix.Openat(int(dir.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	again := os.NewFile(uintptr(fd), dir.Name())
	defer again.Close()
	there := false
	err = eachDirent(again, func(_ uint64, _ byte, n string) error {
		there = there || n == name
		return nil
	})
	return err == nil && !there
}

type walker struct {
	d                 *Daemon
	directory, prefix string
	fn                func(*entry) error
}

func (w *walker) level(dir *os.File, below string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s: %w", pathpkg.Join(w.directory, below), errTooDeep)
	}
	var failed error // for a nested call
	err := eachDirent(dir, func(_ uint64, typ byte, name string) error {
		if name != "." && name != ".." {
			failed = w.entry(&entry{dir: dir, name: name, rel: w.prefix + below + name, typ: typ}, below+name, depth)
		}
		return failed
	})
	if failed != nil {
		return failed
	}
	return wrap(err, "%s", pathpkg.Join(w.directory, below))
}

func (w *walker) entry(e *entry, below string, depth int) error {
	if e.typ == unix.DT_UNKNOWN {
		st, err := e.stat()
		if err != nil && gone(e.dir, e.name) {
			return nil
		}
		if err != nil {
			return wrap(err, "%s", pathpkg.Join(w.directory, below))
		}
		e.typ = byte(st.Mode & unix.S_IFMT >> 12) // DT_x is S_IFx >> 12
	}
	if err := w.d.call.Err(); err != nil {
		return err
	}
	if err := w.fn(e); err != nil {
		return err
	}
	if e.typ != unix.DT_DIR {
		return nil
	}
	fd, err := unix.Openat(int(e.dir.Fd()), e.name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil && gone(e.dir, e.name) {
		return nil
	}
	if err != nil {
		return wrap(err, "%s", pathpkg.Join(w.directory, below))
	}
	sub := os.NewFile(uintptr(fd), e.rel)
	defer sub.Close()
	return w.level(sub, below+"/", depth+1)
}
