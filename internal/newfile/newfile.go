// Package newfile makes files that get their name when they are complete. Until then they
// have none, if the file system supports that, so nothing is left however the program ends.
// The handle uses it on the host, the daemon in the guest.
package newfile

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// File is a new file without its name.
type File struct {
	*os.File
	dir  *os.File
	temp string // its name until then, where a file must have one
}

// Create makes a file, with the permission bits that the umask leaves, in an open directory; O_PATH is enough. The directory is closed with the file.
func Create(dir *os.File, perm uint32) (*File, error) {
	n := &File{dir: dir}
	d := int(dir.Fd())
	fd, err := unix.Openat(d, ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, perm)
	if err == unix.EOPNOTSUPP || err == unix.EISDIR || err == unix.EINVAL || err == unix.ENOENT {
		n.temp = tempName()
		fd, err = unix.Openat(d, n.temp, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, perm)
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	n.File = os.NewFile(uintptr(fd), dir.Name())
	return n, nil
}

// CreateIn is Create for a directory by its name.
func CreateIn(dir string, perm uint32) (*File, error) {
	d, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	n, err := Create(d, perm)
	if err != nil {
		return nil, &os.PathError{Op: "create a file in", Path: dir, Err: err}
	}
	return n, nil
}

// Anonymous makes a file in a directory that never gets a name, so nothing is left however
// the program ends.
func Anonymous(dir string) (*os.File, error) {
	n, err := CreateIn(dir, 0o600)
	if err != nil {
		return nil, err
	}
	return n.Nameless(), nil
}

// Write makes a file with what write puts in it, in place of one of that name. When it takes
// the name, it is on the disk.
func Write(name string, perm uint32, write func(*os.File) error) error {
	n, err := CreateIn(filepath.Dir(name), perm)
	if err != nil {
		return err
	}
	if err = write(n.File); err == nil {
		err = n.Sync()
	}
	if err != nil {
		n.Discard()
		return err
	}
	if err := n.Commit(filepath.Base(name)); err != nil {
		return &os.PathError{Op: "rename", Path: name, Err: err}
	}
	return nil
}

func tempName() string { return ".gofish-" + rand.Text()[:12] }

// Commit gives the file its name in the directory, in place of what has it now, and
// closes it.
func (n *File) Commit(base string) error {
	d := int(n.dir.Fd())
	var err error
	if n.temp == "" {
		me := "/proc/self/fd/" + strconv.Itoa(int(n.Fd()))
		err = unix.Linkat(unix.AT_FDCWD, me, d, base, unix.AT_SYMLINK_FOLLOW)
		if err == unix.EEXIST {
			n.temp = tempName()
			err = unix.Linkat(unix.AT_FDCWD, me, d, n.temp, unix.AT_SYMLINK_FOLLOW)
		}
	}
	if err == nil {
		err = n.File.Close()
	}
	if err == nil && n.temp != "" {
		if err = unix.Renameat(d, n.temp, d, base); err == nil {
			n.temp = ""
		}
	}
	n.Discard()
	return err
}

// Discard closes and drops the file.
func (n *File) Discard() {
	n.Nameless()
	n.File.Close()
}

// Nameless returns the file, which then never gets a name.
func (n *File) Nameless() *os.File {
	if n.temp != "" {
		unix.Unlinkat(int(n.dir.Fd()), n.temp, 0)
	}
	n.dir.Close()
	return n.File
}

// Resemble gives the file the owner and permission bits of another.
func (n *File) Resemble(old *unix.Stat_t) error {
	fd := int(n.Fd())
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	if err == nil && (st.Uid != old.Uid || st.Gid != old.Gid) {
		err = unix.Fchown(fd, int(old.Uid), int(old.Gid))
	}
	if err == nil {
		err = unix.Fchmod(fd, old.Mode&0o777)
	}
	return err
}

// Memory makes a file that is in memory only, for a program that reads a secret, or something
// else that should not be on a disk, from a file.
func Memory(content string) (*os.File, error) {
	fd, err := unix.MemfdCreate("gofish", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "memory")
	if _, err := f.WriteAt([]byte(content), 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
