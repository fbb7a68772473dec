package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/hive"
	"gofish/internal/inspect"
)

// InspectOs looks at every file system, one after the other, and remembers what it
// found. One that cannot be mounted or read is skipped: it must not hide the rest.
func (d Actions) InspectOs() ([]string, error) {
	if err := d.unmountAll(); err != nil {
		return nil, err
	}
	devs, done := d.inventory()
	defer done()
	var busy error
	found, warnings := inspect.Inspect(d.volumes(devs), devs, func(mounts []inspect.Mount) (*inspect.Guest, error) {
		if busy != nil {
			return nil, busy
		}
		if busy = d.unmountAll(); busy != nil {
			return nil, busy
		}
		for i, m := range mounts {
			if m.Mountable == inspect.InMemory {
				if err := d.mountEmpty(mounts[1:]); err != nil {
					return nil, err
				}
				continue
			}
			mountable, err := d.devices.Mountable(d.devices.Reverse(m.Mountable))
			if err == nil {
				err = d.mountForLook(devs, mountable, m.Point)
			}
			if err != nil && i == 0 {
				return nil, err
			}
		}
		return d.guest(), nil
	})
	if busy == nil {
		busy = d.unmountAll()
	}
	if busy != nil {
		return nil, busy
	}
	for _, w := range warnings {
		d.warn("%s", w)
	}
	d.inspected = found
	return d.roots(), nil
}

// mountEmpty mounts a root directory in which there is nothing but places for others.
func (d *Daemon) mountEmpty(others []inspect.Mount) error {
	target, err := d.mountTarget("/")
	if err == nil {
		err = unix.Mount("tmpfs", target, "tmpfs", unix.MS_NODEV|unix.MS_NOSUID, "size=1m")
	}
	for _, m := range others {
		if err == nil {
			err = Actions{d}.Mkmountpoint(m.Point)
		}
	}
	return err
}

// mountForLook mounts something read-only for inspection. There may be hundreds of subvolumes, so they
// are mounted without starting a program for each.
func (d *Daemon) mountForLook(devs *inspect.Devices, m Mountable, point string) error {
	if id, ok := devs.Subvolume(m.String()); ok {
		target, err := d.mountTarget(point)
		if err == nil && unix.Mount(string(m.Device), target, "btrfs", unix.MS_RDONLY|unix.MS_NODEV|unix.MS_NOSUID, fmt.Sprint("subvolid=", id)) == nil {
			return nil
		}
	}
	return d.mount(m, point, "ro", "")
}

// guest is the mounted file system as inspection sees it.
func (d Actions) guest() *inspect.Guest {
	return &inspect.Guest{
		FS: guestFS{d.Daemon},
		Architecture: func(path string) string {
			arch, err := d.FileArchitecture(Path(path))
			if err != nil {
				return ""
			}
			return arch
		},
		Registry: d.registry,
	}
}

// registry opens a hive of the guest.
func (d *Daemon) registry(path string) (inspect.Registry, error) {
	f, err := d.openContent(Path(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxHive+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxHive {
		return nil, fmt.Errorf("%s: larger than any registry hive", path)
	}
	h, err := hive.Open(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return registry{h}, nil
}

// maxHive is the size of the largest hive that is read.
const maxHive = 256 << 20

type registry struct{ *hive.Hive }

func (r registry) Value(key, name string) (text string, raw []byte, ok bool) {
	k, ok := r.Find(key)
	if !ok {
		return "", nil, false
	}
	v, ok := r.Hive.Value(k, name)
	if v.Type == hive.TypeString || v.Type == hive.TypeExpandString {
		text = hive.Text(v.Data)
	}
	return text, v.Data, ok
}

func (r registry) Subkeys(key string) []string {
	k, ok := r.Find(key)
	if !ok {
		return nil
	}
	var l []string
	for _, s := range r.Hive.Subkeys(k) {
		l = append(l, r.Name(s))
	}
	return l
}

func (r registry) Values(key string) []string {
	k, ok := r.Find(key)
	if !ok {
		return nil
	}
	return r.ValueNames(k)
}

// guestFS shows the mounted guest to package io/fs.
type guestFS struct{ d *Daemon }

func (g guestFS) Open(name string) (fs.File, error) {
	f, err := g.d.open(Path("/"+name), unix.O_RDONLY, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f, nil
}

func (g guestFS) Stat(name string) (fs.FileInfo, error) {
	f, err := g.d.root.Handle(Path("/"+name), false)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	defer f.Close()
	return f.Stat()
}

func (g guestFS) Lstat(name string) (fs.FileInfo, error) {
	f, err := g.d.root.Handle(Path("/"+name), true)
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	defer f.Close()
	return f.Stat()
}

func (g guestFS) ReadLink(name string) (string, error) {
	return Actions{g.d}.Readlink(Path("/" + name))
}

func (d *Daemon) roots() []string {
	l := []string{}
	for _, f := range d.inspected {
		if f.Role == inspect.Root {
			l = append(l, f.Mountable)
		}
	}
	return l
}

func (d Actions) InspectGetRoots() ([]string, error) {
	if d.inspected == nil {
		return []string{}, nil
	}
	return d.roots(), nil
}

// inspectedOS is the system whose root a mountable is.
func (d *Daemon) inspectedOS(root Mountable) (*inspect.OS, error) {
	if d.inspected == nil {
		return nil, errors.New("no inspection data: call guestfs_inspect_os first")
	}
	for _, f := range d.inspected {
		if f.Role == inspect.Root && f.Mountable == root.String() {
			return f.OS, nil
		}
	}
	return nil, fmt.Errorf("%s: root device not found: only call this function with a root device previously returned by guestfs_inspect_os", d.devices.Reverse(root.String()))
}

// known is a text that inspection found, or "unknown".
func (d *Daemon) known(root Mountable, get func(*inspect.OS) string) (string, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return "", err
	}
	if s := get(o); s != "" {
		return s, nil
	}
	return "unknown", nil
}

func (d Actions) InspectGetFormat(root Mountable) (string, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return "", err
	}
	if o.Media != nil {
		return "installer", nil
	}
	return "installed", nil
}

func (d Actions) InspectGetType(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.Type })
}

func (d Actions) InspectGetDistro(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.Distro })
}

func (d Actions) InspectGetProductName(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.Product })
}

func (d Actions) InspectGetProductVariant(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.Variant })
}

func (d Actions) InspectGetArch(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.Arch })
}

func (d Actions) InspectGetHostname(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.Hostname })
}

func (d Actions) InspectGetBuildId(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.BuildID })
}

func (d Actions) InspectGetPackageFormat(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.PackageFormat })
}

func (d Actions) InspectGetPackageManagement(root Mountable) (string, error) {
	return d.known(root, func(o *inspect.OS) string { return o.Manager })
}

func (d Actions) InspectGetMajorVersion(root Mountable) (int, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return 0, err
	}
	return o.Major, nil
}

func (d Actions) InspectGetMinorVersion(root Mountable) (int, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return 0, err
	}
	return o.Minor, nil
}

// ofMedia is the answer to a question about media: false for an installed system.
func (d *Daemon) ofMedia(root Mountable, is func(*inspect.Media) bool) (bool, error) {
	o, err := d.inspectedOS(root)
	return err == nil && o.Media != nil && is(o.Media), err
}

func (d Actions) InspectIsLive(root Mountable) (bool, error) {
	return d.ofMedia(root, func(m *inspect.Media) bool { return m.Live })
}

func (d Actions) InspectIsNetinst(root Mountable) (bool, error) {
	return d.ofMedia(root, func(m *inspect.Media) bool { return m.Netinst })
}

func (d Actions) InspectIsMultipart(root Mountable) (bool, error) {
	return d.ofMedia(root, func(m *inspect.Media) bool { return m.Multipart })
}

// ofWindows is the answer to a question about Windows; an error for other systems.
func (d *Daemon) ofWindows(root Mountable, what string, get func(*inspect.Windows) string) (string, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return "", err
	}
	if o.Windows != nil {
		if s := get(o.Windows); s != "" {
			return s, nil
		}
	}
	return "", errors.New("not a Windows guest, or " + what)
}

func (d Actions) InspectGetWindowsSystemroot(root Mountable) (string, error) {
	return d.ofWindows(root, "systemroot could not be determined", func(w *inspect.Windows) string { return w.SystemRoot })
}

func (d Actions) InspectGetWindowsSoftwareHive(root Mountable) (string, error) {
	return d.ofWindows(root, "software hive not found", func(w *inspect.Windows) string { return w.SoftwareHive })
}

func (d Actions) InspectGetWindowsSystemHive(root Mountable) (string, error) {
	return d.ofWindows(root, "system hive not found", func(w *inspect.Windows) string { return w.SystemHive })
}

func (d Actions) InspectGetWindowsCurrentControlSet(root Mountable) (string, error) {
	return d.ofWindows(root, "CurrentControlSet could not be determined", func(w *inspect.Windows) string { return w.ControlSet })
}

func (d Actions) InspectGetWindowsGroupPolicy(root Mountable) (bool, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return false, err
	}
	return o.Windows != nil && o.Windows.GroupPolicy, nil
}

func (d Actions) InspectGetDriveMappings(root Mountable) (api.Hash, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return nil, err
	}
	h := api.Hash{}
	if o.Windows != nil {
		for _, drive := range o.Windows.Drives {
			h = append(h, api.Pair{Key: drive.Letter, Value: drive.Device})
		}
	}
	return h, nil
}

func (d Actions) InspectGetMountpoints(root Mountable) (api.Hash, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return nil, err
	}
	h := api.Hash{}
	for _, m := range slices.Backward(o.Mounts) {
		if m.Point != "" {
			h = append(h, api.Pair{Key: m.Point, Value: m.Mountable})
		}
	}
	return h, nil
}

func (d Actions) InspectGetFilesystems(root Mountable) ([]string, error) {
	o, err := d.inspectedOS(root)
	if err != nil {
		return nil, err
	}
	l := []string{}
	for _, m := range slices.Backward(o.Mounts) {
		l = append(l, m.Mountable)
	}
	return l, nil
}
