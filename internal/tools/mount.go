package tools

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/syslog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/background"
	"gofish/internal/getopt"
	"gofish/internal/hostmount"
	"gofish/internal/newfile"
)

// mounting is what guestmount's options say.
type mounting struct {
	*Use
	given        []getopt.Option // what may be written after -o, too
	fuse         []string        // options after -o that are none of ours
	access       string          // the last of ro and rw after -o
	cacheTimeout *int
	fd           int // to write a byte to, -1 for none
	noFork       bool
	trace        bool
	pidFile      string

	source, dir string // source is "" if the options name the disks
}

// sessionOptions are the options of guestmount that say which disks are opened, and how.
var sessionOptions = []string{"add", "blocksize", "connect", "domain", "echo-keys", "format", "inspector", "key", "keys-from-stdin",
	"live", "mount", "network", "no-sync", "no-template", "ro", "rw", "selinux", "timeout", "untrusted", "verbose"}

func newMount(u *Use) ([]getopt.Option, func(words []string) error) {
	m, options := mountOptions(u)
	return options, m.run
}

func mountOptions(u *Use) (*mounting, []getopt.Option) {
	m := &mounting{Use: u, fd: -1}
	m.given = append(u.Session.Options(sessionOptions...),
		getopt.Option{Long: "dir-cache-timeout", Arg: getopt.NeedArg, Value: "seconds", Help: "How long the host's kernel may rely on names and attributes that it knows",
			Set: func(arg *string) error {
				n, err := strconv.Atoi(*arg)
				if err != nil || n < 0 {
					return fmt.Errorf("--dir-cache-timeout %s: not a number of seconds", *arg)
				}
				m.cacheTimeout = &n
				return nil
			}})
	trace := u.Session.Options("trace")
	setTrace := trace[0].Set
	trace[0].Help += "; implies --no-fork"
	trace[0].Set = func(arg *string) error { m.trace = true; return setTrace(arg) }
	return m, append(append(m.given, trace...),
		getopt.Option{Long: "fd", Arg: getopt.NeedArg, Value: "number", Help: "Write a byte to this file descriptor when the mount can be used",
			Set: func(arg *string) (err error) { m.fd, err = descriptor(*arg); return err }},
		getopt.Option{Long: "fuse-help", Help: "Show what can be written after -o",
			Set: func(*string) error { io.WriteString(u.Out, fuseHelp); return getopt.ErrDone }},
		getopt.Option{Long: "no-fork", Help: "Stay in the foreground",
			Set: func(*string) error { m.noFork = true; return nil }},
		getopt.Option{Long: "option", Short: 'o', Arg: getopt.NeedArg, Value: "option[,..]", Help: "Options of the mount; --fuse-help lists them",
			Set: func(arg *string) error { return m.addOptions(*arg) }},
		getopt.Option{Long: "pid-file", Arg: getopt.NeedArg, Value: "file", Help: "Write the number of the process that serves the mount to a file, which is there from when the mount can be used until the image is released",
			Set: func(arg *string) (err error) { m.pidFile, err = filepath.Abs(*arg); return err }},
	)
}

// descriptor reads the number of a file descriptor that must be open.
func descriptor(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return -1, fmt.Errorf("unable to parse --fd option value: %s", text)
	}
	if _, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err != nil {
		return -1, fmt.Errorf("--fd=%d: there is no such file descriptor", n)
	}
	return n, nil
}

// addOptions reads an argument of -o. In /etc/fstab there is no other place for options, so
// ours may be written there, too.
func (m *mounting) addOptions(list string) error {
	for _, word := range strings.Split(list, ",") {
		name, value, valued := strings.Cut(word, "=")
		i := slices.IndexFunc(m.given, func(o getopt.Option) bool { return o.Long == name })
		switch {
		case name == "ro", name == "rw":
			m.access = word
		case i < 0 && word != "":
			m.fuse = append(m.fuse, word)
		case i < 0:
		case valued && m.given[i].Arg == getopt.NoArg:
			return fmt.Errorf("-o %s: it takes no value", word)
		case !valued && m.given[i].Arg == getopt.NeedArg:
			return fmt.Errorf("-o %s: it needs a value", word)
		case valued:
			if err := m.given[i].Set(&value); err != nil {
				return err
			}
		default:
			if err := m.given[i].Set(nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// run checks what can be checked at once, and then mounts, as a rule in a process of its own.
func (m *mounting) run(words []string) error {
	if err := m.check(words); err != nil {
		return err
	}
	self := background.Self()
	if self != nil || m.noFork || m.trace {
		return m.serve(self)
	}
	p, err := background.Start(m.Command, m.Stdin, m.Stdout, m.Errors)
	switch {
	case err != nil:
		return fmt.Errorf("start in the background: %w", err)
	case p.Said == "" && p.Status != 0:
		return ExitStatus(p.Status)
	case p.Said == "":
		return errors.New("the process that was to serve the mount has ended without a word")
	}
	return nil
}

// check completes the options from the words and finds what is missing.
func (m *mounting) check(words []string) error {
	s := &m.Session
	switch m.access {
	case "ro":
		s.ReadOnly = true
	case "rw":
		if s.ReadOnly {
			return errors.New("cannot mix --ro and --rw options")
		}
		s.ReadWrite = true
	}
	switch len(words) {
	case 1:
		m.dir = words[0]
	case 2:
		m.source, m.dir = words[0], words[1]
		if err := s.AddWord(m.source); err != nil {
			return err
		}
		s.ReadOnly = !s.ReadWrite
		s.Examine = !s.Inspect && len(s.Mounts) == 0
	default:
		return errors.New("you must specify a mountpoint in the host filesystem: an empty directory, as the last word")
	}
	switch err := s.Check(); {
	case err != nil:
		return err
	case len(s.Disks) == 0:
		return errors.New("you must specify at least one -a or -d option, or an image before the mountpoint")
	case !s.Examine && !s.Inspect && len(s.Mounts) == 0:
		return errors.New("you must specify either -i or at least one -m option")
	}
	fi, err := os.Stat(m.dir)
	switch {
	case errors.Is(err, unix.ENOTCONN):
		return fmt.Errorf("%s: the program that served a mount there is gone; guestunmount removes it", m.dir)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such directory", m.dir)
	case err != nil:
		return err
	case !fi.IsDir():
		return fmt.Errorf("%s: not a directory", m.dir)
	}
	m.dir, err = filepath.Abs(m.dir)
	return err
}

// serve mounts and serves the mount until it is unmounted and the image is released. self is
// this process if it is to go to the background.
func (m *mounting) serve(self *background.Process) (err error) {
	// Signals of the terminal are for us: the appliance has to write what it holds.
	if err := m.Session.Guest.SetPgroup(m.Ctx, true); err != nil {
		return err
	}
	if err := m.Session.Start(); err != nil {
		return err
	}
	if err := m.Session.Guest.MountLocal(m.Ctx, m.dir, m.localOptions()); err != nil {
		return err
	}
	release := m.record()
	defer func() {
		err = errors.Join(err, m.Handle.Close()) // which also unmounts
		release(err)
	}()
	served := make(chan error, 1)
	go func() { served <- m.Session.Guest.MountLocalRun(m.Ctx) }()
	usable := make(chan error, 1)
	go func() { _, err := os.Stat(m.dir); usable <- err }()
	select {
	case err := <-served:
		return err
	case err := <-usable:
		if err == nil {
			err = m.ready(self)
		}
		if err != nil {
			return err
		}
	}
	m.lasting.Store(true)
	// A signal is as good a way to unmount as any.
	if err := <-served; m.Ctx.Err() == nil {
		return err
	}
	return nil
}

// localOptions are the optional arguments of mount_local.
func (m *mounting) localOptions() types.MountLocalOptions {
	fuse := m.fuse
	for _, usual := range []string{"fsname=" + m.mountSource(), "subtype=guestmount"} {
		name, value, _ := strings.Cut(usual, "=")
		given := slices.ContainsFunc(fuse, func(o string) bool { return strings.HasPrefix(o, name+"=") })
		if !given && value != "" && !strings.ContainsAny(value, `,\`) {
			fuse = append(fuse, usual)
		}
	}
	return types.MountLocalOptions{ReadOnly: &m.Session.ReadOnly, Options: new(strings.Join(fuse, ",")),
		CacheTimeout: m.cacheTimeout, DebugCalls: &m.trace}
}

// mountSource is what lists of mounts show as mounted: the image as it is in /etc/fstab, so
// that mount -a finds it there.
func (m *mounting) mountSource() string {
	if d := m.Session.Disks[0]; m.source == "" {
		return cmp.Or(d.Domain, d.Drive.Path)
	}
	return m.source
}

// record tells guestunmount of this process. release, which is called when the image is
// released, says whether that has failed.
func (m *mounting) record() (release func(error)) {
	lost := "the process that served the mount was killed: what it had not written is lost"
	if m.Session.ReadOnly {
		lost = ""
	}
	at, err := hostmount.Find(m.dir)
	var r *record
	if err == nil {
		r, err = keepRecord(at, lost)
	}
	if err != nil {
		m.Say(fmt.Errorf("warning: guestunmount will not know when the image is released: %w", err))
	}
	return func(err error) {
		if m.isPidFile() {
			os.Remove(m.pidFile)
		}
		if r != nil {
			r.release(err)
		}
	}
}

// isPidFile reports whether the file of --pid-file is there and is ours.
func (m *mounting) isPidFile() bool {
	b, err := os.ReadFile(m.pidFile)
	return err == nil && string(b) == pidText()
}

func pidText() string { return strconv.Itoa(os.Getpid()) + "\n" }

// ready tells whoever waits that the mount can be used, and goes to the background.
func (m *mounting) ready(self *background.Process) error {
	if m.pidFile != "" {
		err := newfile.Write(m.pidFile, 0o666, func(f *os.File) error {
			_, err := io.WriteString(f, pidText())
			return err
		})
		if err != nil {
			return fmt.Errorf("--pid-file: %w", err)
		}
	}
	if m.fd >= 0 {
		if _, err := unix.Write(m.fd, []byte{0}); err != nil {
			return fmt.Errorf("--fd=%d: %w", m.fd, err)
		}
		if m.fd > 2 { // who waits for the end of the pipe need not wait for ours
			unix.Close(m.fd)
		}
	}
	if self == nil {
		return nil
	}
	verbose := m.Handle.Verbose()
	if err := self.Detach(verbose); err != nil {
		return err
	}
	if !verbose {
		m.Stderr.redirect(systemLog())
	}
	return self.Say("ready")
}

// systemLog is where messages of a process in the background go. Nobody reads them where
// there is no system log.
func systemLog() io.Writer {
	l, err := syslog.New(syslog.LOG_WARNING|syslog.LOG_DAEMON, "guestmount")
	if err != nil {
		return io.Discard
	}
	return l
}
