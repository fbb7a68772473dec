// Package untar turns tar archives into files and files into tar archives, by
// GNU tar's rules for existing files. Everything goes below one directory:
// members are reached by descriptors, name by name, and a link is followed only
// by the caller, who keeps it inside. The daemon uses it in the guest, the
// handle on the host.
package untar

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/newfile"
)

// Options say how an archive is unpacked.
type Options struct {
	// Top is the directory that members go into; O_PATH is enough.
	Top *os.File
	// Follow opens the directory that a link in a member's way leads to, by its
	// name below the top. Without it a member cannot be reached through links.
	Follow func(name string) (*os.File, error)

	Owner       bool // set owner and group, by number
	Umask       bool // leave permission bits to the umask
	Whole       bool // no file gets its name before it is complete, however the program ends
	KeepDirLink bool // a link to a directory may be used as a directory
	// Privileged also creates devices, and sets set-user-ID and set-group-ID bits.
	Privileged bool
	// Attribute is asked for each extended attribute and the raw name of an
	// access list or SELinux label, and returns false to leave it out.
	Attribute func(name string) bool
	// ACL turns the text of an access list into the attribute's value.
	ACL func(text string) ([]byte, bool)

	remember int // how many directories wait for their attributes; 0: maxPending
}

// Result is what was odd about an archive that was unpacked anyway.
type Result struct {
	Complaints []string
	Devices    int  // device nodes that were left out for lack of Privileged
	SetID      int  // members that lost a set-user-ID or set-group-ID bit
	Ended      bool // the archive has its end mark
}

func (r *Result) complain(format string, args ...any) {
	if len(r.Complaints) < 100 {
		r.Complaints = append(r.Complaints, fmt.Sprintf(format, args...))
	}
}

type extractor struct {
	Options
	Result
	folders folders
	// Directories get their mode and times when they are complete, children first.
	pending []pendingDir
	settle  int // how many of them may wait
	buf     []byte
	umask   uint32
}

// pendingDir is a directory that still gets its attributes, if what is at its
// name is still the one that was created.
type pendingDir struct {
	name     string
	attrs    attributes
	dev, ino uint64
}

// maxPending bounds the memory that directories take.
const maxPending = 1 << 16

// Extract unpacks an archive. An error is one that ended the work; complaints
// are about single members.
func Extract(r io.Reader, o Options) (Result, error) {
	if o.remember == 0 {
		o.remember = maxPending
	}
	x := &extractor{Options: o, buf: make([]byte, 64<<10), settle: o.remember}
	x.folders.top, x.folders.follow = int(o.Top.Fd()), o.Follow
	defer x.folders.leave(0)
	if o.Umask {
		x.umask = umask()
	}
	t := newReader(r)
	for {
		m, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return x.Result, err
		}
		if err := x.member(m, t); err != nil {
			var broken *brokenArchive
			if errors.As(err, &broken) || fatal(err) {
				return x.Result, fmt.Errorf("%s: %w", m.Name, err)
			}
			x.complain("%s: %v", m.Name, err)
		}
	}
	x.Ended = t.ended
	x.settleAll("")
	return x.Result, nil
}

// settleAll gives the directories that are waiting their attributes, except those
// in which the member of that name is.
func (x *extractor) settleAll(member string) {
	kept := []pendingDir{}
	for i := len(x.pending) - 1; i >= 0; i-- {
		d := x.pending[i]
		if member != "" && (d.name == "" || d.name == member || strings.HasPrefix(member, d.name+"/")) {
			kept = append(kept, d)
			continue
		}
		if err := x.settleDir(d); err != nil {
			x.complain("%s: %v", d.name, err)
		}
	}
	slices.Reverse(kept)
	x.pending, x.settle = kept, max(x.remember, 2*len(kept))
}

func (x *extractor) settleDir(d pendingDir) error {
	fd := x.folders.top
	if d.name != "" {
		up, err := x.folders.enter(path.Dir(d.name))
		if err != nil {
			return err
		}
		fd, err = openFolder(up, path.Base(d.name))
		if err == unix.ENOTDIR || err == unix.ELOOP || err == unix.ENOENT {
			return nil // a later member took its place
		}
		if err != nil {
			return err
		}
		defer unix.Close(fd)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if d.name != "" && (uint64(st.Dev) != d.dev || st.Ino != d.ino) {
		return nil
	}
	return x.apply(&d.attrs, fd, &st)
}

// fatal reports whether it makes no sense to continue with the next member.
func fatal(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

// brokenArchive is for errors that are the fault of the archive, not of the tree.
type brokenArchive struct{ error }

func (b *brokenArchive) Unwrap() error { return b.error }

// clean removes leading slashes from a name, and refuses names that lead above the top, which is "".
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

var errDotDot = errors.New("member name contains '..'")

func (x *extractor) member(m *member, content io.Reader) error {
	h := m.Header
	for part := range strings.SplitSeq(h.Name, "/") {
		if part == ".." {
			return errDotDot
		}
	}
	name := clean(h.Name)
	if name == "" {
		if h.Typeflag == tar.TypeDir {
			x.pending = append(x.pending, pendingDir{attrs: x.attributesOf(h)})
		}
		return nil
	}
	if len(x.pending) >= x.settle {
		x.settleAll(name)
	}
	dir, base := path.Split(name)
	fd, err := x.folders.make(strings.TrimSuffix(dir, "/"))
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return x.directory(h, fd, name, base)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return x.file(m, fd, base, content)
	case tar.TypeLink:
		return x.hardLink(h, fd, base)
	case tar.TypeSymlink:
		err = replace(fd, base, func() error { return unix.Symlinkat(h.Linkname, fd, base) })
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		mode := uint32(h.Mode&0o777) | unix.S_IFIFO
		if h.Typeflag != tar.TypeFifo {
			if !x.Privileged {
				x.Devices++
				return nil
			}
			mode = uint32(h.Mode&0o777) | unix.S_IFCHR
			if h.Typeflag == tar.TypeBlock {
				mode = uint32(h.Mode&0o777) | unix.S_IFBLK
			}
		}
		dev := int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
		err = replace(fd, base, func() error { return unix.Mknodat(fd, base, mode, dev) })
	default:
		return nil // a volume label or similar
	}
	if err != nil {
		return err
	}
	// The new file is opened with O_PATH: no link is followed, and no
	// device or FIFO is opened.
	n, err := unix.Openat(fd, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(n)
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return err
	}
	a := x.attributesOf(h)
	return x.apply(&a, n, &st)
}

// replace creates something, if necessary after removing what is in its place.
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

func (x *extractor) directory(h *tar.Header, fd int, name, base string) error {
	mkdir := func() error { return unix.Mkdirat(fd, base, 0o700) }
	err := mkdir()
	if err != nil && err != syscall.EEXIST {
		return err
	}
	there := err != nil
	made, err := openFolder(fd, base)
	if there && err == unix.ENOTDIR {
		if x.KeepDirLink {
			if _, err := x.folders.enter(name); err == nil {
				return nil // a link that leads to a directory
			}
			if fd, err = x.folders.enter(path.Dir(name)); err != nil {
				return err
			}
		}
		if err := replace(fd, base, mkdir); err != nil {
			return err
		}
		made, err = openFolder(fd, base)
	}
	if err != nil {
		return err
	}
	defer unix.Close(made)
	var st unix.Stat_t
	if err := unix.Fstat(made, &st); err != nil {
		return err
	}
	if st.Mode&0o700 != 0o700 && int(st.Uid) == os.Geteuid() && st.Uid != 0 {
		// It already existed, and its members must go in.
		if err := unix.Chmod(procPath(made), st.Mode&0o7777|0o700); err != nil {
			return err
		}
	}
	x.pending = append(x.pending, pendingDir{name, x.attributesOf(h), uint64(st.Dev), st.Ino})
	return nil
}

func (x *extractor) file(m *member, fd int, base string, content io.Reader) error {
	var old unix.Stat_t
	if err := unix.Fstatat(fd, base, &old, unix.AT_SYMLINK_NOFOLLOW); x.Whole || err == nil && old.Mode&unix.S_IFMT == unix.S_IFREG {
		return x.wholeFile(m, fd, base, content)
	}
	var n int
	err := replace(fd, base, func() (err error) {
		// Exclusive: always write to a new file.
		n, err = unix.Openat(fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(m.Mode&0o777))
		return err
	})
	if err != nil {
		return err
	}
	defer unix.Close(n)
	err = x.write(n, m, content)
	if err != nil {
		unix.Unlinkat(fd, base, 0) // half a file is worse than none
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return err
	}
	a := x.attributesOf(m.Header)
	return x.apply(&a, n, &st)
}

// wholeFile makes a file that gets its name when it is complete. An existing file keeps the
// name until then.
func (x *extractor) wholeFile(m *member, fd int, base string, content io.Reader) error {
	up, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	f, err := newfile.Create(os.NewFile(uintptr(up), "."), uint32(m.Mode&0o777))
	if err != nil {
		return err
	}
	n := int(f.Fd())
	var st unix.Stat_t
	if err = x.write(n, m, content); err == nil {
		err = unix.Fstat(n, &st)
	}
	if err == nil {
		a := x.attributesOf(m.Header)
		err = x.apply(&a, n, &st)
	}
	if err != nil {
		f.Discard()
		return err
	}
	// An empty folder is replaced, as with GNU tar; nothing else is.
	if err := unix.Unlinkat(fd, base, unix.AT_REMOVEDIR); err == unix.ENOTEMPTY {
		f.Discard()
		return syscall.EEXIST
	}
	return f.Commit(base)
}

// write copies the content. Everything outside a sparse file's spans becomes
// holes, whatever their size.
func (x *extractor) write(fd int, m *member, content io.Reader) error {
	spans := m.spans
	if spans == nil {
		spans = []span{{0, m.Size}}
	}
	end := int64(0)
	for _, s := range spans {
		for end = s.off; end < s.end(); {
			b := x.buf[:min(int64(len(x.buf)), s.end()-end)]
			n, err := io.ReadFull(content, b)
			if werr := writeAt(fd, b[:n], end); werr != nil {
				return werr
			}
			if err != nil {
				return &brokenArchive{unexpected(err)}
			}
			end += int64(n)
		}
	}
	if m.Size > end {
		return unix.Ftruncate(fd, m.Size)
	}
	return nil
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
	// The walk to the target may close the directory of the member.
	fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	target := clean(h.Linkname)
	if target == "" {
		return syscall.EPERM // a directory
	}
	from, err := x.folders.enter(path.Dir(target))
	if err != nil {
		return err
	}
	return replace(fd, base, func() error { return unix.Linkat(from, path.Base(target), fd, base, 0) })
}

// attributes are everything about a member except its content.
type attributes struct {
	name     string // for complaints
	mode     uint32
	uid, gid int
	times    [2]unix.Timespec
	extended map[string]string // pax records, if they are asked for
}

func (x *extractor) attributesOf(h *tar.Header) attributes {
	a := attributes{name: h.Name, mode: uint32(h.Mode & 0o7777), uid: h.Uid, gid: h.Gid, times: stamps(h)}
	if !x.Privileged && a.mode&0o6000 != 0 {
		a.mode &^= 0o6000
		x.SetID++
	}
	if x.Umask {
		a.mode = a.mode & 0o777 &^ x.umask
	}
	if x.Attribute != nil {
		a.extended = h.PAXRecords
	}
	return a
}

// apply sets the attributes of an open file, possibly opened with O_PATH, that
// differ: each change of an inode is a transaction of the file system.
func (x *extractor) apply(a *attributes, fd int, st *unix.Stat_t) error {
	link := st.Mode&unix.S_IFMT == unix.S_IFLNK
	if x.Owner && (int(st.Uid) != a.uid || int(st.Gid) != a.gid) {
		if err := unix.Fchownat(fd, "", a.uid, a.gid, unix.AT_EMPTY_PATH); err != nil {
			return err
		}
	}
	// A change of owner clears bits.
	if !link && (st.Mode&0o7777 != a.mode || a.mode&0o7000 != 0) {
		if err := unix.Chmod(procPath(fd), a.mode); err != nil {
			return err
		}
	}
	x.setExtended(a, fd)
	return unix.UtimesNanoAt(fd, "", a.times[:], unix.AT_EMPTY_PATH)
}

// procPath leads to an open file itself, also where it was opened with O_PATH.
func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

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

// setExtended sets attributes from the records that GNU tar and star write.
func (x *extractor) setExtended(a *attributes, fd int) {
	for key, value := range a.extended {
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
				x.complain("%s: cannot understand its access list", a.name)
				continue
			}
		}
		if name == "" || !x.Attribute(name) {
			continue
		}
		if err := unix.Setxattr(procPath(fd), name, data, 0); err != nil {
			x.complain("%s: cannot set %s: %v", a.name, name, err)
		}
	}
}
