package guestfs

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"gofish/internal/handle"
	"gofish/internal/unlock"
)

// Option is a setting of a handle.
type Option func(*config)

type config struct {
	environment func(string) (string, bool)
	settings    []func(*handle.Settings) error
	events      []event
	drive       AddDriveOptions
	keys        unlock.Keyring
}

type event struct {
	mask handle.EventType
	fn   func(handle.Event)
}

func newConfig(options []Option) *config {
	c := &config{}
	for _, o := range options {
		o(c)
	}
	return c
}

func setting(set func(*handle.Settings)) Option {
	return func(c *config) {
		c.settings = append(c.settings, func(s *handle.Settings) error { set(s); return nil })
	}
}

// Options without a value.
var (
	// ReadOnly makes Open use the image for reading only. Nothing keeps others from writing to it
	// meanwhile; what is read then may be inconsistent.
	ReadOnly Option = func(c *config) { c.drive.ReadOnly = new(true) }

	// Network gives the appliance a network, for programs of the guest that need one.
	Network Option = setting(func(s *handle.Settings) { s.Network = true })

	// Untrusted is for images from strangers: an image may only open files that are beside
	// it, and nothing on the network.
	Untrusted Option = setting(func(s *handle.Settings) { s.Untrusted = true })

	// Environment takes settings from the environment, as gofish does: GOFISH_MEMSIZE and
	// the others, or the LIBGUESTFS_ variables of the same names. Nothing of it is read
	// without this option.
	Environment Option = func(c *config) { c.environment = os.LookupEnv }
)

// Format is the format of the image that Open opens: raw, qcow2, vmdk and so on. Without
// it, the image says so itself.
func Format(format string) Option { return func(c *config) { c.drive.Format = &format } }

// Memory is how much memory the appliance has, in bytes.
func Memory(bytes int64) Option {
	return func(c *config) {
		c.settings = append(c.settings, func(s *handle.Settings) error { return s.SetMemory(int(bytes >> 20)) })
	}
}

// CPUs is how many processors the appliance has; one is the default.
func CPUs(n int) Option { return setting(func(s *handle.Settings) { s.SMP = n }) }

// CallTimeout is how long a call may make no progress before it is given up: no data moves,
// and the appliance is idle. 0 means forever; the default is ten minutes.
func CallTimeout(d time.Duration) Option { return setting(func(s *handle.Settings) { s.Timeout = &d }) }

// TempDir is where the drives that exist only for a while are kept; /tmp is the default.
func TempDir(dir string) Option { return setting(func(s *handle.Settings) { s.TmpDir = dir }) }

// CacheDir is where appliances are kept.
func CacheDir(dir string) Option { return setting(func(s *handle.Settings) { s.CacheDir = dir }) }

// Qemu is the qemu program.
func Qemu(program string) Option { return setting(func(s *handle.Settings) { s.HV = program }) }

// Gofish is a gofish program that becomes the appliance's first process in place of this
// program. It must be linked statically.
func Gofish(program string) Option { return setting(func(s *handle.Settings) { s.Init = program }) }

// Attach connects to a running daemon through a Unix socket: Launch waits for it and starts
// no appliance.
func Attach(socket string) Option {
	return setting(func(s *handle.Settings) { s.Backend = "unix:" + socket })
}

// Log writes the messages of qemu, the appliance and the handle to w, line by line.
func Log(w io.Writer) Option {
	var mu sync.Mutex
	write := func(e handle.Event) {
		mu.Lock()
		defer mu.Unlock()
		io.WriteString(w, strings.TrimRight(e.Message, "\n")+"\n")
	}
	verbose := setting(func(s *handle.Settings) { s.Verbose = true })
	return func(c *config) {
		verbose(c)
		c.events = append(c.events, event{handle.EventAppliance | handle.EventLibrary | handle.EventWarning, write})
	}
}

// OnWarning calls fn for everything odd that is not a failure. The function runs in the
// goroutine that makes the call, and must not use the handle.
func OnWarning(fn func(text string)) Option {
	return func(c *config) {
		c.events = append(c.events, event{handle.EventWarning, func(e handle.Event) { fn(e.Message) }})
	}
}

// OnTrace calls fn with a line for every call and one for its result.
func OnTrace(fn func(line string)) Option {
	trace := setting(func(s *handle.Settings) { s.Trace = true })
	return func(c *config) {
		trace(c)
		c.events = append(c.events, event{handle.EventTrace, func(e handle.Event) { fn(e.Message) }})
	}
}

// Progress is how far a long call has come.
type Progress struct {
	Action          string // the action's name in the catalogue; empty for the launch
	Position, Total uint64
}

// OnProgress calls fn while a long call runs. The function must not use the handle.
func OnProgress(fn func(Progress)) Option {
	return func(c *config) {
		c.events = append(c.events, event{handle.EventProgress, func(e handle.Event) {
			fn(Progress{actionOf(e.Progress.Proc), e.Progress.Position, e.Progress.Total})
		}})
	}
}

// findInit sees to it that the appliance has a first process.
func findInit(s *handle.Settings) error {
	if s.Init != "" || s.Backend != "direct" {
		return nil
	}
	self, err := os.Executable()
	if err == nil && isStatic(self) {
		return nil // the handle takes this program
	}
	if s.Init, err = exec.LookPath("gofish"); err == nil && isStatic(s.Init) {
		return nil
	}
	return fmt.Errorf("%s cannot be the appliance's first process: %w", self, errDynamic)
}

var errDynamic = errors.New("it is linked dynamically; build it with CGO_ENABLED=0, put a gofish program on the PATH, or name one with guestfs.Gofish")

// isStatic reports whether a program needs no loader.
func isStatic(name string) bool {
	f, err := elf.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}
