package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/guestroot"
)

func (d Actions) Mount(mountable Mountable, mountpoint string) error {
	return d.mount(mountable, mountpoint, "", "")
}

func (d Actions) MountRo(mountable Mountable, mountpoint string) error {
	return d.mount(mountable, mountpoint, "ro", "")
}

func (d Actions) MountOptions(options string, mountable Mountable, mountpoint string) error {
	return d.mount(mountable, mountpoint, options, "")
}

func (d Actions) MountVfs(options, vfstype string, mountable Mountable, mountpoint string) error {
	return d.mount(mountable, mountpoint, options, vfstype)
}

// mount mounts a device or a subvolume on a directory of the guest.
func (d *Daemon) mount(m Mountable, mountpoint, options, fstype string) error {
	target, err := d.mountTarget(mountpoint)
	if err != nil {
		return fmt.Errorf("%s: %w", d.shownMountable(m), err)
	}
	if m.Folder != "" || m.Volume != "" {
		err = d.mountPart(m, target, options, fstype)
	} else {
		err = d.mountTool(fstype, options, string(m.Device), target)
	}
	var te *ToolError
	if errors.As(err, &te) && te.Text != "" {
		return fmt.Errorf("mount exited with status %d: %w", te.Status, err)
	}
	return err
}

// distrust is how all file systems of guests are mounted: device nodes in them
// have no effect here, and neither do set-ID bits of programs.
// The requested options come after it, and win.
const distrust = "nodev,nosuid"

// mountTool runs mount(8), which knows the helpers of file systems that are not the
// kernel's, for a file system of the guest.
func (d *Daemon) mountTool(fstype, options, source, target string) error {
	all := distrust
	if options != "" {
		all += "," + options
	}
	device, fstype, tried := d.padded(source, fstype)
	args := []string{"mount", "-o", all}
	if fstype != "" {
		args = append(args, "-t", fstype)
	}
	kernel := listenKmsg()
	defer kernel.Close()
	err := d.run(append(args, device, target)...)
	tried()
	if err == nil {
		err = d.refuseUnsafeNTFS(options, source, target)
	} else {
		err = d.withKernelsReason(err, kernel, fstype, source)
	}
	if err == nil {
		tellAllErrors(source)
		// For commands of the guest, its setuid programs work unless the client asked for nosuid.
		d.noSetuid[target] = asksNoSetuid(options)
	}
	return err
}

// wrongType is what mount(8) says, whatever the kernel's reason was.
const wrongType = "wrong fs type, bad option, bad superblock on "

// mountFailed is what mount(8) says of an error that it has no words for: only the mount
// point is in it, which nobody asked about.
var mountFailed = regexp.MustCompile(`(?m)^mount: .*: mount\(2\) system call failed: (.*?)\.?$`)

// withKernelsReason replaces mount(8)'s guesses with what the kernel has logged.
func (d *Daemon) withKernelsReason(err error, kernel *kmsg, fstype, source string) error {
	var te *ToolError
	if !errors.As(err, &te) {
		return err
	}
	if fstype == "" || fstype == "auto" {
		fstype = d.probeType(source)
	}
	if why, after, ok := strings.Cut(te.Text, "Failed to mount '"); ok && fstype == "ntfs" {
		te.Text = ntfsReason(te.Status, why, after)
		return err
	}
	guess := strings.Contains(te.Text, wrongType)
	if fstype == "" && guess {
		// Every file system of the kernel has tried it.
		te.Text = "no known file system was found"
		return err
	}
	silent := mountFailed.MatchString(te.Text)
	te.Text = mountFailed.ReplaceAllString(te.Text, "$1")
	name := filepath.Base(source)
	if real, err := filepath.EvalSymlinks(source); err == nil {
		name = filepath.Base(real)
	}
	reasons := kernel.about(name, fstype)
	if len(reasons) == 0 {
		if silent {
			te.Text += "\nthe kernel does not say why: the file system may be damaged"
		}
		return err
	}
	said := renamed(strings.Join(reasons, "; "), name, d.shownDevice(Device(source)))
	if guess {
		te.Text = "the kernel says: " + said
	} else {
		te.Text += "\nthe kernel says: " + said
	}
	return err
}

// inconsistentNTFS is a status of ntfs-3g, as its manual page lists them.
const inconsistentNTFS = 13

// ntfsReason is what ntfs-3g says, without its advice about hardware: reasons, then an
// error of the system and a text of many lines.
func ntfsReason(status int, why, after string) string {
	why = strings.TrimRight(sentence(why), ".")
	if why == "" {
		_, after, _ = strings.Cut(after, "': ")
		why, _, _ = strings.Cut(after, "\n")
	}
	if status == inconsistentNTFS {
		why += ": this NTFS is damaged, or Windows was not shut down: ntfsfix mends what is simple, chkdsk /f on Windows the rest"
	}
	return why
}

// refuseUnsafeNTFS undoes a mount that should be writable but is not: ntfs-3g continues
// read-only on its own if Windows has not shut down cleanly.
func (d *Daemon) refuseUnsafeNTFS(options, source, target string) error {
	if slices.Contains(strings.Split(options, ","), "ro") {
		return nil
	}
	var fs unix.Statfs_t
	const fuse = 0x65735546
	if unix.Statfs(target, &fs) != nil || int64(fs.Type) != fuse || fs.Flags&unix.ST_RDONLY == 0 {
		return nil
	}
	if ro, err := blockdevGet[int32](d, Device(source), "read-only", unix.BLKROGET); err != nil || ro != 0 || d.probeType(source) != "ntfs" {
		return nil
	}
	unix.Unmount(target, 0)
	return fmt.Errorf("%s: this Windows is hibernated or was not shut down (its fast startup does the same), so the NTFS file system can only be read: "+
		"use --ro or mount-ro; or mount-options with remove_hiberfile, which loses what was in memory, or ntfsfix", d.shownDevice(Device(source)))
}

// asksNoSetuid reports whether options that a client gives leave setuid programs
// without effect.
func asksNoSetuid(options string) (no bool) {
	for _, o := range strings.Split(options, ",") {
		switch o {
		case "nosuid", "user", "users", "owner", "group":
			no = true
		case "suid":
			no = false
		}
	}
	return no
}

// mountPart mounts a folder or a subvolume of a file system: first the whole file system in a private
// place, then the part from there. The name is not passed as a mount option, which could not have a
// comma. Links on the way stay inside the file system.
func (d *Daemon) mountPart(m Mountable, target, options, fstype string) error {
	tmp, err := os.MkdirTemp("/tmp", "mount-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if m.Volume != "" || d.probeType(string(m.Device)) == "btrfs" {
		options = strings.TrimPrefix(options+","+btrfsTop, ",")
	}
	if err := d.mountTool(fstype, options, string(m.Device), tmp); err != nil {
		return err
	}
	defer unix.Unmount(tmp, unix.MNT_DETACH)
	d.noSetuid[target] = d.noSetuid[tmp]
	delete(d.noSetuid, tmp)
	var from string
	if m.Volume != "" {
		from, err = d.subvolumeIn(tmp, m)
	} else {
		from, err = guestroot.New(tmp).Host(Path("/" + m.Folder))
		if err == nil && !isDir(from) {
			err = syscall.ENOTDIR
		}
		err = wrap(err, "%s: /%s", d.shownDevice(m.Device), m.Folder)
	}
	if err != nil {
		return err
	}
	return wrap(unix.Mount(from, target, "", unix.MS_BIND, ""), "%s: /%s", d.shownDevice(m.Device), m.Folder+m.Volume)
}

// btrfsTop is the option that mounts all of a btrfs, whatever its default is.
const btrfsTop = "subvolid=5"

// subvolumeIn is the directory of a subvolume, where all of its file system is mounted.
func (d *Daemon) subvolumeIn(dir string, m Mountable) (string, error) {
	host, err := guestroot.New(dir).Host(Path("/" + m.Volume))
	if err != nil || !isSubvolume(host) {
		return "", fmt.Errorf("%s: there is no subvolume %s (see btrfs-subvolume-list)", d.shownDevice(m.Device), m.Volume)
	}
	return host, nil
}

// mountTarget is the directory of the appliance that a mount point of the guest is.
func (d *Daemon) mountTarget(mountpoint string) (string, error) {
	if mountpoint == "" {
		mountpoint = "/"
	}
	notDirectory := fmt.Errorf("mount: %s: mount point is not a directory", mountpoint)
	if !strings.HasPrefix(mountpoint, "/") {
		return "", notDirectory
	}
	target, err := d.root.Host(Path(mountpoint))
	if errors.Is(err, syscall.ENOENT) {
		return "", fmt.Errorf("%s: there is no such directory to mount it on", mountpoint)
	}
	if errors.Is(err, syscall.ENOTDIR) || err == nil && !isDir(target) {
		return "", notDirectory
	}
	if err != nil {
		return "", wrap(err, "%s", mountpoint)
	}
	return target, nil
}

func (d Actions) MountLoop(file, mountpoint Path) error {
	defer d.root.Keep(false)
	host, err := d.fileArg(file)
	if err != nil {
		return err
	}
	target, err := d.mountTarget(string(mountpoint))
	if err != nil {
		return err
	}
	if err := d.mountTool("", "loop", host, target); err != nil {
		return fmt.Errorf("%s on %s: %w", file, mountpoint, err)
	}
	return nil
}

func (d Actions) Remount(mountpoint Path, o types.RemountOptions) error {
	if o.RW == nil {
		return errors.New("parameter 'rw' must be specified")
	}
	target, err := d.root.Host(mountpoint)
	if err != nil {
		return fmt.Errorf("%s: %w", mountpoint, err)
	}
	options := "remount,ro"
	if *o.RW {
		options = "remount,rw"
	}
	if err := d.run("mount", "-o", options, target); err != nil {
		return fmt.Errorf("%s: %s: %w", mountpoint, options, err)
	}
	return nil
}

func (d Actions) Umount(pathordevice DevOrPath, o types.UmountOptions) error {
	args := []string{"umount"}
	if !isTrue(o.Force) && !isTrue(o.LazyUnmount) {
		d.background.Wait()
	}
	if isTrue(o.Force) {
		args = append(args, "-f")
	}
	if isTrue(o.LazyUnmount) {
		args = append(args, "-l")
	}
	name, target := d.shownDevice(pathordevice.Device), paddedFor(string(pathordevice.Device))
	if p := pathordevice.Path; p != "" {
		host, err := d.root.Host(p)
		if err != nil {
			return wrap(err, "%s", p)
		}
		name, target = string(p), host
	}
	if target == d.root.Dir() && !d.rootMounted() {
		//lint:ignore ST1005 guestfish says it so
		return fmt.Errorf("%s: umount: %s: not mounted.", name, target) // only the base is
	}
	if err := d.run(append(args, target)...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// rootMounted reports whether the guest's root directory is mounted, rather than
// only something below it.
func (d *Daemon) rootMounted() bool {
	l, err := d.mountsBelow()
	return err == nil && slices.ContainsFunc(l, func(m mountEntry) bool { return m.Point == d.root.Dir() })
}

// unmountAll unmounts everything in the guest, the innermost first. Files that libraries
// have open there are closed.
func (d *Daemon) unmountAll() error {
	d.libraries.CloseAll()
	d.background.Wait()
	l, err := d.mountsBelow()
	if err != nil {
		return err
	}
	// Longer paths first and, on one path, what was mounted last.
	slices.Reverse(l)
	sort.SliceStable(l, func(i, j int) bool { return len(l[i].Point) > len(l[j].Point) })
	for _, m := range l {
		if err := unix.Unmount(m.Point, 0); err != nil {
			// Something keeps it busy: umount(8) may say what.
			if err := d.run("umount", m.Point); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d Actions) UmountAll() error { return d.unmountAll() }

func (d Actions) Mounts() ([]string, error) {
	l, err := d.mountsBelow()
	out := []string{}
	for _, m := range l {
		out = append(out, m.mountable())
	}
	return out, err
}

func (d Actions) Mountpoints() (api.Hash, error) {
	l, err := d.mountsBelow()
	h := api.Hash{}
	for _, m := range l {
		h = append(h, api.Pair{Key: m.mountable(), Value: string(d.root.Guest(m.Point))})
	}
	return h, err
}

func (d Actions) Mkmountpoint(exemptpath string) error {
	return d.inParent(exemptpath, func(dir int, base string) error { return unix.Mkdirat(dir, base, 0o777) })
}

func (d Actions) Rmmountpoint(exemptpath string) error {
	return d.inParent(exemptpath, func(dir int, base string) error { return unix.Unlinkat(dir, base, unix.AT_REMOVEDIR) })
}

// inParent has fn work on a name in its directory. Nothing needs to be mounted.
func (d *Daemon) inParent(path string, fn func(dir int, base string) error) error {
	if !strings.HasPrefix(path, "/") {
		return errors.New("path must start with a / character")
	}
	dir, base, err := d.root.Parent(Path(path))
	if err != nil {
		return wrap(err, "%s", path)
	}
	defer dir.Close()
	return wrap(fn(int(dir.Fd()), base), "%s", path)
}

func (d Actions) InternalParseMountable(mountable Mountable) (api.InternalMountable, error) {
	m := api.InternalMountable{Device: api.DeviceField(mountable.Device), Volume: mountable.Volume}
	if mountable.Volume != "" {
		m.Type = 1
	}
	return m, nil
}

func (d Actions) Df() (string, error) {
	return d.df()
}

func (d Actions) DfH() (string, error) {
	return d.df("-h")
}

func (d *Daemon) df(args ...string) (string, error) {
	if !d.mounted() {
		return "", errNotMounted
	}
	return d.output(append([]string{"df"}, args...)...)
}

func (d Actions) Statvfs(path Path) (api.StatVFS, error) {
	f, err := d.root.Handle(path, false)
	if err != nil {
		return api.StatVFS{}, fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	s, err := fstatvfs(int(f.Fd()))
	if err != nil {
		return api.StatVFS{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func fstatvfs(fd int) (api.StatVFS, error) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(fd, &s); err != nil {
		return api.StatVFS{}, err
	}
	frsize := s.Frsize
	if frsize == 0 {
		frsize = s.Bsize
	}
	const stValid = 0x20 // set by the kernel in f_flags, not a flag of the file system
	return api.StatVFS{
		Bsize: s.Bsize, Frsize: frsize,
		Blocks: int64(s.Blocks), Bfree: int64(s.Bfree), Bavail: int64(s.Bavail),
		Files: int64(s.Files), Ffree: int64(s.Ffree), Favail: int64(s.Ffree),
		Fsid:    int64(uint64(uint32(s.Fsid.Val[0])) | uint64(uint32(s.Fsid.Val[1]))<<32),
		Flag:    s.Flags &^ stValid,
		Namemax: s.Namelen,
	}, nil
}

func (d Actions) Sync() error { return d.syncAll() }

// syncAll writes everything back: of each mounted file system, so that an error
// of an earlier write is not lost, and of each disk.
func (d *Daemon) syncAll() error {
	var first error
	keep := func(what string, err error) {
		if err != nil && first == nil {
			first = fmt.Errorf("%s: %w", what, err)
		}
	}
	l, err := d.mountsBelow()
	keep("mounts", err)
	for _, m := range l {
		f, err := os.Open(m.Point)
		if err != nil {
			continue
		}
		keep(string(d.root.Guest(m.Point)), unix.Syncfs(int(f.Fd())))
		f.Close()
	}
	unix.Sync()
	keep("disks", d.flushDisks())
	return first
}

// flushDisks writes the kernel's cache of each disk to the host.
func (d *Daemon) flushDisks() error {
	if d.cfg.Live {
		return nil
	}
	var first error
	for i, name := range d.devices.disks() {
		f, err := os.Open(filepath.Join("/dev", name))
		if err != nil {
			continue // no medium
		}
		if err := unix.Fsync(int(f.Fd())); err != nil && first == nil {
			first = fmt.Errorf("/dev/sd%s: %w", api.DriveLetters(i), err)
		}
		f.Close()
	}
	return first
}

func (d Actions) Fsck(fstype string, device Device) (int, error) {
	// fsck(8) takes a type that begins with "no" as: any other type.
	auto, is := fstype == "" || fstype == "auto", fstype
	if auto || strings.HasPrefix(fstype, "no") {
		is = d.probeType(string(device))
	}
	if auto {
		if is == "" {
			return 0, fmt.Errorf("%s: nothing was checked: no known file system was found", d.shownDevice(device))
		}
		fstype = is
	}
	unchecked := func(why string) { d.warn("fsck: %s: nothing was checked: %s", d.shownDevice(device), why) }
	by := fsckOf[is]
	if by != "" {
		by = "for " + is + " that is done by " + by
	}
	// It says nothing if it has no program for a type.
	if _, err := exec.LookPath("fsck." + is); err != nil && plainName.MatchString(is) {
		if is == "ntfs" {
			if status, said := d.probeNTFS(device); status != 0 {
				d.warn("fsck: %s: %s", d.shownDevice(device), said)
				return status, nil
			}
		}
		unchecked(cmp.Or(by, "there is no program that does that for "+is))
		return 0, nil
	}
	out, err := d.output("fsck", "-a", "-t", fstype, string(device))
	var te *ToolError
	status := 0
	if errors.As(err, &te) && te.Status >= 0 {
		status, err = te.Status, nil
		out = te.Text + "\n" + out
	}
	const failed = 8 // fsck(8)
	switch {
	case err != nil:
	case unreadable(out):
		return 0, fmt.Errorf("%s: %s", d.shownDevice(device), sentence(out))
	case by != "":
		unchecked(by)
	case status >= failed:
		unchecked(sentence(out))
	case isFAT(is) && status == 1 && !strings.Contains(out, "clusters"):
		unchecked(sentence(out)) // this status also covers errors that were corrected
	case isExt(is) && status&uncorrected != 0:
		d.warn("fsck: %s: errors are left: e2fsck with forceall:true repairs all of it, where files may be lost", d.shownDevice(device))
	case strings.Contains(out, ": clean, "):
		d.warn("fsck: %s: nothing was checked, as it is marked clean (see e2fsck)", d.shownDevice(device))
	case markedClean.MatchString(out):
		d.warn("fsck: %s: nothing was checked, as it is marked clean", d.shownDevice(device))
	}
	return status, err
}

// markedClean is what the programs for Minix, F2FS and JFS say if they skip the check.
var markedClean = regexp.MustCompile(`is clean, no check|No error was reported|Replay Journal Log\s+Filesystem is clean`)

// uncorrected is fsck(8)'s status if errors are left.
const uncorrected = 4

// probeNTFS is the status of fsck(8) for an NTFS that its driver would not take since it
// is damaged, with what the driver says.
func (d *Daemon) probeNTFS(device Device) (int, string) {
	out, err := (&Tool{Args: []string{"ntfs-3g.probe", "--readonly", string(device)}}).Output(d.call)
	var te *ToolError
	if !errors.As(err, &te) || te.Status != inconsistentNTFS {
		return 0, ""
	}
	return uncorrected, "is damaged, which ntfsfix may mend: " + sentence(te.Text+"\n"+out)
}

// fsckOf are the calls that check file systems whose fsck does nothing, or that have none.
var fsckOf = map[string]string{"xfs": "xfs-repair", "btrfs": "btrfs-fsck", "ntfs": "ntfsfix"}

func (d Actions) Fstrim(mountpoint Path, o types.FstrimOptions) error {
	target, err := d.root.Host(mountpoint)
	if err != nil {
		return fmt.Errorf("%s: %w", mountpoint, err)
	}
	args := []string{"fstrim"}
	for _, opt := range []struct {
		flag, name string
		value      *int64
	}{{"-o", "offset", o.Offset}, {"-l", "length", o.Length}, {"-m", "minimumfreeextent", o.MinimumFreeExtent}} {
		if opt.value == nil {
			continue
		}
		if *opt.value < 0 {
			return fmt.Errorf("%s < 0", opt.name)
		}
		args = append(args, opt.flag, fmt.Sprint(*opt.value))
	}
	if err := d.run(append(args, target)...); err != nil {
		return fmt.Errorf("%s: %w", mountpoint, err)
	}
	return nil
}

// ListFilesystems looks at everything that could hold a file system: disks that
// are not partitioned, partitions, RAID arrays, volumes and mapped devices.
func (d Actions) ListFilesystems() (api.Hash, error) {
	h := api.Hash{}
	add := func(dev string) {
		typ := d.probeType(dev)
		switch {
		case typ == "":
			h = append(h, api.Pair{Key: dev, Value: "unknown"})
		case strings.HasSuffix(typ, "_member"), typ == "crypto_LUKS", typ == "BitLocker":
			// a container, whose content appears on its own
		case typ == "btrfs":
			h = append(h, d.btrfsVolumes(dev)...)
		default:
			h = append(h, api.Pair{Key: dev, Value: typ})
		}
	}
	for _, name := range d.devices.disks() {
		dev := filepath.Join("/dev", name)
		if !openable(dev) {
			continue
		}
		var parts []string
		for _, n := range d.devices.partitionNumbers(name) {
			parts = append(parts, dev+fmt.Sprint(n))
		}
		if len(parts) == 0 || d.holdsCD(dev, parts) {
			add(dev)
		}
	}
	var partitions []string
	for _, name := range d.devices.disks() {
		for _, n := range d.devices.partitionNumbers(name) {
			partitions = append(partitions, filepath.Join("/dev", name)+fmt.Sprint(n))
		}
	}
	for _, dev := range append(partitions, mdPartitions()...) {
		if d.holdsFilesystem(dev) {
			add(dev)
		}
	}
	for _, dev := range d.mdDevices() {
		if len(globAll("/sys/class/block/"+filepath.Base(dev)+"/md*/partition")) == 0 {
			add(dev)
		}
	}
	for _, dev := range d.logicalVolumes() {
		add(dev)
	}
	for _, dev := range d.mappedDevices() {
		add(dev)
	}
	return h, nil
}

// Partitions of these types hold no file system even where something looks like one.
var notFilesystem = map[string]bool{
	"0x5": true, "0xf": true, "0x85": true, // extended
	"0x42":                                 true, // Windows dynamic disk
	"e3c9e316-0b5c-4db8-817d-f92df00215ae": true, // Microsoft reserved
	"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": true, // dynamic disk, metadata
	"af9b60a0-1431-4f62-bc68-3311714a69ad": true, // dynamic disk, data
	"21686148-6449-6e6f-744e-656564454649": true, // BIOS boot
}
