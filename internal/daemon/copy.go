package daemon

import (
	"fmt"
	"io"
	"os"
	pathpkg "path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func (d Actions) Cp(c *Call, src, dest Path) error {
	return d.copyTree(c, src, dest, &copier{tool: "cp"})
}
func (d Actions) CpR(c *Call, src, dest Path) error {
	return d.copyTree(c, src, dest, &copier{tool: "cp", recursive: true})
}
func (d Actions) CpA(c *Call, src, dest Path) error {
	return d.copyTree(c, src, dest, &copier{tool: "cp", recursive: true, preserve: true})
}

func (d *Daemon) copyTree(c *Call, src, dest Path, k *copier) error {
	k.pulse = func() error { return c.Progress(0, 1) }
	return d.root.Enter(func() error {
		st, err := k.stat(string(src))
		if err != nil {
			return k.fail(err, "cannot stat '%s'", src)
		}
		return k.copy(string(src), into(string(src), string(dest)), st)
	})
}

// into is where a copy goes: inside the destination if that is a directory.
func into(src, dest string) string {
	if enteredDir(dest) {
		return pathpkg.Join(dest, pathpkg.Base(src))
	}
	return dest
}

// Mv renames; between file systems it copies and then removes the original.
func (d Actions) Mv(c *Call, src, dest Path) error {
	k := &copier{tool: "mv", recursive: true, preserve: true, pulse: func() error { return c.Progress(0, 1) }}
	return d.root.Enter(func() error {
		var st unix.Stat_t
		if err := unix.Lstat(string(src), &st); err != nil {
			return k.fail(err, "cannot stat '%s'", src)
		}
		from, to := string(src), into(string(src), string(dest))
		err := unix.Rename(from, to)
		switch err {
		case nil:
			return nil
		case syscall.EXDEV:
			if err := k.copy(from, to, &st); err != nil {
				return err
			}
			return k.fail(os.RemoveAll(from), "cannot remove '%s'", from)
		case syscall.EINVAL:
			return fmt.Errorf("mv: cannot move '%s' to a subdirectory of itself, '%s'", from, to)
		case syscall.ENOTDIR:
			var dst unix.Stat_t
			if st.Mode&unix.S_IFMT == unix.S_IFDIR && unix.Lstat(to, &dst) == nil {
				return fmt.Errorf("mv: cannot overwrite non-directory '%s' with directory '%s'", to, from)
			}
		case syscall.EISDIR:
			return fmt.Errorf("mv: cannot overwrite directory '%s' with non-directory", to)
		}
		return wrap(err, "mv: cannot move '%s' to '%s'", from, to)
	})
}

// copier copies files and trees inside Enter, by the rules and with the messages
// of cp(1).
type copier struct {
	tool      string
	recursive bool // take directories, and copy links and devices as such
	preserve  bool // keep owner, times, all of the mode, attributes, hard links
	pulse     func() error
	depth     int
	links     map[[2]uint64]string // where a file with several names was copied to
	made      map[[2]uint64]bool   // directories made by this copy
}

// fail returns a message as cp prints it, ending in the error's text.
func (k *copier) fail(err error, format string, paths ...any) error {
	return wrap(err, k.tool+": "+format, paths...)
}

func (k *copier) stat(p string) (*unix.Stat_t, error) {
	var st unix.Stat_t
	if k.recursive {
		return &st, unix.Lstat(p, &st)
	}
	return &st, unix.Stat(p, &st)
}

func (k *copier) copy(src, dest string, st *unix.Stat_t) error {
	if err := k.pulse(); err != nil {
		return err
	}
	id := [2]uint64{uint64(st.Dev), st.Ino}
	var dst unix.Stat_t
	exists := unix.Lstat(dest, &dst) == nil
	isDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	if exists && dst.Dev == st.Dev && dst.Ino == st.Ino {
		return k.sameFile(src, dest)
	}
	if isDir {
		return k.copyDir(src, dest, st, exists)
	}
	if exists && dst.Mode&unix.S_IFMT == unix.S_IFDIR {
		return fmt.Errorf("%s: cannot overwrite directory '%s' with non-directory", k.tool, dest)
	}
	if k.preserve && st.Nlink > 1 {
		if first, ok := k.links[id]; ok {
			if exists {
				unix.Unlink(dest)
			}
			return k.fail(unix.Link(first, dest), "cannot create hard link '%s' to '%s'", dest, first)
		}
		if k.links == nil {
			k.links = map[[2]uint64]string{}
		}
		k.links[id] = dest
	}
	if st.Mode&unix.S_IFMT == unix.S_IFREG || !k.recursive {
		return k.copyFile(src, dest, st, exists, &dst)
	}
	if exists {
		if err := unix.Unlink(dest); err != nil {
			return k.fail(err, "cannot remove '%s'", dest)
		}
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		target, err := os.Readlink(src)
		if err == nil {
			err = unix.Symlink(target, dest)
		}
		if err != nil {
			return k.fail(err, "cannot create symbolic link '%s'", dest)
		}
	default:
		mode := st.Mode
		if !k.preserve {
			mode &^= 0o7000
		}
		if err := unix.Mknod(dest, mode, int(st.Rdev)); err != nil {
			return k.fail(err, "cannot create special file '%s'", dest)
		}
	}
	return k.keep(src, dest, st)
}

func (k *copier) sameFile(src, dest string) error {
	return fmt.Errorf("%s: '%s' and '%s' are the same file", k.tool, src, dest)
}

func (k *copier) copyDir(src, dest string, st *unix.Stat_t, exists bool) error {
	if !k.recursive {
		return fmt.Errorf("%s: -r not specified; omitting directory '%s'", k.tool, src)
	}
	if k.depth++; k.depth > maxDepth {
		return errTooDeep
	}
	defer func() { k.depth-- }()
	if exists && !enteredDir(dest) {
		return fmt.Errorf("%s: cannot overwrite non-directory '%s' with directory '%s'", k.tool, dest, src)
	}
	if strings.HasPrefix(pathpkg.Clean(dest)+"/", pathpkg.Clean(src)+"/") {
		return fmt.Errorf("%s: cannot copy a directory, '%s', into itself, '%s'", k.tool, src, dest)
	}
	if !exists {
		if err := unix.Mkdir(dest, st.Mode&0o1777|0o700); err != nil {
			return k.fail(err, "cannot create directory '%s'", dest)
		}
	}
	var now unix.Stat_t
	if k.made == nil {
		k.made = map[[2]uint64]bool{}
	}
	if unix.Lstat(dest, &now) == nil {
		k.made[[2]uint64{uint64(now.Dev), now.Ino}] = true
	}
	// Read all names first: a copy into the same tree must not see itself.
	var names []string
	if err := scanDir(src, func(n string) bool { names = append(names, n); return false }); err != nil {
		return k.fail(err, "cannot access '%s'", src)
	}
	for _, n := range names {
		from := pathpkg.Join(src, n)
		var st unix.Stat_t
		if err := unix.Lstat(from, &st); err != nil {
			return k.fail(err, "cannot stat '%s'", from)
		}
		if k.made[[2]uint64{uint64(st.Dev), st.Ino}] {
			return fmt.Errorf("%s: cannot copy a directory, '%s', into itself, '%s'", k.tool, src, dest)
		}
		if err := k.copy(from, pathpkg.Join(dest, n), &st); err != nil {
			return err
		}
	}
	if !exists && !k.preserve && st.Mode&0o700 != 0o700 {
		if err := unix.Chmod(dest, now.Mode&0o7777&^(^st.Mode&0o700)); err != nil {
			return k.fail(err, "setting permissions for '%s'", dest)
		}
	}
	return k.keep(src, dest, st)
}

func (k *copier) copyFile(src, dest string, st *unix.Stat_t, exists bool, dst *unix.Stat_t) error {
	if err := mayOpen(st); err != nil {
		return k.fail(err, "cannot open '%s' for reading", src)
	}
	in, err := os.Open(src)
	if err != nil {
		return k.fail(err, "cannot open '%s' for reading", src)
	}
	defer in.Close()
	if exists && dst.Mode&unix.S_IFMT == unix.S_IFLNK {
		var to unix.Stat_t
		if unix.Stat(dest, &to) != nil {
			return fmt.Errorf("%s: not writing through dangling symlink '%s'", k.tool, dest)
		}
		dst = &to
		if to.Dev == st.Dev && to.Ino == st.Ino {
			return k.sameFile(src, dest)
		}
	}
	if exists {
		if err := mayOpen(dst); err != nil {
			return k.fail(err, "cannot create regular file '%s'", dest)
		}
	}
	mode := st.Mode & 0o777
	if k.preserve {
		mode &= 0o700 // until it has its owner
	}
	fd, err := unix.Open(dest, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC|unix.O_NOCTTY, mode)
	if err != nil {
		return k.fail(err, "cannot create regular file '%s'", dest)
	}
	out := os.NewFile(uintptr(fd), dest)
	err = copySparse(out, in, st.Size, k.pulse)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		if !exists {
			unix.Unlink(dest) // leave no half of a file
		}
		return k.fail(err, "error copying '%s' to '%s'", src, dest)
	}
	return k.keep(src, dest, st)
}

// copySparse copies a file from its current position, with its holes, sharing blocks
// where the file system can.
func copySparse(out, in *os.File, size int64, pulse func() error) error {
	const piece = 16 << 20
	pos := int64(0)
	for {
		data, err := unix.Seek(int(in.Fd()), pos, unix.SEEK_DATA)
		if err == syscall.ENXIO {
			return out.Truncate(max(size, pos))
		}
		if err != nil { // a file system or device without holes
			data = pos
		}
		hole, err := unix.Seek(int(in.Fd()), data, unix.SEEK_HOLE)
		if err != nil {
			hole = 1 << 62
		}
		if _, err := in.Seek(data, io.SeekStart); err != nil {
			return err
		}
		if data > pos {
			if _, err := out.Seek(data, io.SeekStart); err != nil {
				return err
			}
		}
		for pos = data; pos < hole; {
			if err := pulse(); err != nil {
				return err
			}
			n, err := io.CopyN(out, in, min(piece, hole-pos))
			pos += n
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
}

// keep gives a copy the other attributes of the original.
func (k *copier) keep(src, dest string, st *unix.Stat_t) error {
	if !k.preserve {
		return nil
	}
	link := st.Mode&unix.S_IFMT == unix.S_IFLNK
	if err := unix.Lchown(dest, int(st.Uid), int(st.Gid)); err != nil {
		return k.fail(err, "failed to preserve ownership for '%s'", dest)
	}
	if !link {
		if err := unix.Chmod(dest, st.Mode&0o7777); err != nil {
			return k.fail(err, "preserving permissions for '%s'", dest)
		}
	}
	// A file system without attributes is not an error, as with cp -a.
	copyXattrs(src, dest, false)
	times := []unix.Timespec{st.Atim, st.Mtim}
	return k.fail(unix.UtimesNanoAt(unix.AT_FDCWD, dest, times, unix.AT_SYMLINK_NOFOLLOW), "preserving times for '%s'", dest)
}
