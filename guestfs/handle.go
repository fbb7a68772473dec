package guestfs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/calls"
	"gofish/internal/handle"
	_ "gofish/internal/pid1" // this program is the appliance's first process
	"gofish/internal/unlock"
)

// Errors of calls, and files of the host by name.
type (
	Error     = types.Error
	LinkError = types.LinkError
	HostFile  = types.HostFile
)

// Causes of errors, for errors.Is.
var (
	ErrNotLaunched = types.ErrNotLaunched // the call needs the appliance
	ErrNoDrives    = types.ErrNoDrives    // the appliance needs a drive
)

// Handle is a connection to an appliance with disks, or will be one after Launch.
type Handle struct {
	h     *handle.Handle
	calls calls.Client
	keys  unlock.Keyring

	closing sync.Once
	closed  error

	mu      sync.Mutex
	systems []System
}

// New makes a handle. Its settings are fixed when it is launched.
func New(options ...Option) (*Handle, error) { return newConfig(options).handle() }

// handle makes a handle with the settings.
func (c *config) handle() (*Handle, error) {
	h, err := handle.New(c.environment)
	if err != nil {
		return nil, err
	}
	for _, set := range c.settings {
		if err := set(&h.Settings); err != nil {
			return nil, err
		}
	}
	if err := findInit(&h.Settings); err != nil {
		return nil, err
	}
	for _, e := range c.events {
		h.OnEvent(e.mask, e.fn)
	}
	return &Handle{h: h, calls: calls.Client{Caller: h}, keys: c.keys}, nil
}

// Close ends the appliance after everything that was written has reached the disks, and
// reports if something has not. Calls after the first do nothing.
func (g *Handle) Close() error {
	g.closing.Do(func() { g.closed = g.h.Close() })
	return g.closed
}

// AddDrive attaches a disk image, and returns the name of its device, such as /dev/sda.
// It works before Launch and after. See the action add_drive in gofish's manual for
// the options; without a format, it is detected.
func (g *Handle) AddDrive(ctx context.Context, file string, options ...AddDriveOptions) (device string, err error) {
	running := g.h.State() == handle.Ready
	var before []string
	if running {
		if before, err = g.ListDevices(ctx); err != nil {
			return "", err
		}
	}
	if err := g.calls.AddDrive(ctx, file, options...); err != nil {
		return "", err
	}
	if !running {
		drives, err := g.calls.DebugDrives(ctx)
		return deviceName(len(drives) - 1), err
	}
	after, err := g.ListDevices(ctx)
	if err != nil {
		return "", err
	}
	for _, device = range after {
		if !slices.Contains(before, device) {
			return device, nil
		}
	}
	return "", fmt.Errorf("%s: the appliance does not list the new drive", file)
}

// deviceName is the name of the n-th disk, from 0.
func deviceName(n int) string {
	name := ""
	for n++; n > 0; n = (n - 1) / 26 {
		name = string(rune('a'+(n-1)%26)) + name
	}
	return "/dev/sd" + name
}

// PartitionName is the device of a partition: number 1 of /dev/sda is /dev/sda1.
func PartitionName(device string, number int) string {
	if n := len(device); n > 0 && device[n-1] >= '0' && device[n-1] <= '9' {
		return fmt.Sprintf("%sp%d", device, number)
	}
	return fmt.Sprintf("%s%d", device, number)
}

// System is an operating system on the disks.
type System struct {
	Root        string // mountable of its root file system
	Type        string // linux, windows, freebsd, …
	Distro      string // debian, fedora, …
	ProductName string
	Version     [2]int // major, minor
	Arch        string
	Hostname    string
	Mountpoints Hash // paths, and the mountables that belong there
}

// Systems are the operating systems that Open or Inspect has found.
func (g *Handle) Systems() []System {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.systems
}

// Inspect looks for operating systems on all disks. Media to install one from are left out
// beside one that is installed. What could not be found out of a system is empty or
// "unknown".
func (g *Handle) Inspect(ctx context.Context) ([]System, error) {
	roots, err := g.calls.FindSystems(ctx)
	if err != nil {
		return nil, err
	}
	list := []System{}
	for _, root := range roots {
		s := System{Root: root}
		for _, f := range []struct {
			get func(context.Context, string) (string, error)
			to  *string
		}{
			{g.InspectGetType, &s.Type}, {g.InspectGetDistro, &s.Distro}, {g.InspectGetProductName, &s.ProductName},
			{g.InspectGetArch, &s.Arch}, {g.InspectGetHostname, &s.Hostname},
		} {
			if *f.to, err = f.get(ctx, root); err != nil {
				return nil, err
			}
		}
		for i, get := range []func(context.Context, string) (int, error){g.InspectGetMajorVersion, g.InspectGetMinorVersion} {
			if s.Version[i], err = get(ctx, root); err != nil {
				return nil, err
			}
		}
		if s.Mountpoints, err = g.InspectGetMountpoints(ctx, root); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	g.mu.Lock()
	g.systems = list
	g.mu.Unlock()
	return list, nil
}

// ErrNoSystem and ErrSeveralSystems are errors of Open.
var (
	ErrNoSystem       = errors.New("no operating system was found")
	ErrSeveralSystems = errors.New("there are several operating systems (use New, Inspect and MountSystem)")
)

// Open adds an image, launches the appliance, opens what is encrypted (see Passphrase),
// finds the operating system and mounts its file systems as the running system would.
// Where there is none, or more than one,
// the error is ErrNoSystem or ErrSeveralSystems.
func Open(ctx context.Context, image string, options ...Option) (g *Handle, err error) {
	c := newConfig(options)
	g, err = c.handle()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			g.Close()
			g = nil
		}
	}()
	if _, err = g.AddDrive(ctx, image, c.drive); err != nil {
		return g, err
	}
	if err = g.Launch(ctx); err != nil {
		return g, err
	}
	if _, err = g.Unlock(ctx); err != nil {
		return g, fmt.Errorf("%s: %w", image, err)
	}
	systems, err := g.Inspect(ctx)
	if err != nil {
		return g, err
	}
	switch len(systems) {
	case 0:
		return g, fmt.Errorf("%s: %w", image, ErrNoSystem)
	case 1:
		return g, g.MountSystem(ctx, systems[0], c.drive.ReadOnly != nil && *c.drive.ReadOnly)
	}
	return g, fmt.Errorf("%s: %w", image, ErrSeveralSystems)
}

// MountSystem mounts the file systems of an operating system. One that cannot be mounted
// is left out, with a warning (see OnWarning), unless it is the root.
func (g *Handle) MountSystem(ctx context.Context, s System, readOnly bool) error {
	return g.calls.MountSystem(ctx, s.Mountpoints, readOnly, func(err error) { g.h.Warn("%v (left out)", err) })
}

// actionOf is the name of the action with a procedure number; empty for the launch.
func actionOf(proc uint32) string {
	if a := api.All.ByProc(proc); a != nil {
		return a.Name
	}
	return ""
}
