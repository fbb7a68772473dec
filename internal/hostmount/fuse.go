package hostmount

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/visible"
)

// Options is how a FUSE file system is mounted.
type Options struct {
	Source, Type string   // as df shows them; the type without fuse.
	Words        []string // for the kernel: ro, allow_other, …
	MaxRead      int      // largest request to read, in bytes
}

// Make mounts a FUSE file system on a directory, and returns the descriptor on which the
// kernel makes its requests: fuse(4). Who may not mount has fusermount3 do it.
func Make(dir string, o Options) (fd int, err error) {
	fd, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("/dev/fuse: %w (the kernel's module fuse makes it; a container must be given it)", err)
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV)
	data := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d,max_read=%d", fd, os.Geteuid(), os.Getegid(), o.MaxRead)
	for _, word := range o.Words {
		if f, ok := mountFlags[word]; ok {
			flags = flags&^f.clear | f.set
		} else {
			data += "," + word
		}
	}
	err = unix.Mount(o.Source, dir, "fuse."+o.Type, flags, data)
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
func fusermount(dir string, o Options) (int, error) {
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`).Replace
	options := append(slices.Clone(o.Words), "fsname="+escape(o.Source), "subtype="+escape(o.Type), fmt.Sprintf("max_read=%d", o.MaxRead))
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
		return unix.EBUSY
	case text != "":
		return errors.New(text)
	}
	return err
}

// RefusePolls has the kernel learn that files of the mount cannot be polled. A program that
// opens a file of its own mount with package os would otherwise wait for an answer of its own in the
// runtime, which may have no thread left to give it.
func RefusePolls(dir string) {
	fd, err := unix.Open(filepath.Join(dir, ".go-fuse-epoll-hack"), unix.O_RDONLY|unix.O_CLOEXEC, 0) // go-fuse answers for it
	if err == nil {
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		unix.Close(fd)
	}
}

// WriteBack has the kernel write what programs have changed in a mount.
func WriteBack(dir string) {
	if fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		unix.Syncfs(fd)
		unix.Close(fd)
	}
}

// Abort ends a FUSE mount's connection: no program waits for an answer any longer. Only root
// can do it everywhere.
func (m *Mount) Abort() {
	if unix.Unmount(m.Dir, unix.MNT_FORCE|unix.UMOUNT_NOFOLLOW) != nil {
		os.WriteFile(fmt.Sprintf("/sys/fs/fuse/connections/%d/abort", m.Connection()), []byte("1"), 0)
	}
}
