// Package untar turns tar archives into files and files into tar archives, by
// GNU tar's rules for what is already there. Where files go is decided by the
// caller, who resolves the directory of each member: neither the archive nor a
// link in the tree can lead out of it. The daemon uses it in the guest, the
// handle on the host.
package untar

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options say how an archive is unpacked.
type Options struct {
	// Parent opens the directory of a member, with O_PATH at least, and returns
	// the member's last component. The name is clean and relative.
	Parent func(name string) (dir *os.File, base string, err error)

	Owner       bool // set owner and group, by number
	Umask       bool // leave permission bits to the umask
	KeepDirLink bool // a link to a directory may stand for a directory
	// Attribute is asked for each extended attribute and the raw name of an
	// access list or SELinux label, and returns false to leave it out.
	Attribute func(name string) bool
	// ACL turns the text of an access list into the attribute's value.
	ACL func(text string) ([]byte, bool)
}

// Result is what was odd about an archive that was unpacked all the same.
type Result struct{ Complaints []string }

func (r *Result) complain(format string, args ...any) {
	if len(r.Complaints) < 100 {
		r.Complaints = append(r.Complaints, fmt.Sprintf(format, args...))
	}
}

type extractor struct {
	Options
	Result
	// Directories get their mode and times when all is in them, children first.
	dirs []*tar.Header
	// The directory of the last member, open while plain files follow each other.
	lastName string
	lastDir  *os.File
	buf      []byte
	umask    uint32
}

// forget closes the last directory: what stands at its name may change.
func (x *extractor) forget() {
	if x.lastDir != nil {
		x.lastDir.Close()
		x.lastDir = nil
	}
}

// opened is parent for a member of which the directory may be open already.
func (x *extractor) opened(name string) (*os.File, string, error) {
	if dir := path.Dir(name); x.lastDir == nil || dir != x.lastName {
		f, base, err := x.parent(name)
		if err != nil {
			return nil, "", err
		}
		x.forget()
		x.lastDir, x.lastName = f, dir
		return f, base, nil
	}
	return x.lastDir, path.Base(name), nil
}

// Extract unpacks an archive. The error is one that ended the work; complaints
// are about single members.
func Extract(r io.Reader, o Options) (Result, error) {
	x := &extractor{Options: o, buf: make([]byte, 64<<10)}
	defer x.forget()
	if o.Umask {
		x.umask = umask()
	}
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if errors.Is(err, tar.ErrInsecurePath) {
			err = nil // names are cleaned below
		}
		if err != nil {
			return x.Result, err
		}
		if err := x.member(h, t); err != nil {
			var broken *brokenArchive
			if errors.As(err, &broken) || fatal(err) {
				return x.Result, err
			}
			x.complain("%s: %v", h.Name, err)
		}
	}
	for i := len(x.dirs) - 1; i >= 0; i-- {
		h := x.dirs[i]
		if err := x.attributes(h, clean(h.Name)); err != nil {
			x.complain("%s: %v", h.Name, err)
		}
	}
	return x.Result, nil
}

// fatal reports whether it makes no sense to go on with the next member.
func fatal(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

// brokenArchive says that the archive, not the tree, is at fault.
type brokenArchive struct{ error }

func (b *brokenArchive) Unwrap() error { return b.error }

// clean takes leading slashes off a name, and refuses to climb: "" is the top.
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

var errDotDot = errors.New("Member name contains '..'")

func (x *extractor) member(h *tar.Header, content io.Reader) error {
	for _, part := range strings.Split(h.Name, "/") {
		if part == ".." {
			return errDotDot
		}
	}
	name := clean(h.Name)
	if name == "" {
		if h.Typeflag == tar.TypeDir {
			x.dirs = append(x.dirs, h)
		}
		return nil
	}
	dir, base, err := x.opened(name)
	if err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		defer x.forget()
	}
	fd := int(dir.Fd())
	switch h.Typeflag {
	case tar.TypeDir:
		return x.directory(h, fd, base)
	case tar.TypeReg, tar.TypeRegA, tar.TypeCont, tar.TypeGNUSparse:
		return x.file(h, fd, base, content)
	case tar.TypeLink:
		return x.hardLink(h, fd, base)
	case tar.TypeSymlink:
		err = replace(fd, base, func() error { return unix.Symlinkat(h.Linkname, fd, base) })
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		mode := uint32(h.Mode & 0o777)
		switch h.Typeflag {
		case tar.TypeChar:
			mode |= unix.S_IFCHR
		case tar.TypeBlock:
			mode |= unix.S_IFBLK
		default:
			mode |= unix.S_IFIFO
		}
		dev := int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
		err = replace(fd, base, func() error { return unix.Mknodat(fd, base, mode, dev) })
	default:
		return nil // a volume label and the like
	}
	if err != nil {
		return err
	}
	return x.attributesAt(h, fd, base)
}

// parent opens the directory of a member, making those that the archive lacks.
func (x *extractor) parent(name string) (*os.File, string, error) {
	dir, base, err := x.Parent(name)
	if !errors.Is(err, syscall.ENOENT) {
		return dir, base, err
	}
	above := path.Dir(name)
	if above == "." {
		return nil, "", err
	}
	up, last, err := x.parent(above)
	if err != nil {
		return nil, "", err
	}
	err = unix.Mkdirat(int(up.Fd()), last, 0o777)
	up.Close()
	if err != nil {
		return nil, "", err
	}
	return x.Parent(name)
}

// replace makes something, if need be after removing what is in its place.
func replace(fd int, base string, make func() error) error {
	err := make()
	if err != syscall.EEXIST {
		return err
	}
	if err := unix.Unlinkat(fd, base, 0); err == syscall.EISDIR {
		if err := unix.Unlinkat(fd, base, unix.AT_REMOVEDIR); err != nil {
			return syscall.EEXIST
		}
	} else if err != nil {
		return err
	}
	return make()
}

func (x *extractor) directory(h *tar.Header, fd int, base string) error {
	err := unix.Mkdirat(fd, base, 0o700)
	if err == syscall.EEXIST {
		var st unix.Stat_t
		if err := unix.Fstatat(fd, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		switch {
		case st.Mode&unix.S_IFMT == unix.S_IFDIR:
			err = nil
		case st.Mode&unix.S_IFMT == unix.S_IFLNK && x.KeepDirLink:
			return nil
		default:
			err = replace(fd, base, func() error { return unix.Mkdirat(fd, base, 0o700) })
		}
	}
	if err == nil {
		x.dirs = append(x.dirs, h)
	}
	return err
}

func (x *extractor) file(h *tar.Header, fd int, base string, content io.Reader) error {
	var n int
	err := replace(fd, base, func() (err error) {
		// Exclusive: what is written to is always a new file.
		n, err = unix.Openat(fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(h.Mode&0o777))
		return err
	})
	if err != nil {
		return err
	}
	defer unix.Close(n)
	sparse := h.Typeflag == tar.TypeGNUSparse || h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.name"] != ""
	if err := x.write(n, content, sparse); err != nil {
		return err
	}
	return x.attributesOf(h, n, fd, base)
}

// attributesOf gives a new file what it does not have already: each change of an
// inode is a transaction of the file system.
func (x *extractor) attributesOf(h *tar.Header, n, fd int, base string) error {
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return err
	}
	if x.Owner && (int(st.Uid) != h.Uid || int(st.Gid) != h.Gid) {
		if err := unix.Fchown(n, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	if mode := x.mode(h); st.Mode&0o7777 != mode || mode&0o7000 != 0 {
		if err := unix.Fchmod(n, mode); err != nil {
			return err
		}
	}
	if x.Attribute != nil && len(h.PAXRecords) > 0 {
		x.extended(h, fd, base)
	}
	times := stamps(h)
	// utimensat(2) without a path works on the descriptor.
	if _, _, e := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(n), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0); e != 0 {
		return e
	}
	return nil
}

// write copies the content; zero blocks of a sparse file become holes.
func (x *extractor) write(fd int, content io.Reader, sparse bool) error {
	buf := x.buf
	var size int64
	for {
		n, err := io.ReadFull(content, buf)
		if n > 0 {
			if !sparse || !zero(buf[:n]) {
				if err := writeAt(fd, buf[:n], size); err != nil {
					return err
				}
			}
			size += int64(n)
		}
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF && n < len(buf):
			if sparse {
				return unix.Ftruncate(fd, size)
			}
			return nil
		case err != nil:
			return &brokenArchive{err}
		}
	}
}

func writeAt(fd int, b []byte, off int64) error {
	for len(b) > 0 {
		n, err := unix.Pwrite(fd, b, off)
		if err != nil && err != unix.EINTR {
			return err
		}
		if n > 0 {
			b, off = b[n:], off+int64(n)
		}
	}
	return nil
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (x *extractor) hardLink(h *tar.Header, fd int, base string) error {
	from, last, err := x.Parent(clean(h.Linkname))
	if err != nil {
		return err
	}
	defer from.Close()
	return replace(fd, base, func() error { return unix.Linkat(int(from.Fd()), last, fd, base, 0) })
}

func (x *extractor) attributes(h *tar.Header, name string) error {
	if name == "" {
		name = "."
	}
	dir, base, err := x.Parent(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return x.attributesAt(h, int(dir.Fd()), base)
}

// attributesAt gives a member all that is not content.
func (x *extractor) attributesAt(h *tar.Header, fd int, base string) error {
	if x.Owner {
		if err := unix.Fchownat(fd, base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
	}
	if h.Typeflag != tar.TypeSymlink {
		if err := unix.Fchmodat(fd, base, x.mode(h), 0); err != nil {
			return err
		}
	}
	if x.Attribute != nil {
		x.extended(h, fd, base)
	}
	times := stamps(h)
	return unix.UtimesNanoAt(fd, base, times[:], unix.AT_SYMLINK_NOFOLLOW)
}

// mode is the permission bits that a member gets.
func (x *extractor) mode(h *tar.Header) uint32 {
	mode := uint32(h.Mode & 0o7777)
	if x.Umask {
		mode = mode & 0o777 &^ x.umask
	}
	return mode
}

// stamps are the times of access and change that a member gets.
func stamps(h *tar.Header) [2]unix.Timespec {
	stamp := func(t time.Time) unix.Timespec {
		ts, err := unix.TimeToTimespec(t)
		if err != nil || t.IsZero() {
			ts.Sec, ts.Nsec = 0, unix.UTIME_NOW
		}
		return ts
	}
	return [2]unix.Timespec{stamp(h.AccessTime), stamp(h.ModTime)}
}

func umask() uint32 {
	b, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(b), "Umask:")
	n, err := strconv.ParseUint(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]), 8, 32)
	if err != nil {
		return 0o022
	}
	return uint32(n)
}

// extended sets attributes from the records that GNU tar and star write.
func (x *extractor) extended(h *tar.Header, fd int, base string) {
	file := "/proc/self/fd/" + strconv.Itoa(fd) + "/" + base
	for key, value := range h.PAXRecords {
		name, data := "", []byte(value)
		switch {
		case strings.HasPrefix(key, "SCHILY.xattr."):
			name = strings.TrimPrefix(key, "SCHILY.xattr.")
		case key == "RHT.security.selinux":
			name, data = "security.selinux", append(data, 0)
		case (key == "SCHILY.acl.access" || key == "SCHILY.acl.default") && x.ACL != nil:
			name = "system.posix_acl_" + strings.TrimPrefix(key, "SCHILY.acl.")
			var ok bool
			if data, ok = x.ACL(value); !ok {
				x.complain("%s: cannot understand its access list", h.Name)
				continue
			}
		}
		if name == "" || !x.Attribute(name) {
			continue
		}
		if err := unix.Lsetxattr(file, name, data, 0); err != nil {
			x.complain("%s: cannot set %s: %v", h.Name, name, err)
		}
	}
}

// Create writes the tree at dir/base, or the file there, as an archive whose
// member names begin with base. Owners are numbers; sockets are left out.
func Create(w io.Writer, dir, base string) error {
	t := tar.NewWriter(w)
	links := map[[2]uint64]string{}
	if err := add(t, dir, base, links); err != nil {
		return err
	}
	return t.Close()
}

func add(t *tar.Writer, dir, name string, links map[[2]uint64]string) error {
	file := path.Join(dir, name)
	fi, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if fi.Mode()&os.ModeSocket != 0 {
		return nil
	}
	target := ""
	if fi.Mode()&os.ModeSymlink != 0 {
		if target, err = os.Readlink(file); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(nameless{fi}, target)
	if err != nil {
		return err
	}
	h.Name, h.Format = name, tar.FormatPAX
	if fi.IsDir() {
		h.Name += "/"
	}
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
	h.Uname, h.Gname = "", ""
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && st.Nlink > 1 && !fi.IsDir() {
		id := [2]uint64{uint64(st.Dev), st.Ino}
		if first, ok := links[id]; ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
		} else {
			links[id] = name
		}
	}
	if h.Typeflag != tar.TypeReg {
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if !fi.IsDir() {
			return nil
		}
		entries, err := os.ReadDir(file)
		for _, e := range entries {
			if err := add(t, dir, name+"/"+e.Name(), links); err != nil {
				return err
			}
		}
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.Copy(t, io.LimitReader(f, h.Size))
	if err == nil && n < h.Size {
		err = fmt.Errorf("%s: file shrank while it was read", file)
	}
	return err
}

// nameless hides the names of owner and group, which are not looked up.
type nameless struct{ os.FileInfo }

func (nameless) Uname() (string, error) { return "", nil }
func (nameless) Gname() (string, error) { return "", nil }
