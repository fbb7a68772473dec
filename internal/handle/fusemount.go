package handle

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/internal/visible"
)

// maxMessage is the largest content of a request.
const maxMessage = 1 << 20

// mountFUSE mounts a FUSE file system on a directory, and returns the descriptor on which
// the kernel makes requests: fuse(4). Who may not mount has fusermount3 do it.
func mountFUSE(dir string, o *mountOptions) (fd int, err error) {
	fd, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("/dev/fuse: %w (the kernel's module fuse makes it; a container must be given it)", err)
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV)
	data := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d,max_read=%d", fd, os.Geteuid(), os.Getegid(), maxMessage)
	for _, word := range o.kernel {
		if f, ok := mountFlags[word]; ok {
			flags = flags&^f.clear | f.set
		} else {
			data += "," + word
		}
	}
	err = unix.Mount(o.source, dir, "fuse."+o.name, flags, data)
	if err == nil {
		return fd, nil
	}
	unix.Close(fd)
	if err != unix.EPERM {
		return -1, err
	}
	return fusermount(dir, o)
}

// mountFlags are the options that are flags of mount(2).
var mountFlags = map[string]struct{ set, clear uintptr }{
	"ro": {unix.MS_RDONLY, 0}, "nosuid": {unix.MS_NOSUID, 0}, "suid": {0, unix.MS_NOSUID}, "nodev": {unix.MS_NODEV, 0},
	"sync": {unix.MS_SYNCHRONOUS, 0}, "dirsync": {unix.MS_DIRSYNC, 0},
	"dev": {0, unix.MS_NODEV}, "noexec": {unix.MS_NOEXEC, 0}, "exec": {0, unix.MS_NOEXEC},
}

// fusermount mounts with the help of that program, which sends the descriptor over a socket.
func fusermount(dir string, o *mountOptions) (int, error) {
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`).Replace
	options := append(slices.Clone(o.kernel), "fsname="+escape(o.source), "subtype="+escape(o.name), fmt.Sprintf("max_read=%d", maxMessage))
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")
	defer ours.Close()
	err = runFusermount([]*os.File{theirs}, "-o", strings.Join(options, ","), "--", dir)
	theirs.Close()
	if err != nil {
		return -1, err
	}
	buf, rights := make([]byte, 4), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(ours.Fd()), buf, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err == nil && len(messages) == 1 {
		if fds, err := unix.ParseUnixRights(&messages[0]); err == nil && len(fds) == 1 {
			return fds[0], nil
		}
	}
	return -1, errors.New("fusermount3 sent no descriptor")
}

// runFusermount runs fusermount3 or its older form.
func runFusermount(extra []*os.File, args ...string) error {
	program, err := exec.LookPath("fusermount3")
	if err != nil {
		program, err = exec.LookPath("fusermount")
	}
	if err != nil {
		return errors.New("only root may do it without fusermount3, which is not there: install the package fuse3")
	}
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), "LC_ALL=C", "_FUSE_COMMFD=3")
	c.ExtraFiles = extra
	out, err := c.CombinedOutput()
	switch text := visible.Line(strings.TrimSpace(string(out))); {
	case err == nil:
		return nil
	case strings.Contains(text, "busy"):
		return syscall.EBUSY
	case text != "":
		return errors.New(text)
	}
	return err
}

// refusePolls has the kernel learn that files of the mount cannot be polled. A program that
// opens a file of its own mount with package os would otherwise wait for an answer of its own in the
// runtime, which may have no thread left to give it.
func refusePolls(dir string) {
	fd, err := unix.Open(filepath.Join(dir, ".go-fuse-epoll-hack"), unix.O_RDONLY|unix.O_CLOEXEC, 0) // go-fuse answers for it
	if err == nil {
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		unix.Close(fd)
	}
}

// unmount takes a mount of ours away; lazily, it goes although programs use it.
func unmount(dir string, lazily bool) error {
	flags, option := 0, "-u"
	if lazily {
		flags, option = unix.MNT_DETACH, "-uz"
	}
	if err := unix.Unmount(dir, flags); err != unix.EPERM {
		return err
	}
	return runFusermount(nil, option, "--", dir)
}

// usersOf names the processes that keep a mount busy: by their working directory, their
// root, or an open file. It asks the mount nothing.
func usersOf(dir string) string {
	const most = 5
	inside := func(link string) bool {
		target, err := os.Readlink(link)
		return err == nil && (target == dir || strings.HasPrefix(target, dir+"/"))
	}
	var users []string
	processes, _ := filepath.Glob("/proc/[0-9]*")
	slices.SortFunc(processes, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	for _, p := range processes {
		links, _ := filepath.Glob(p + "/fd/*")
		if !slices.ContainsFunc(append(links, p+"/cwd", p+"/root", p+"/exe"), inside) {
			continue
		}
		if len(users) == most {
			users = append(users, "others")
			break
		}
		name, _ := os.ReadFile(p + "/comm")
		users = append(users, fmt.Sprintf("%s (%s)", visible.Line(strings.TrimSpace(string(name))), filepath.Base(p)))
	}
	return strings.Join(users, ", ")
}

// writeBack has the kernel write what programs have changed in a mount.
func writeBack(dir string) {
	if fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		unix.Syncfs(fd)
		unix.Close(fd)
	}
}

// connectionOf is the number of a mount's FUSE connection, which is the minor number of its
// device; 0 if it is not found. See proc_pid_mountinfo(5).
func connectionOf(dir string) (number int) {
	b, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) > 4 && unescapeMount(f[4]) == dir {
			if _, minor, ok := strings.Cut(f[2], ":"); ok {
				number, _ = strconv.Atoi(minor)
			}
		}
	}
	return number
}

// unescapeMount undoes the octal escapes of /proc's lists of mounts.
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// abort ends a FUSE connection, so that no program waits for an answer.
func abort(connection int) {
	if connection > 0 {
		os.WriteFile(fmt.Sprintf("/sys/fs/fuse/connections/%d/abort", connection), []byte("1"), 0)
	}
}
