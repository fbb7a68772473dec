package handle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/appliance"
	"gofish/internal/calls"
	"gofish/internal/proto"
)

// libraryVersion is the release of libguestfs whose behaviour we follow. Programs
// decide by it what they may ask for.
var libraryVersion = api.Version{Major: 1, Minor: 48, Release: 6}

func (h Actions) Version() (api.Version, error) { return libraryVersion, nil }
func (h Actions) IsConfig() (bool, error)       { return h.State() == Config, nil }
func (h Actions) IsLaunching() (bool, error)    { return h.State() == Launching, nil }
func (h Actions) IsReady() (bool, error)        { return h.State() == Ready, nil }
func (h Actions) IsBusy() (bool, error)         { return false, nil }
func (h Actions) GetState() (int, error)        { return int(h.State()), nil }

// CPointer: memory does not move while it is in use.
func (h Actions) CPointer() (int64, error) { return int64(uintptr(unsafe.Pointer(h.Handle))), nil }

func (h Actions) WaitReady() error {
	if h.State() != Ready {
		return errors.New("qemu has not been launched yet")
	}
	return nil
}

func (h Actions) GetPid() (int, error) {
	if h.link == nil || h.link.vm == nil {
		return 0, &CallError{Text: "get-pid can only be called after launch"}
	}
	return h.link.vm.PID, nil
}

func (h Actions) UserCancel() error { h.Handle.UserCancel(); return nil }

func (h Actions) Shutdown(c *Call) error { return h.shutdown(c) }

func (h Actions) KillSubprocess(c *Call) error { return h.shutdown(c) }

func (h Actions) ParseEnvironment() error {
	return h.Settings.fromEnvironment(os.LookupEnv)
}

func (h Actions) ParseEnvironmentList(environment []string) error {
	return h.Settings.fromEnvironment(func(name string) (string, bool) {
		for _, e := range environment {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v, true
			}
		}
		return "", false
	})
}

func (h Actions) Launch(c *Call) error {
	if h.State() != Config {
		return errors.New("launch: this function can only be called in the config state")
	}
	if path, ok := strings.CutPrefix(h.Settings.Backend, "unix:"); ok {
		return h.attach(c, path)
	}
	if len(h.drives) == 0 {
		return &CallError{Text: "you must call guestfs_add_drive before guestfs_launch", Cause: types.ErrNoDrives}
	}
	h.state.Store(int32(Launching))
	start := time.Now()
	err := h.boot(c, start)
	if err != nil {
		h.state.Store(int32(Config))
		failed := &CallError{Action: "launch", Text: err.Error()}
		if c.Err() != nil {
			failed.Errno, failed.Cause = syscall.EINTR, endOf(c)
		}
		return failed
	}
	h.state.Store(int32(Ready))
	h.log("launch took %v", time.Since(start).Round(time.Millisecond))
	h.emit(Event{Type: EventLaunchDone})
	return nil
}

// Warn reports something odd that is not a failure.
func (h *Handle) Warn(format string, args ...any) {
	h.emit(Event{Type: EventWarning, Message: fmt.Sprintf(format, args...)})
}

// log is a message of the handle itself, for verbose mode.
func (h *Handle) log(format string, args ...any) {
	if h.Settings.Verbose {
		h.emit(Event{Type: EventLibrary, Message: fmt.Sprintf(format, args...) + "\n"})
	}
}

func (h *Handle) boot(c *Call, start time.Time) error {
	h.verbose.Store(h.Settings.Verbose)
	m, closeFiles, err := h.machine(c)
	if err != nil {
		return err
	}
	defer closeFiles()

	console := &console{h: h, began: start}
	o := appliance.LaunchOptions{RestoreLimit: h.Settings.RestoreLimit, Console: console.write, Log: h.log, Note: h.Warn}
	if o.Force, err = h.Settings.accelerator(); err != nil {
		return err
	}
	if o.CacheDir, err = appliance.OpenCache(h.Settings.CacheDir); err != nil {
		// That need not be fatal: the appliance may be elsewhere.
		h.log("%v", err)
		o.CacheDir = ""
	}
	if _, off := h.Settings.setting("no_template"); h.Settings.Templates && !off && o.CacheDir != "" {
		o.Templates = filepath.Join(o.CacheDir, "templates")
	}
	vm, err := m.Launch(c, o)
	if err != nil && c.Err() == nil && !m.Image.Fixed && !errors.As(err, new(*appliance.DriveError)) {
		// Perhaps its files are not what was built.
		if image, ferr := h.image(c, true); ferr != nil {
			err = ferr
		} else if image.Mended {
			m.Image = image
			vm, err = m.Launch(c, o)
		}
	}
	if err != nil {
		return fmt.Errorf("%s%s", h.explain(err), console.hint())
	}
	for _, d := range h.drives {
		d.sized()
	}
	console.progress(12)
	h.link = &link{vm: vm, conn: vm.Conn, console: console}
	h.link.ours.Store(!m.Image.Fixed) // for an appliance from elsewhere, the replies show it
	h.latest.Store(h.link)
	return nil
}

// accelerator is the one that a backend setting demands, "" for none.
func (s *Settings) accelerator() (string, error) {
	_, tcg := s.setting("force_tcg")
	_, kvm := s.setting("force_kvm")
	switch {
	case tcg && kvm:
		return "", errors.New("both force_kvm and force_tcg are given as backend settings")
	case kvm:
		return "kvm", nil
	case tcg:
		return "tcg", nil
	}
	return "", nil
}

// machine collects the settings for qemu.
func (h *Handle) machine(c *Call) (*appliance.Machine, func(), error) {
	hv, err := appliance.ParseHV(h.Settings.hv())
	if err != nil {
		return nil, nil, fmt.Errorf("qemu: %s: %w (install qemu-system-x86, or name another program with GOFISH_HV)", h.Settings.hv(), notFound(err))
	}
	if fi, err := os.Stat(h.Settings.tmpDir()); err != nil || !fi.IsDir() {
		return nil, nil, fmt.Errorf("%s: not a directory for temporary files (see set-tmpdir)", h.Settings.tmpDir())
	}
	m := &appliance.Machine{
		HV:      hv,
		Memory:  h.Settings.Memory,
		CPUs:    h.Settings.SMP,
		Network: h.Settings.Network,
		Verbose: h.Settings.Verbose,
		SELinux: h.Settings.SELinux,
		Append:  orEmpty(h.Settings.Append),
		TmpDir:  h.Settings.tmpDir(),
		Extra:   h.Settings.Extra,
	}
	var files []*os.File
	closeFiles := func() {
		for _, f := range files {
			f.Close()
		}
	}
	chain := h.chainOf()
	h.warnOfDuplicates()
	for i, d := range h.drives {
		d.target = i // earlier drives may have been removed
		vd, err := d.open(c, h.Settings.tmpDir(), chain)
		if err != nil {
			closeFiles()
			return nil, nil, err
		}
		if vd.File != nil {
			files = append(files, vd.File)
		}
		m.Drives = append(m.Drives, vd)
	}
	if m.Image, err = h.image(c, false); err != nil {
		closeFiles()
		return nil, nil, err
	}
	return m, closeFiles, nil
}

// image finds the appliance. With deep all of its files are read, to see whether they are
// whole.
func (h *Handle) image(ctx context.Context, deep bool) (*appliance.Appliance, error) {
	return appliance.Find(ctx, appliance.FindOptions{
		Path:     h.Settings.Path,
		CacheDir: h.Settings.CacheDir,
		Binary:   h.Settings.Init,
		Progress: func(s string) { h.emit(Event{Type: EventLibrary, Message: s + "\n"}) },
		Warn:     h.Warn,
		Deep:     deep,
	})
}

// notFound is why a program cannot be run, in the words of the C library.
func notFound(err error) error {
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errText{syscall.ENOENT}
	case proto.ErrnoOf(err) != 0:
		return errText{proto.ErrnoOf(err)}
	}
	return err
}

// hvPath is the qemu program, looked up as the shell would.
func (s *Settings) hvPath() string {
	if hv, err := appliance.ParseHV(s.hv()); err == nil {
		return hv.String()
	}
	return s.hv()
}

// explain adds the drive that qemu complains about.
func (h *Handle) explain(err error) string {
	var de *appliance.DriveError
	for i, d := range h.drives {
		if (errors.As(err, &de) && de.Drive == i) || strings.Contains(err.Error(), "["+d.abs+"]") {
			return h.explainDrive(d, err)
		}
	}
	return err.Error()
}

// explainDrive adds advice to qemu's message about a drive, where there is some.
func (h *Handle) explainDrive(d *Drive, err error) string {
	if why := err.Error(); strings.Contains(why, "Failed to get") && strings.Contains(why, "lock") {
		return fmt.Sprintf("%s: the image is in use by another program; open it read-only, or end that program (%s)", d.Name, why)
	}
	if d.Protocol != "" {
		return d.title() + ": " + d.remoteReason(err.Error())
	}
	return d.Name + ": " + imageReason(err.Error())
}

// console turns the guest's output into events, and milestones in it into
// launch progress.
type console struct {
	h     *Handle
	began time.Time
	mu    sync.Mutex
	last  string
	step  uint64
	line  string // the last line, if it is not complete yet
	crash string // the kernel's first words about its end
}

// Launch progress is counted in twelfths and only raised when it takes long.
const launchPatience = 5 * time.Second

func (c *console) write(s string) {
	c.h.emit(Event{Type: EventAppliance, Message: s})
	for _, text := range c.warnings(s) {
		c.h.emit(Event{Type: EventWarning, Message: text})
	}
	if strings.Contains(s, "Linux version") {
		c.progress(6)
	}
	if strings.Contains(s, proto.InitStarts) {
		c.progress(9)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last += s; len(c.last) > 4096 {
		c.last = c.last[len(c.last)-4096:]
	}
}

// warnings extracts the daemon's warnings from the console's output. Nothing else there
// begins a line with that word: the kernel puts a time in front.
func (c *console) warnings(s string) (texts []string) {
	const longest = 4096
	c.mu.Lock()
	defer c.mu.Unlock()
	l := strings.Split(c.line+s, "\n")
	for _, line := range l[:len(l)-1] {
		if m := kernelCrash.FindString(line); m != "" && c.crash == "" {
			c.crash = strings.TrimSpace(m)
		}
		if text, ok := strings.CutPrefix(line, proto.WarningMark); ok {
			texts = append(texts, strings.TrimSpace(text))
		}
	}
	c.line = l[len(l)-1]
	c.line = c.line[:min(len(c.line), longest)]
	return texts
}

// kernelCrash matches the first line of a kernel crash.
var kernelCrash = regexp.MustCompile(`(BUG: |kernel BUG |Oops: |general protection fault|divide error: |invalid opcode: |Unable to handle kernel |Kernel panic - not syncing: ).*`)

const kernelCrashed = "the appliance's kernel crashed: "

// crashed is why the guest's kernel has ended, empty if it has not.
func (c *console) crashed() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crash
}

func (c *console) progress(step uint64) {
	if time.Since(c.began) < launchPatience {
		return
	}
	c.mu.Lock()
	again := step <= c.step
	c.step = max(c.step, step)
	c.mu.Unlock()
	if !again {
		c.h.emit(Event{Type: EventProgress, Progress: ProgressEvent{Position: step, Total: 12}})
	}
}

// hint is the guest's last complaint, or empty.
func (c *console) hint() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range strings.Split(c.last, "\n") {
		if i := strings.Index(line, "Kernel panic"); i >= 0 {
			return " (" + strings.TrimSpace(line[i:]) + ")"
		}
		if i := strings.Index(line, proto.InitPrefix); i >= 0 {
			return " (" + strings.TrimSpace(line[i:]) + ")"
		}
	}
	return ""
}

// attachTime is how long a running daemon may take to greet us.
const attachTime = 30 * time.Second

// attach connects to a daemon that is already running.
func (h *Handle) attach(c *Call, path string) error {
	h.state.Store(int32(Launching))
	conn, err := net.Dial("unix", path)
	if err != nil {
		h.state.Store(int32(Config))
		return fmt.Errorf("%s: %w (is 'gofish daemon --listen' running?)", path, errText{proto.ErrnoOf(err)})
	}
	l := &link{channel: conn, conn: proto.NewConn(conn)}
	h.attached.Store(l)
	h.latest.Store(l)
	unwatch := context.AfterFunc(c, l.abort)
	conn.SetReadDeadline(time.Now().Add(attachTime))
	ev, _, err := l.conn.Next(&proto.Progress{})
	unwatch()
	if err != nil || ev != proto.EventLaunch {
		conn.Close()
		h.state.Store(int32(Config))
		return fmt.Errorf("%s: no daemon answers there", path)
	}
	conn.SetReadDeadline(time.Time{})
	h.link = l
	h.state.Store(int32(Ready))
	h.emit(Event{Type: EventLaunchDone})
	return nil
}

// shutdown flushes what the guest has written and ends the appliance. The
// handle is in the config state afterwards, whatever happened.
func (h *Handle) shutdown(ctx context.Context) error {
	l := h.link
	if l == nil {
		h.forget()
		return nil
	}
	var err error
	if h.State() == Ready && h.Settings.Autosync {
		l.closing = true
		h.shorter(true)
		err = calls.Client{Caller: nested{h}}.InternalAutosync(ctx)
		switch e := err.(type) { // the user does not know this action
		case *CallError:
			e.Action = "shutdown"
		case *LinkError:
			e.Action = "shutdown"
		}
	}
	// No call may have reported that the host did not take what the guest wrote.
	if why := h.hostTrouble(err == nil); why != "" {
		err = join(err, why)
	}
	err = h.withShorter(err, true)
	if h.link != nil {
		for _, d := range h.drives {
			h.warnOfGone(d)
		}
		h.link = nil
		if l.vm == nil {
			l.channel.Close()
		} else if serr := l.vm.Stop(context.WithoutCancel(ctx)); serr != nil && err == nil {
			err = &CallError{Text: serr.Error()}
		}
	}
	h.forget()
	return err
}

// forget drops the state that belongs to one appliance.
func (h *Handle) forget() {
	h.state.Store(int32(Config))
	h.drives = nil
	h.features = map[string]int{}
}

// dropLink ends a connection that broke, and says why if qemu does.
func (h *Handle) dropLink() (why string) {
	l := h.link
	h.link = nil
	drives := h.drives
	h.forget()
	if l == nil {
		return ""
	}
	if l.unheard.Load() || l.killed.Load() {
		h.drives = drives // the user wanted to end the call, not the work
	}
	if l.vm == nil {
		l.channel.Close()
	} else {
		why = l.vm.Why()
		if crash := l.console.crashed(); crash != "" {
			why = kernelCrashed + crash
		}
	}
	h.emit(Event{Type: EventSubprocessQuit})
	return why
}

var _ io.Closer = (*Handle)(nil)
