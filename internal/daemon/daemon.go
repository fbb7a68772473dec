package daemon

import (
	"context"
	"errors"
	"os"
	"reflect"
	"sync"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/guestroot"
	"gofish/internal/inspect"
	"gofish/internal/library"
	"gofish/internal/proto"
)

// Config says how a daemon works.
type Config struct {
	Sysroot string // where the guest is mounted: /sysroot, or / in a live guest
	Live    bool   // a live guest: nothing is mounted or unmounted on its behalf
	Verbose bool
	Network bool
}

// Daemon is the state of one appliance.
type Daemon struct {
	cfg       Config
	root      *guestroot.Root
	devices   *Devices
	funcs     map[string]*api.Func
	events    *kernelEvents        // nil in a live guest
	kernel    *kmsg                // its messages during the current call
	inspected []inspect.Filesystem // by the last inspect_os; nil: never
	inotify   *watcher             // nil: not in use
	yaraRules *os.File             // compiled; nil: none
	bulk      *bulkDisk            // replaces the stream of the next call
	nodes     *nodes               // that the handle knows by number; nil: none
	streamErr error                // why the transfer of the last file that was sent was broken off
	libraries *library.Servers
	noSetuid  map[string]bool       // mount points whose setuid programs have no effect for commands either
	lvmFilter []string              // patterns that the user has set
	lvmSees   func(dev string) bool // what they let through; nil: everything
	lvmTold   map[string]bool       // warnings about volumes and groups that were already issued
	// call is the context of the call that is being served, one at a time.
	// Everything that may take long checks it, and tools run in it.
	call      context.Context
	maxResult int // bytes that the reply to it may have
	// background counts processes that tools have left running, which keep file systems busy.
	background sync.WaitGroup

	// baseDevice is what the sysroot is on while nothing is mounted; 0: unknown.
	baseDevice uint64

	umaskMu sync.Mutex
}

// Actions has a method for every action of the catalogue with a procedure number,
// except those that a library server does.
type Actions struct{ *Daemon }

// New prepares a daemon. It panics if a handler disagrees with the catalogue.
func New(cfg Config) *Daemon {
	d := &Daemon{cfg: cfg, maxResult: proto.MaxMessage, call: context.Background(), root: guestroot.New(cfg.Sysroot), libraries: library.NewServers(cfg.Sysroot), kernel: listenKmsg(), noSetuid: map[string]bool{}, lvmTold: map[string]bool{}}
	d.devices = NewDevices("/sys", "/dev", d.output)
	var served []*api.Action
	for _, a := range api.All.Actions() {
		if a.Proc != 0 && a.Library == "" {
			served = append(served, a)
		}
	}
	var st unix.Stat_t
	if mps, err := d.mountsBelow(); err == nil && len(mps) == 0 && unix.Stat(d.root.Dir(), &st) == nil {
		d.baseDevice = st.Dev
	}
	d.funcs = api.Bind(Actions{d}, reflect.TypeFor[*Call](), paramTypes, served)
	return d
}

// mounted reports whether anything is mounted at the sysroot or below.
func (d *Daemon) mounted() bool {
	if d.cfg.Live {
		return true
	}
	// Nearly always the root itself is mounted, and then it is another device
	// than the base: one system call instead of reading the list of mounts.
	var st unix.Stat_t
	if d.baseDevice != 0 && unix.Stat(d.root.Dir(), &st) == nil && st.Dev != d.baseDevice {
		return true
	}
	mps, err := d.mountsBelow()
	return err == nil && len(mps) > 0
}

// errNotMounted is the error of a call that needs a file system.
var errNotMounted = errors.New("you must call 'mount' first to mount the root filesystem")
