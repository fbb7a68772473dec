// Package guestroot resolves paths of a guest below the folder that its file systems are
// mounted on. The kernel does it, so that no link in the guest leads out of there.
package guestroot

import (
	"errors"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Path is an absolute path inside the mounted guest.
type Path string

// Root is the directory under which the guest is mounted. Every path of the
// guest is resolved below it by the kernel (openat2 with RESOLVE_IN_ROOT), so
// that no link in the guest leads out, whatever it holds.
//
// All errors are bare syscall.Errno values; the caller names the path.
type Root struct {
	dir string

	mu   sync.Mutex
	keep bool
	top  int // O_PATH descriptor of dir, -1 if it is not held
}

func New(dir string) *Root { return &Root{dir: strings.TrimRight(dir, "/"), top: -1} }

// Keep says whether the root, once it was opened, stays open for the next call: a
// series of calls that only look at files opens it once. While it is held, the file
// system that is mounted there cannot be unmounted, and another one mounted over it is not seen.
func (r *Root) Keep(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep = on
	if !on && r.top >= 0 {
		unix.Close(r.top)
		r.top = -1
	}
}

// Held reports whether the root is open since an earlier call.
func (r *Root) Held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.top >= 0
}

// enter opens the root; done is called when it is no longer needed.
func (r *Root) enter() (top int, done func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.top >= 0 {
		return r.top, func() {}, nil
	}
	top, err = unix.Open(r.dir+"/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	switch {
	case err != nil:
		return -1, nil, err
	case r.keep:
		r.top = top
		return top, func() {}, nil
	}
	return top, func() { unix.Close(top) }, nil
}

// Dir is the directory itself.
func (r *Root) Dir() string { return r.dir }

// Open opens a file of the guest; symbolic links stay inside. O_CLOEXEC is added.
func (r *Root) Open(p Path, flags int, mode uint32) (*os.File, error) {
	fd, err := r.open(p, flags, mode)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), string(p)), nil
}

// open is Open without the preparations of package os.
func (r *Root) open(p Path, flags int, mode uint32) (int, error) {
	top, done, err := r.enter()
	if err != nil {
		return -1, err
	}
	defer done()
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC | unix.O_LARGEFILE),
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	if flags&(unix.O_CREAT|unix.O_TMPFILE) != 0 {
		how.Mode = uint64(mode & 0o7777)
	}
	for {
		fd, err := unix.Openat2(top, string(p), &how)
		// EAGAIN: something was renamed while the path was walked (openat2(2)).
		if err == unix.EINTR || err == unix.EAGAIN {
			continue
		}
		return fd, err
	}
}

// Handle opens a path with O_PATH, for operations on the name rather than the
// content. With nofollow the last component is not followed if it is a link.
func (r *Root) Handle(p Path, nofollow bool) (*os.File, error) {
	flags := unix.O_PATH
	if nofollow {
		flags |= unix.O_NOFOLLOW
	}
	return r.Open(p, flags, 0)
}

// FDPath names an open file for system calls and tools that want a path. It is
// valid in this process while f is open.
func FDPath(f *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())) }

// Parent opens the directory that holds p and returns the last component, for
// the …at system calls. The root itself has no parent: EBUSY.
func (r *Root) Parent(p Path) (*os.File, string, error) {
	clean := strings.TrimRight(string(p), "/")
	if clean == "" {
		return nil, "", syscall.EBUSY
	}
	dir, base := path.Split(clean)
	if base == ".." || base == "." {
		return nil, "", syscall.EINVAL
	}
	f, err := r.Open(Path(dir), unix.O_PATH|unix.O_DIRECTORY, 0)
	return f, base, err
}

// Host returns the path, outside the guest's root, of an existing file, with
// all links resolved, for tools that are given a path.
func (r *Root) Host(p Path) (string, error) { return r.host(p, false) }

// HostLink is Host, but the last component may be a link and is then named itself.
func (r *Root) HostLink(p Path) (string, error) { return r.host(p, true) }

func (r *Root) host(p Path, nofollow bool) (string, error) {
	f, err := r.Handle(p, nofollow)
	if err != nil {
		return "", err
	}
	defer f.Close()
	s, err := os.Readlink(FDPath(f))
	if err != nil {
		return "", bare(err)
	}
	return s, nil
}

// HostNew returns the path, outside the guest's root, that p would have if it
// were made: its directory must exist, its last component need not.
func (r *Root) HostNew(p Path) (string, error) {
	if s, err := r.host(p, false); err == nil {
		return s, nil
	}
	clean := strings.TrimRight(string(p), "/")
	dir, base := path.Split(clean)
	s, err := r.host(Path(dir), false)
	if err != nil {
		return "", err
	}
	return path.Join(s, base), nil
}

// Guest turns a path below the root into the guest's own.
func (r *Root) Guest(host string) Path {
	s := strings.TrimPrefix(host, r.dir)
	if s == "" {
		s = "/"
	}
	return Path(s)
}

// Stat and Lstat read a file's status.
func (r *Root) Stat(p Path) (*unix.Stat_t, error)  { return r.stat(p, false) }
func (r *Root) Lstat(p Path) (*unix.Stat_t, error) { return r.stat(p, true) }

func (r *Root) stat(p Path, nofollow bool) (*unix.Stat_t, error) {
	flags := unix.O_PATH
	if nofollow {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := r.open(p, flags, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	return &st, nil
}

// bare is the error number in an error of package os.
func bare(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) {
		return e
	}
	return err
}
