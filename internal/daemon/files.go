package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	pathpkg "path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/guestroot"
)

// mode is a file mode from a client, refused if it is negative.
func checkMode(path Path, mode int) error {
	if mode < 0 {
		return fmt.Errorf("%s: mode is negative", path)
	}
	return nil
}

func (d Actions) Touch(path Path) error {
	st, err := d.root.Lstat(path)
	switch {
	case err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG:
		return fmt.Errorf("%s: touch can only be used on a regular files", path)
	case err != nil && err != syscall.ENOENT:
		return wrap(err, "lstat: %s", path)
	}
	f, err := d.open(path, unix.O_WRONLY|unix.O_CREAT, 0o666)
	if err != nil {
		return wrap(err, "open: %s", path)
	}
	defer f.Close()
	return wrap(unix.UtimesNanoAt(unix.AT_FDCWD, guestroot.FDPath(f), nil, 0), "futimens: %s", path)
}

func (d Actions) Ll(directory Path) (string, error)  { return d.list("-lan", directory) }
func (d Actions) Llz(directory Path) (string, error) { return d.list("-lanZ", directory) }

// list shows a directory as ls does, with numeric owners: the appliance does not
// know the guest's users.
func (d *Daemon) list(options string, directory Path) (string, error) {
	host, err := d.root.Host(directory)
	if err != nil {
		return "", wrap(err, "%s", directory)
	}
	t := Tool{Args: []string{"ls", options, "--", host}, Env: []string{"LC_ALL=C"}}
	return t.Output(d.call)
}

func (d Actions) Rm(path Path) error { return d.enter(path, unix.Unlink) }

func (d Actions) RmF(path Path) error {
	return d.enter(path, func(p string) error {
		if err := unix.Unlink(p); err != syscall.ENOENT {
			return err
		}
		return nil
	})
}

func (d Actions) RmRf(path Path) error {
	if pathpkg.Clean(string(path)) == "/" {
		return errors.New("cannot remove root directory")
	}
	return d.enter(path, func(p string) error { return os.RemoveAll(strings.TrimRight(p, "/")) })
}

func (d Actions) Rmdir(path Path) error { return d.enter(path, unix.Rmdir) }

func (d Actions) Mkdir(path Path) error {
	return d.enter(path, func(p string) error { return unix.Mkdir(p, 0o777) })
}

func (d Actions) MkdirMode(path Path, mode int) error {
	if err := checkMode(path, mode); err != nil {
		return err
	}
	return d.enter(path, func(p string) error { return unix.Mkdir(p, uint32(mode)) })
}

func (d Actions) MkdirP(path Path) error { return d.enter(path, mkdirAll) }

var errNotDir = errors.New("a path element was not a directory")

// mkdirAll makes a directory and those above it. Unlike os.MkdirAll it distinguishes
// a file in the place of the directory from one in the place of a parent.
func mkdirAll(p string) error {
	err := unix.Mkdir(p, 0o777)
	switch err {
	case syscall.EEXIST:
		var st unix.Stat_t
		if unix.Stat(p, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
			return errNotDir
		}
		return nil
	case syscall.ENOENT:
		parent := pathpkg.Dir(strings.TrimRight(p, "/"))
		if parent == p || parent == "/" {
			return err
		}
		if err := mkdirAll(parent); err != nil {
			return err
		}
		return unix.Mkdir(p, 0o777)
	}
	return err
}

func (d Actions) Mkdtemp(tmpl Path) (string, error) {
	return d.unique(tmpl, "", func(p string) error { return unix.Mkdir(p, 0o700) })
}

func (d Actions) Mktemp(tmpl Path, opts types.MktempOptions) (string, error) {
	suffix := ""
	if opts.Suffix != nil {
		if suffix = *opts.Suffix; !strings.HasSuffix(string(tmpl), "X") {
			return "", fmt.Errorf("template %s must end in X", tmpl)
		}
	}
	return d.unique(tmpl, suffix, func(p string) error {
		fd, err := unix.Open(p, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
		if err == nil {
			err = unix.Close(fd)
		}
		return err
	})
}

// unique fills the six X at the end of a template until make succeeds.
func (d *Daemon) unique(tmpl Path, suffix string, make func(p string) error) (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	stem, ok := strings.CutSuffix(string(tmpl), "XXXXXX")
	if !ok {
		return "", wrap(syscall.EINVAL, "%s", tmpl)
	}
	name := ""
	err := d.enter(tmpl, func(string) error {
		for range 10000 {
			b := []byte("XXXXXX")
			for i := range b {
				b[i] = letters[rand.IntN(len(letters))]
			}
			name = stem + string(b) + suffix
			if err := make(name); err != syscall.EEXIST {
				return err
			}
		}
		return syscall.EEXIST
	})
	return name, err
}

func (d Actions) Chmod(mode int, path Path) error {
	if err := checkMode(path, mode); err != nil {
		return err
	}
	err := d.root.Enter(func() error { return unix.Chmod(string(path), uint32(mode)) })
	return wrap(err, "%s: 0%o", path, mode)
}

func (d Actions) Chown(owner, group int, path Path) error {
	err := d.root.Enter(func() error { return unix.Chown(string(path), owner, group) })
	return wrap(err, "%s: %d.%d", path, owner, group)
}

func (d Actions) Lchown(owner, group int, path Path) error {
	err := d.root.Enter(func() error { return unix.Lchown(string(path), owner, group) })
	return wrap(err, "%s: %d.%d", path, owner, group)
}

func (d Actions) Exists(path Path) (bool, error) {
	_, err := d.root.Lstat(path)
	return err == nil, nil
}

func (d Actions) IsFile(path Path, opts types.IsFileOptions) (bool, error) {
	return d.isType(path, unix.S_IFREG, opts.FollowSymlinks)
}
func (d Actions) IsDir(path Path, opts types.IsDirOptions) (bool, error) {
	return d.isType(path, unix.S_IFDIR, opts.FollowSymlinks)
}
func (d Actions) IsChardev(path Path, opts types.IsChardevOptions) (bool, error) {
	return d.isType(path, unix.S_IFCHR, opts.FollowSymlinks)
}
func (d Actions) IsBlockdev(path Path, opts types.IsBlockdevOptions) (bool, error) {
	return d.isType(path, unix.S_IFBLK, opts.FollowSymlinks)
}
func (d Actions) IsFifo(path Path, opts types.IsFifoOptions) (bool, error) {
	return d.isType(path, unix.S_IFIFO, opts.FollowSymlinks)
}
func (d Actions) IsSocket(path Path, opts types.IsSocketOptions) (bool, error) {
	return d.isType(path, unix.S_IFSOCK, opts.FollowSymlinks)
}
func (d Actions) IsSymlink(path Path) (bool, error) {
	return d.isType(path, unix.S_IFLNK, nil)
}

func (d *Daemon) isType(path Path, typ uint32, followLinks *bool) (bool, error) {
	status := d.root.Lstat
	if isTrue(followLinks) {
		status = d.root.Stat
	}
	st, err := status(path)
	switch err {
	case nil:
		return st.Mode&unix.S_IFMT == typ, nil
	case syscall.ENOENT, syscall.ENOTDIR:
		return false, nil
	}
	return false, wrap(err, "stat: %s", path)
}

func (d Actions) Ln(target string, linkname Path) error  { return d.hardLink(target, linkname, false) }
func (d Actions) LnF(target string, linkname Path) error { return d.hardLink(target, linkname, true) }

func (d *Daemon) hardLink(target string, linkname Path, force bool) error {
	err := d.root.Enter(func() error {
		if force {
			unix.Unlink(string(linkname))
		}
		return unix.Link(target, string(linkname))
	})
	return wrap(err, "link: %s: %s", target, linkname)
}

func (d Actions) LnS(target string, linkname Path) error {
	return d.symbolicLink("ln -s", target, linkname, false)
}
func (d Actions) LnSf(target string, linkname Path) error {
	return d.symbolicLink("ln -sf", target, linkname, true)
}

// symbolicLink makes a link as ln does: inside linkname if that is a directory.
func (d *Daemon) symbolicLink(tool, target string, linkname Path, force bool) error {
	name := string(linkname)
	err := d.root.Enter(func() error {
		if enteredDir(name) {
			name = pathpkg.Join(name, pathpkg.Base(target))
		}
		err := unix.Symlink(target, name)
		if err == syscall.EEXIST && force {
			if err := unix.Unlink(name); err != nil {
				return err
			}
			err = unix.Symlink(target, name)
		}
		return err
	})
	return wrap(err, "%s: %s: %s: ln: failed to create symbolic link '%s'", tool, target, linkname, name)
}

// enteredDir reports, inside Enter, whether p is a directory or a link to one.
func enteredDir(p string) bool {
	var st unix.Stat_t
	return unix.Stat(p, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

func (d Actions) Readlink(path Path) (string, error) {
	var link string
	err := d.root.Enter(func() (err error) {
		link, err = os.Readlink(string(path))
		return err
	})
	return link, wrap(err, "readlink: %s", path)
}

func (d Actions) InternalReadlinklist(path Path, names []string) ([]string, error) {
	dir, err := d.openDir(path)
	if err != nil {
		return nil, wrap(err, "open: %s", path)
	}
	defer dir.Close()
	links := make([]string, len(names))
	buf := make([]byte, unix.PathMax+1)
	for i, name := range names {
		if err := checkFilename(name); err != nil {
			return nil, err
		}
		// A name that is not a link gets an empty string.
		if n, err := unix.Readlinkat(int(dir.Fd()), name, buf); err == nil {
			links[i] = string(buf[:n])
		}
	}
	return links, nil
}

// checkFilename refuses anything but a single component of a path.
func checkFilename(name string) error {
	if strings.Contains(name, "/") {
		return fmt.Errorf("'%s' is not a file name", name)
	}
	return nil
}

func (d Actions) Realpath(path Path) (string, error) {
	host, err := d.root.Host(path)
	return string(d.root.Guest(host)), wrap(err, "realpath: %s", path)
}

func (d Actions) CaseSensitivePath(path Path) (string, error) {
	var result string
	err := d.root.Enter(func() (err error) {
		result, err = caseSensitive(string(path))
		return err
	})
	return result, err
}

// caseSensitive finds, inside Enter, the true spelling of a path whose letters'
// case may be wrong, as on a Windows file system. The last component may be new.
func caseSensitive(path string) (string, error) {
	cur := "/"
	for rest := strings.TrimLeft(path, "/"); rest != ""; {
		name, after, more := strings.Cut(rest, "/")
		if name == "." || name == ".." {
			return "", errors.New("path contained . or .. elements")
		}
		found, err := findFold(cur, name)
		switch {
		case err != nil:
			return "", err
		case found == "" && more:
			return "", fmt.Errorf("%s: not found", name)
		case found == "":
			found = name
		}
		cur = pathpkg.Join(cur, found)
		if more && !enteredDir(cur) {
			return "", wrap(syscall.ENOTDIR, "chdir: %s", found)
		}
		rest = strings.TrimLeft(after, "/")
	}
	return cur, nil
}

// findFold finds a name in a directory: as it is, or else in other letter case;
// empty if there is neither.
func findFold(dir, name string) (string, error) {
	found := ""
	err := scanDir(dir, func(n string) bool {
		if n == name || found == "" && strings.EqualFold(n, name) {
			found = n
		}
		return n == name
	})
	return found, err
}

// scanDir passes the names in a directory to fn until it returns true.
func scanDir(dir string, fn func(name string) bool) error {
	return scanTypes(dir, func(name string, _ fs.FileMode) bool { return fn(name) })
}

// scanTypes is scanDir with the types that the folder records for its names.
func scanTypes(dir string, fn func(name string, typ fs.FileMode) bool) error {
	f, err := os.Open(dir)
	if err != nil {
		return errnoOf(err)
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(1024)
		for _, e := range entries {
			if fn(e.Name(), e.Type()) {
				return nil
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errnoOf(err)
		}
	}
}

func (d Actions) Rename(oldpath, newpath Path) error {
	err := d.root.Enter(func() error { return unix.Rename(string(oldpath), string(newpath)) })
	return wrap(err, "rename: %s: %s", oldpath, newpath)
}

func (d Actions) Mknod(mode, devmajor, devminor int, path Path) error {
	if err := checkMode(path, mode); err != nil {
		return err
	}
	return d.enter(path, func(p string) error {
		return unix.Mknod(p, uint32(mode), int(unix.Mkdev(uint32(devmajor), uint32(devminor))))
	})
}

func (d Actions) Mkfifo(mode int, path Path) error { return d.special(unix.S_IFIFO, mode, 0, 0, path) }

func (d Actions) MknodB(mode, devmajor, devminor int, path Path) error {
	return d.special(unix.S_IFBLK, mode, devmajor, devminor, path)
}
func (d Actions) MknodC(mode, devmajor, devminor int, path Path) error {
	return d.special(unix.S_IFCHR, mode, devmajor, devminor, path)
}

// special makes a node of one type; mode holds the permission bits only.
func (d Actions) special(typ, mode, devmajor, devminor int, path Path) error {
	if err := checkMode(path, mode); err != nil {
		return err
	}
	if mode&^0o7777 != 0 {
		return fmt.Errorf("%o: mode must specify only file permission bits", mode)
	}
	return d.Mknod(mode|typ, devmajor, devminor, path)
}

func (d Actions) Umask(mask int) (int, error) {
	if mask < 0 || mask > 0o777 {
		return 0, fmt.Errorf("0%o: mask negative or out of range", uint32(mask))
	}
	d.umaskMu.Lock()
	defer d.umaskMu.Unlock()
	return unix.Umask(mask), nil
}

func (d Actions) GetUmask() (int, error) {
	d.umaskMu.Lock()
	defer d.umaskMu.Unlock()
	// It can only be read by changing it.
	mask := unix.Umask(0o022)
	unix.Umask(mask)
	return mask, nil
}

func (d Actions) Utimens(path Path, atsecs, atnsecs, mtsecs, mtnsecs int64) error {
	stamp := func(sec, nsec int64) unix.Timespec {
		switch nsec {
		case -1:
			nsec = unix.UTIME_NOW
		case -2:
			nsec = unix.UTIME_OMIT
		}
		return unix.Timespec{Sec: sec, Nsec: nsec}
	}
	ts := []unix.Timespec{stamp(atsecs, atnsecs), stamp(mtsecs, mtnsecs)}
	err := d.root.Enter(func() error {
		return unix.UtimesNanoAt(unix.AT_FDCWD, string(path), ts, unix.AT_SYMLINK_NOFOLLOW)
	})
	return wrap(err, "utimensat: %s", path)
}

func (d Actions) CopyAttributes(src, dest Path, opts types.CopyAttributesOptions) error {
	on := func(b *bool) bool { return isTrue(b) || isTrue(opts.All) }
	return d.root.Enter(func() error {
		var st, dst unix.Stat_t
		if err := unix.Stat(string(src), &st); err != nil {
			return wrap(err, "stat: %s", src)
		}
		if err := unix.Stat(string(dest), &dst); err != nil {
			return wrap(err, "stat: %s", dest)
		}
		// Ownership first: changing it clears the set-user-ID bits.
		if on(opts.Ownership) {
			if err := unix.Chown(string(dest), int(st.Uid), int(st.Gid)); err != nil {
				return wrap(err, "chown: %s", dest)
			}
		}
		if on(opts.Mode) {
			if err := unix.Chmod(string(dest), st.Mode&0o7777); err != nil {
				return wrap(err, "chmod: %s", dest)
			}
		}
		if on(opts.XAttributes) {
			if err := copyXattrs(string(src), string(dest), true); err != nil {
				return err
			}
		}
		return nil
	})
}
