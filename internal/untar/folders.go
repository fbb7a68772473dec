package untar

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// folders are the directories from the top down to that of the current
// member. They stay open for members nearby: a deep path is walked once, not from the top for each member.
type folders struct {
	top    int
	follow func(name string) (*os.File, error)
	open   []folder
	first  int // those before it were closed, since there were too many
}

type folder struct {
	name string
	fd   int
}

// maxFolders is how many are kept open, those nearest to the member.
const maxFolders = 128

// leave closes all but the first n.
func (s *folders) leave(n int) {
	for i := max(n, s.first); i < len(s.open); i++ {
		unix.Close(s.open[i].fd)
	}
	s.open = s.open[:n]
	s.first = min(s.first, n)
}

// enter opens a directory; the descriptor is good until the next call.
func (s *folders) enter(name string) (int, error) { return s.walk(name, false) }

// make is like enter, but creates missing directories.
func (s *folders) make(name string) (int, error) { return s.walk(name, true) }

// walk goes to the directory of a clean name; "" and "." are the top.
func (s *folders) walk(name string, make bool) (int, error) {
	if name == "." {
		name = ""
	}
	rest, n := name, 0
	for n < len(s.open) && rest != "" {
		part, after, _ := strings.Cut(rest, "/")
		if part != s.open[n].name {
			break
		}
		rest = after
		n++
	}
	if n > 0 && n <= s.first { // the one to continue from is closed
		rest, n = name, 0
	}
	s.leave(n)
	for rest != "" {
		part, after, _ := strings.Cut(rest, "/")
		at := s.top
		if len(s.open) > 0 {
			at = s.open[len(s.open)-1].fd
		}
		fd, err := s.step(at, part, strings.TrimSuffix(name[:len(name)-len(after)], "/"), make)
		if err != nil {
			return -1, err
		}
		s.open = append(s.open, folder{part, fd})
		if len(s.open)-s.first > maxFolders {
			unix.Close(s.open[s.first].fd)
			s.first++
		}
		rest = after
	}
	if len(s.open) == 0 {
		return s.top, nil
	}
	return s.open[len(s.open)-1].fd, nil
}

// step opens one directory in another. path is its whole name.
func (s *folders) step(at int, name, path string, make bool) (int, error) {
	fd, err := openFolder(at, name)
	if err == unix.ENOENT && make {
		if err = unix.Mkdirat(at, name, 0o777); err == nil {
			fd, err = openFolder(at, name)
		}
	}
	if err != unix.ENOTDIR && err != unix.ELOOP {
		return fd, err
	}
	var st unix.Stat_t
	if serr := unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW); serr != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return -1, unix.ENOTDIR
	}
	if s.follow == nil {
		return -1, errors.New("a link is in its way")
	}
	f, err := s.follow(path)
	if err != nil {
		var e syscall.Errno
		if errors.As(err, &e) {
			err = e
		}
		return -1, err
	}
	defer f.Close()
	return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
}

// openFolder opens a directory and nothing else: it does not follow a link,
// wait for a FIFO, or open a device.
func openFolder(at int, name string) (int, error) {
	return unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}
