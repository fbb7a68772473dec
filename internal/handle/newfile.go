package handle

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// newFile is a file of the host that takes its name when it is complete. Until then it
// has none, where the file system can do that: whatever ends the program, nothing stays.
type newFile struct {
	*os.File
	dir  *os.File
	temp string // its name meanwhile, where a file must have one
}

// createIn makes a file in a directory.
func createIn(dir string) (*newFile, error) {
	d, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	n := &newFile{dir: d}
	fd, err := unix.Openat(int(d.Fd()), ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o666)
	if err == unix.EOPNOTSUPP || err == unix.EISDIR || err == unix.EINVAL || err == unix.ENOENT {
		n.temp = tempName()
		fd, err = unix.Openat(int(d.Fd()), n.temp, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o666)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	n.File = os.NewFile(uintptr(fd), dir)
	return n, nil
}

func tempName() string { return ".gofish-" + rand.Text()[:12] }

// commit gives the file its name in the directory, in place of what has it now, and
// closes it.
func (n *newFile) commit(base string) error {
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
	n.discard()
	return err
}

// discard closes a file that is not to be.
func (n *newFile) discard() {
	n.File.Close()
	if n.temp != "" {
		unix.Unlinkat(int(n.dir.Fd()), n.temp, 0)
	}
	n.dir.Close()
}

// Anonymous makes a file in a directory that never has a name: whatever ends the program,
// nothing stays.
func Anonymous(dir string) (*os.File, error) {
	n, err := createIn(dir)
	if err != nil {
		return nil, err
	}
	if n.temp != "" {
		unix.Unlinkat(int(n.dir.Fd()), n.temp, 0)
	}
	n.dir.Close()
	return n.File, nil
}

// replacement makes the file that will take the place of a host file, and tells under
// which name. nil: it has to be written where it is, for it is no regular file, or it
// has more to it than content and permission bits.
func replacement(name string) (n *newFile, base string) {
	if strings.HasPrefix(name, "/dev/") {
		return nil, ""
	}
	var st unix.Stat_t
	err := unix.Stat(name, &st)
	there := err == nil
	switch {
	case err == unix.ENOENT:
		if unix.Lstat(name, &st) == nil {
			return nil, "" // a link to what is not there yet
		}
	case err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 || hasAttributes(name) ||
		unix.Access(name, unix.W_OK) != nil:
		return nil, ""
	default:
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return nil, ""
		}
	}
	dir, base := filepath.Split(name)
	if base == "" || base == "." || base == ".." {
		return nil, ""
	}
	if n, err = createIn(filepath.Clean(dir)); err != nil {
		return nil, "" // a folder that cannot be written; what is wrong else shows when the file is opened
	}
	if there && !n.resemble(&st) {
		n.discard()
		return nil, ""
	}
	return n, base
}

// resemble gives the file the owner and permission bits of another.
func (n *newFile) resemble(old *unix.Stat_t) bool {
	fd := int(n.Fd())
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	if (st.Uid != old.Uid || st.Gid != old.Gid) && unix.Fchown(fd, int(old.Uid), int(old.Gid)) != nil {
		return false
	}
	return unix.Fchmod(fd, old.Mode&0o777) == nil
}

// hasAttributes reports whether a file has an access list or other attributes that a new
// one would lack. A label is given to new files by the system.
func hasAttributes(name string) bool {
	buf := make([]byte, 4096)
	n, err := unix.Listxattr(name, buf)
	if err != nil {
		return err == unix.ERANGE
	}
	for attr := range strings.SplitSeq(strings.TrimRight(string(buf[:n]), "\x00"), "\x00") {
		if attr != "" && attr != "security.selinux" {
			return true
		}
	}
	return false
}
