package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/hive"
	"gofish/internal/inspect"
)

// InspectOs looks at every file system, one after the other, and remembers what it
// found. One that cannot be mounted or read is left out: it must not hide the rest.
func (d Actions) InspectOs() ([]string, error) {
	if err := d.unmountAll(); err != nil {
		return nil, err
	}
	all, err := d.ListFilesystems()
	if err != nil {
		return nil, err
	}
	var found []inspect.Filesystem
	for _, e := range all {
		m, err := d.devices.Mountable(d.devices.Reverse(e.Key))
		if err != nil {
			continue
		}
		switch e.Value {
		case "unknown":
		case "swap":
			found = append(found, inspect.Filesystem{Mountable: e.Key, Role: inspect.Swap})
		default:
			if d.mount(m, "/", "ro", "") != nil {
				continue
			}
			found = append(found, inspect.Examine(d.guest(), e.Key))
			if err := d.unmountAll(); err != nil {
				return nil, err
			}
		}
	}
	d.inspected = inspect.Combine(found)
	return d.roots(), nil
}

// guest is the mounted file system as inspection sees it.
func (d Actions) guest() *inspect.Guest {
	return &inspect.Guest{
		FS:     guestFS{d.Daemon},
		Device: d.deviceOfGuest,
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

// deviceOfGuest finds a device by what the guest calls it.
func (d *Daemon) deviceOfGuest(tag, value string) string {
	switch tag {
	case "":
		return d.namedDevice(value)
	case "DM_NAME":
		return d.namedDevice("/dev/mapper/" + value)
	case "MD_UUID", "MD_NAME":
		if l := arraysOf(tag, value); len(l) > 0 {
			return l[0]
		}
		return ""
	case "disk", "bsd":
		letters, part, _ := strings.Cut(value, ":")
		i, disks := api.DriveIndex(letters), d.devices.disks()
		if i < 0 || i >= len(disks) {
			return ""
		}
		if tag == "bsd" {
			part = bsdPartition(part)
		}
		return d.namedDevice("/dev/" + disks[i] + part)
	case "mbr":
		return d.mbrPartition([]byte(value))
	case "gpt":
		if len(value) != 16 {
			return ""
		}
		tag, value = "PARTUUID", guidText([]byte(value))
	}
	devs, err := d.devices.Tagged(tag, value)
	if err != nil || len(devs) == 0 {
		return ""
	}
	return devs[0]
}

// namedDevice is a block device's name, if it is one that a guest may have.
func (d *Daemon) namedDevice(name string) string {
	name = filepath.Clean(name)
	if !strings.HasPrefix(name, "/dev/") || !openable(name) || strings.HasPrefix(name, "/dev/"+d.devices.rootDisk()) && d.devices.rootDisk() != "" {
		return ""
	}
	return volumeName(name)
}

// bsdPartition is where the kernel shows a partition of a BSD label: behind the
// four of the partition table, without the one that stands for the whole.
func bsdPartition(letter string) string {
	n := int(letter[0] - 'a')
	if n > 2 {
		n--
	}
	return fmt.Sprint(5 + n)
}

// mbrPartition finds a partition by its disk's signature and its first byte, both
// little-endian, as Windows remembers it.
func (d *Daemon) mbrPartition(id []byte) string {
	little := func(b []byte) (n uint64) {
		for i, c := range b {
			n |= uint64(c) << (8 * i)
		}
		return n
	}
	if len(id) != 12 {
		return ""
	}
	for _, disk := range d.devices.disks() {
		f, err := os.Open("/dev/" + disk)
		if err != nil {
			continue
		}
		head := make([]byte, 512)
		_, err = f.ReadAt(head, 0)
		f.Close()
		if err != nil || !slices.Equal(head[0x1b8:0x1bc], id[:4]) {
			continue
		}
		for _, n := range d.devices.partitionNumbers(disk) {
			name := disk + fmt.Sprint(n)
			b, _ := os.ReadFile("/sys/class/block/" + name + "/start")
			var sector uint64
			if fmt.Sscan(string(b), &sector); sector*512 == little(id[4:]) {
				return "/dev/" + name
			}
		}
	}
	return ""
}

// guidText writes a GUID from Windows' memory, where three parts are little-endian.
func guidText(b []byte) string {
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:16])
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

// known is a text that inspection found, or a word for one that it did not.
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

// InspectGetFormat gives the one answer that is left since install media are not
// inspected any more.
func (d Actions) InspectGetFormat(root Mountable) (string, error) {
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

// These questions are about install media, which are not inspected any more: the
// answer is the same for any root.
func (d Actions) InspectIsLive(root Mountable) (bool, error)      { return false, nil }
func (d Actions) InspectIsNetinst(root Mountable) (bool, error)   { return false, nil }
func (d Actions) InspectIsMultipart(root Mountable) (bool, error) { return false, nil }

// ofWindows is something that only Windows has.
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
