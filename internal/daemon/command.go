package daemon

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	pathpkg "path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/guestroot"
)

func (d Actions) Command(c *Call, arguments []string) (string, error) {
	out := &limited{max: d.maxResult}
	if err := d.guestCommand(c, arguments, out); err != nil {
		return "", err
	}
	if out.cut {
		return "", d.tooLarge()
	}
	return out.String(), nil
}

func (d Actions) CommandLines(c *Call, arguments []string) ([]string, error) {
	out, err := d.Command(c, arguments)
	return lines(out), err
}

func (d Actions) CommandOut(c *Call, arguments []string, output io.Writer) error {
	// After data has been sent, an error can no longer be reported with its reason, so a little data is held back.
	b := bufio.NewWriterSize(output, 64<<10)
	if err := d.guestCommand(c, arguments, b); err != nil {
		return err
	}
	return b.Flush()
}

func shell(command string) []string { return []string{"/bin/sh", "-c", command} }

func (d Actions) Sh(c *Call, command string) (string, error) { return d.Command(c, shell(command)) }
func (d Actions) ShLines(c *Call, command string) ([]string, error) {
	return d.CommandLines(c, shell(command))
}
func (d Actions) ShOut(c *Call, command string, output io.Writer) error {
	return d.CommandOut(c, shell(command), output)
}

// guestPath is where to look for a program without a slash in its name.
const guestPath = "/sbin:/usr/sbin:/bin:/usr/bin"

// guestEnv is all that a command of the guest sees of the environment.
var guestEnv = []string{"PATH=" + guestPath, "LC_ALL=C", "TERM=dumb", "HOME=/", "SHELL=/bin/sh", "PWD=/"}

// guestCommand runs a program of the guest with the guest as its root, and with
// the kernel's file systems mounted.
func (d *Daemon) guestCommand(c *Call, arguments []string, stdout io.Writer) error {
	return d.inGuest(arguments, func(program string) error { return d.runInGuest(c, program, arguments, stdout) })
}

// inGuest runs something while the guest looks as its programs expect.
func (d *Daemon) inGuest(arguments []string, run func(program string) error) error {
	if len(arguments) == 0 || arguments[0] == "" {
		return errors.New("passed an empty list")
	}
	if !d.mounted() {
		return errNotMounted
	}
	program, err := d.findProgram(arguments[0])
	if err != nil {
		return wrap(err, "%s", arguments[0])
	}
	if !d.cfg.Live {
		undo, err := d.prepareGuest()
		defer undo()
		if err != nil {
			return err
		}
	}
	return run(program)
}

// leftOver is how long to wait for more output after a program's end, when a
// process that it left running keeps the output open.
const leftOver = time.Second

// guestProgram prepares a program of the guest to be run.
func (d *Daemon) guestProgram(ctx context.Context, program string, arguments []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program)
	cmd.Path, cmd.Err, cmd.Args = program, nil, arguments
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: d.root.Dir() + "/"}
	cmd.Dir, cmd.Env, cmd.WaitDelay = "/", guestEnv, leftOver
	return cmd
}

func (d *Daemon) runInGuest(ctx context.Context, program string, arguments []string, stdout io.Writer) error {
	errText := &limited{max: maxStderr}
	cmd := d.guestProgram(ctx, program, arguments)
	out := &gate{w: stdout}
	cmd.Stdout, cmd.Stderr = out, errText
	err := start(cmd)
	if err == nil {
		err = wait(cmd)
	}
	out.close()
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case errors.As(err, &exit):
		return &ToolError{Tool: arguments[0], Status: exit.ExitCode(), Text: strings.TrimSpace(errText.String())}
	}
	return wrap(err, "%s", arguments[0])
}

// findProgram looks a program up as execvp(3) would inside the guest.
func (d *Daemon) findProgram(name string) (string, error) {
	if strings.Contains(name, "/") {
		st, err := d.root.Stat(Path(pathpkg.Join("/", name)))
		if err == nil && (st.Mode&unix.S_IFMT != unix.S_IFREG || st.Mode&0o111 == 0) {
			err = syscall.EACCES
		}
		return name, err
	}
	for _, dir := range strings.Split(guestPath, ":") {
		p := pathpkg.Join(dir, name)
		st, err := d.root.Stat(Path(p))
		if err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&0o111 != 0 {
			return p, nil
		}
	}
	return "", syscall.ENOENT
}

// guestMounts are what a command may expect to find, in the order of mounting.
var guestMounts = []Path{"/dev", "/dev/pts", "/proc", "/sys", "/sys/fs/selinux"}

// prepareGuest puts the kernel's file systems and, with a network, the
// appliance's name servers into the guest. undo removes all of it again; it may
// always be called. Everything is either a mount or in memory, so however the appliance ends, nothing of it is left in the guest's file systems.
func (d *Daemon) prepareGuest() (undo func(), err error) {
	var undos []func()
	undo = func() {
		for i := len(undos) - 1; i >= 0; i-- {
			undos[i]()
		}
	}
	undos = append(undos, d.allowSetuid())
	for _, p := range guestMounts {
		// If the guest does not have the directory, that file system is not mounted; a
		// link there is resolved inside the guest.
		f, err := d.root.Open(p, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			continue
		}
		point, err := os.Readlink(guestroot.FDPath(f))
		if err == nil && unix.Mount(string(p), guestroot.FDPath(f), "", unix.MS_BIND, "") == nil {
			undos = append(undos, func() { unmountSoon(point) })
		}
		f.Close()
	}
	d.putBackResolvConf()
	if d.cfg.Network {
		takeBack, err := d.lendNameServers()
		undos = append(undos, takeBack)
		if err != nil {
			return undo, err
		}
	}
	return undo, nil
}

// allowSetuid lets the guest's programs have the rights that its file systems give
// them, except those that the client asked to mount with nosuid.
func (d *Daemon) allowSetuid() (undo func()) {
	var points []string
	l, _ := d.mountsBelow()
	for _, m := range l {
		if d.noSetuid[m.Point] || !slices.Contains(strings.Split(m.Options, ","), "nosuid") {
			continue
		}
		allow := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_NOSUID}
		if unix.MountSetattr(unix.AT_FDCWD, m.Point, unix.AT_SYMLINK_NOFOLLOW, &allow) == nil {
			points = append(points, m.Point)
		}
	}
	return func() {
		for _, p := range points {
			unix.MountSetattr(unix.AT_FDCWD, p, unix.AT_SYMLINK_NOFOLLOW, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID})
		}
	}
}

// unmountSoon unmounts what a program that was left running may still use.
func unmountSoon(point string) {
	for range 10 {
		if unix.Unmount(point, unix.UMOUNT_NOFOLLOW) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
}

const resolvConf = "/etc/resolv.conf"

// lendNameServers lets a command of the guest find the appliance's name server. Its
// file is mounted over the guest's own, even if that is a file that cannot be changed or a dangling link. A guest without such a file gets none: its programs then ask this machine, which answers.
func (d *Daemon) lendNameServers() (undo func(), err error) {
	undo = func() {}
	lent, err := unix.OpenTree(unix.AT_FDCWD, resolvConf, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return undo, nil // the appliance has no name server
	}
	defer unix.Close(lent)
	over, err := d.root.Handle(resolvConf, true)
	if err != nil {
		return forwardNames()
	}
	defer over.Close()
	if isDir(guestroot.FDPath(over)) {
		return forwardNames()
	}
	point, err := os.Readlink(guestroot.FDPath(over))
	if err == nil {
		// What a command writes there would be lost, so it gets an error.
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
		err = unix.MountSetattr(lent, "", unix.AT_EMPTY_PATH, &attr)
	}
	if err == nil {
		err = unix.MoveMount(lent, "", int(over.Fd()), "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	}
	if err != nil {
		return undo, wrap(err, "lend the appliance's name servers as %s", resolvConf)
	}
	return func() { unmountSoon(point) }, nil
}

// keptResolvConf is the name that earlier versions gave the guest's own file while
// theirs was in its place. An interrupted run left it under that name.
const keptResolvConf = resolvConf + ".gofish-kept"

// putBackResolvConf undoes what an earlier version left. A file created since
// then is not touched.
func (d *Daemon) putBackResolvConf() {
	back := false
	d.root.Enter(func() error {
		var st unix.Stat_t
		if err := unix.Lstat(keptResolvConf, &st); err != nil {
			return err
		}
		switch err := unix.Lstat(resolvConf, &st); {
		case err == syscall.ENOENT:
		case err != nil, st.Mode&unix.S_IFMT != unix.S_IFREG, st.Size > int64(len(resolvConfText)):
			return err
		default:
			b, err := os.ReadFile(resolvConf)
			if err != nil || !strings.HasPrefix(resolvConfText, string(b)) {
				return err
			}
		}
		back = unix.Rename(keptResolvConf, resolvConf) == nil
		return nil
	})
	if back {
		d.warn("%s of the guest was put back from %s, where an earlier gofish that was ended in a command had left it", resolvConf, keptResolvConf)
	}
}

// gate is a writer that can be closed while another goroutine may be writing;
// after that nothing passes.
type gate struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return 0, os.ErrClosed
	}
	return g.w.Write(p)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}
