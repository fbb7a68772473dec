// Package hostmount knows the host's mounts: what is mounted at a directory, which programs
// use it, and how it is unmounted. It asks a mount nothing, since what serves it may not
// answer.
package hostmount

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/visible"
)

// Mount is a mount. See proc_pid_mountinfo(5).
type Mount struct {
	Dir    string // absolute, without links
	Device string // major:minor; not used by any other mount until this one is gone everywhere
	Type   string // ext4, fuse.gofish, …
	Source string
	UserID int // of a FUSE mount: who mounted it
}

// FUSE reports whether a program serves the mount.
func (m *Mount) FUSE() bool { return m.Type == "fuse" || strings.HasPrefix(m.Type, "fuse.") }

// Connection is the number of a FUSE mount's connection, which is the minor number of its
// device; 0 for other mounts.
func (m *Mount) Connection() int {
	_, minor, _ := strings.Cut(m.Device, ":")
	n, err := strconv.Atoi(minor)
	if err != nil || !m.FUSE() {
		return 0
	}
	return n
}

// ErrNone means that nothing is mounted at a directory.
var ErrNone = errors.New("nothing is mounted there")

// Find finds the mount at a directory, the last one if there are several. The error of a
// directory without one is ErrNone.
func Find(dir string) (*Mount, error) {
	dir, err := resolve(dir)
	if err != nil {
		return nil, err
	}
	list, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	m := parse(string(list), dir)
	if m == nil {
		return nil, ErrNone
	}
	return m, nil
}

// parse finds the last mount at dir in the text of mountinfo.
func parse(list, dir string) (found *Mount) {
	for line := range strings.Lines(list) {
		before, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || len(g) < 3 || unescape(f[4]) != dir {
			continue
		}
		found = &Mount{Dir: dir, Device: f[2], Type: unescape(g[0]), Source: unescape(g[1])}
		for _, o := range strings.Split(g[2], ",") {
			if id, ok := strings.CutPrefix(o, "user_id="); ok {
				found.UserID, _ = strconv.Atoi(id)
			}
		}
	}
	return found
}

// resolve makes a name absolute and free of links. What is mounted there is not asked.
func resolve(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil || dir == "/" {
		return dir, err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
	if err != nil {
		return "", err
	}
	dir = filepath.Join(parent, filepath.Base(dir))
	var st unix.Statx_t
	err = unix.Statx(unix.AT_FDCWD, dir, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &st)
	switch {
	case err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK:
		return filepath.EvalSymlinks(dir)
	case err == unix.ENOENT || err == unix.ENOTDIR:
		return "", &os.PathError{Op: "find", Path: dir, Err: err}
	}
	return dir, nil // a mount that does not answer is one, too
}

// unescape undoes the octal escapes of /proc's lists of mounts.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// Unmount takes a FUSE mount away, itself or with fusermount3; lazily, it goes although
// programs use it. The error of one that is in use is EBUSY.
func Unmount(dir string, lazily bool) error {
	flags, option := unix.UMOUNT_NOFOLLOW, "-u"
	if lazily {
		flags, option = flags|unix.MNT_DETACH, "-uz"
	}
	err := unix.Unmount(dir, flags)
	if err != unix.EPERM {
		return err
	}
	return runFusermount(nil, option, "--", dir)
}

// Users names the processes that keep a mount busy: by their working directory, their root,
// their program or an open file. This process is left out, and only root can see those of
// other users.
func Users(dir string) string {
	const most = 5
	inside := func(link string) bool {
		target, err := os.Readlink(link)
		return err == nil && (target == dir || strings.HasPrefix(target, dir+"/"))
	}
	var users []string
	processes, _ := filepath.Glob("/proc/[0-9]*")
	slices.SortFunc(processes, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	self := fmt.Sprintf("/proc/%d", os.Getpid())
	for _, p := range processes {
		if p == self {
			continue
		}
		links, _ := filepath.Glob(p + "/fd/*")
		if !slices.ContainsFunc(append(links, p+"/cwd", p+"/root", p+"/exe"), inside) {
			continue
		}
		if len(users) == most {
			users = append(users, "others")
			break
		}
		name, err := os.ReadFile(p + "/comm")
		if err != nil {
			continue // it has just gone
		}
		users = append(users, fmt.Sprintf("%s (%s)", visible.Line(strings.TrimSpace(string(name))), filepath.Base(p)))
	}
	return strings.Join(users, ", ")
}
