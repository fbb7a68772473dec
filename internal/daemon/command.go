package daemon

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	pathpkg "path"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/proto"
)

func (d Actions) Command(c *Call, arguments []string) (string, error) {
	out := &limited{max: proto.MaxMessage}
	if err := d.guestCommand(c, arguments, out); err != nil {
		return "", err
	}
	if out.cut {
		return "", errTooLarge
	}
	return out.String(), nil
}

func (d Actions) CommandLines(c *Call, arguments []string) ([]string, error) {
	out, err := d.Command(c, arguments)
	return lines(out), err
}

func (d Actions) CommandOut(c *Call, arguments []string, output io.Writer) error {
	// Once data is on its way, a failure can no longer say why: a little waits.
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

// guestPath is where a program without a slash in its name is looked for.
const guestPath = "/sbin:/usr/sbin:/bin:/usr/bin"

// guestEnv is all that a command of the guest sees of the environment.
var guestEnv = []string{"PATH=" + guestPath, "LC_ALL=C", "TERM=dumb", "HOME=/", "SHELL=/bin/sh", "PWD=/"}

// guestCommand runs a program of the guest with the guest as its root, and with
// the kernel's file systems in their places.
func (d *Daemon) guestCommand(c *Call, arguments []string, stdout io.Writer) error {
	if len(arguments) == 0 || arguments[0] == "" {
		return errors.New("passed an empty list")
	}
	if !d.mounted() {
		return notMounted(c.Action.Name)
	}
	program, err := d.findProgram(arguments[0])
	if err != nil {
		return say(err, "%s", arguments[0])
	}
	if !d.cfg.Live {
		undo, err := d.prepareGuest()
		defer undo()
		if err != nil {
			return err
		}
	}
	return d.runInGuest(c, program, arguments, stdout)
}

// leftOver is how long a program's output is waited for after its end, when it
// has left a process behind that keeps it open.
const leftOver = time.Second

func (d *Daemon) runInGuest(ctx context.Context, program string, arguments []string, stdout io.Writer) error {
	errText := &limited{max: maxStderr}
	cmd := exec.CommandContext(ctx, program)
	cmd.Path, cmd.Err, cmd.Args = program, nil, arguments
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: d.root.dir + "/"}
	cmd.Dir, cmd.Env, cmd.WaitDelay = "/", guestEnv, leftOver
	out := &gate{w: stdout}
	cmd.Stdout, cmd.Stderr = out, errText
	err := cmd.Run()
	out.close()
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case errors.As(err, &exit):
		return &ToolError{Tool: arguments[0], Status: exit.ExitCode(), Text: strings.TrimSpace(errText.String())}
	}
	return say(err, "%s", arguments[0])
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
// appliance's name servers into the guest. undo takes all of it away again; it
// may always be called.
func (d *Daemon) prepareGuest() (undo func(), err error) {
	var undos []func()
	undo = func() {
		for i := len(undos) - 1; i >= 0; i-- {
			undos[i]()
		}
	}
	for _, p := range guestMounts {
		// A guest without the directory does without the file system; a link in
		// its place is resolved inside.
		f, err := d.root.Open(p, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			continue
		}
		point, err := os.Readlink(FDPath(f))
		if err == nil && unix.Mount(string(p), FDPath(f), "", unix.MS_BIND, "") == nil {
			undos = append(undos, func() { unmountSoon(point) })
		}
		f.Close()
	}
	if d.cfg.Network {
		restore, err := d.lendResolvConf()
		if err != nil {
			return undo, err
		}
		undos = append(undos, restore)
	}
	return undo, nil
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

// lendResolvConf gives the guest the appliance's /etc/resolv.conf while a
// command runs. What was there, whatever it is, is put back afterwards.
func (d *Daemon) lendResolvConf() (restore func(), err error) {
	const name, kept = "/etc/resolv.conf", "/etc/resolv.conf.gofish-kept"
	restore = func() {}
	content, err := os.ReadFile(name)
	if err != nil {
		return restore, nil // the appliance has none to lend
	}
	err = d.root.Enter(func() error {
		if !enteredDir("/etc") {
			return nil
		}
		had := unix.Rename(name, kept) == nil
		// Only a file system that can be written to gets a new one.
		fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o644)
		if err != nil {
			if had {
				return unix.Rename(kept, name)
			}
			return nil
		}
		f := os.NewFile(uintptr(fd), name)
		_, err = f.Write(content)
		f.Close()
		restore = func() {
			d.root.Enter(func() error {
				if had {
					return unix.Rename(kept, name)
				}
				return unix.Unlink(name)
			})
		}
		return err
	})
	return restore, say(err, "%s", name)
}

// gate is a writer that can be closed while another goroutine may write: after
// that nothing passes.
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
