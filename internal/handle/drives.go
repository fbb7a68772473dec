package handle

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"gofish/internal/appliance"
	"gofish/internal/diskimage"
	"gofish/internal/newfile"
	"gofish/internal/proto"

	"gofish/guestfs/types"
)

// Drive is a disk that has been added to a handle.
type Drive struct {
	Name     string // file as the caller named it; "" for a scratch drive
	abs      string // the same as an absolute path
	Protocol string // empty: a local file
	Server   []string
	User     string
	Secret   string
	Format   string // empty: probed at launch
	ReadOnly bool
	Scratch  int64 // size in bytes of a scratch drive
	target   int   // SCSI target
	options  appliance.Drive
	asked    types.AddDriveOptions // what was asked for, of which some has no effect here
	files    []hostFile            // that it is made of, once it is open
}

var (
	validFormat = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	validLabel  = regexp.MustCompile(`^[A-Za-z0-9]{1,20}$`)
)

// setLabel takes an optional label.
func (d *Drive) setLabel(label *string) error {
	if label == nil {
		return nil
	}
	if d.options.Label = *label; !validLabel.MatchString(*label) {
		return &CallError{Text: "label parameter is empty, too long, or contains disallowed characters"}
	}
	return nil
}

// setBlockSize takes an optional sector size in bytes; 0 leaves it to qemu.
func (d *Drive) setBlockSize(bytes *int) error {
	if bytes == nil || *bytes == 0 {
		return nil
	}
	if d.options.BlockSize = *bytes; d.options.BlockSize != 512 && d.options.BlockSize != 4096 {
		return &CallError{Text: "blocksize parameter is invalid"}
	}
	return nil
}

func (h Actions) AddDrive(c *Call, filename string, o types.AddDriveOptions) error {
	d := &Drive{Name: filename, Protocol: orEmpty(o.Protocol), Server: o.Server, User: orEmpty(o.Username), Secret: orEmpty(o.Secret), asked: o}
	d.ReadOnly = o.ReadOnly != nil && *o.ReadOnly
	if o.Format != nil {
		if d.Format = *o.Format; !validFormat.MatchString(d.Format) {
			return &CallError{Text: "format parameter is empty or contains disallowed characters"}
		}
	}
	if o.Iface != nil {
		if !validFormat.MatchString(*o.Iface) {
			return &CallError{Text: "iface parameter is empty or contains disallowed characters"}
		}
		d.options.Virtio = *o.Iface == "virtio"
	}
	if err := d.setLabel(o.Label); err != nil {
		return err
	}
	if o.Label != nil {
		for _, other := range h.drives {
			if other.options.Label == *o.Label {
				return fmt.Errorf("label %s is used by another drive", *o.Label)
			}
		}
	}
	switch orEmpty(o.CacheMode) {
	case "":
	case "writeback", "unsafe":
		d.options.CacheMode = *o.CacheMode
	default:
		return &CallError{Text: "cachemode parameter must be 'writeback' (default) or 'unsafe'"}
	}
	switch orEmpty(o.Discard) {
	case "", "disable":
	case "enable", "besteffort":
		if d.ReadOnly && *o.Discard == "enable" {
			return &CallError{Text: "discard support cannot be enabled on read-only drives"}
		}
		d.options.Discard = !d.ReadOnly
	default:
		return &CallError{Text: "discard parameter must be 'disable', 'enable' or 'besteffort'"}
	}
	d.options.CopyOnRead = o.CopyOnRead != nil && *o.CopyOnRead
	if err := d.setBlockSize(o.BlockSize); err != nil {
		return err
	}
	if err := d.locate(); err != nil {
		return err
	}
	return h.addDrive(c, d)
}

// addDrive takes a drive in; if the appliance runs, it is plugged in there.
func (h *Handle) addDrive(c *Call, d *Drive) error {
	if len(h.drives) >= maxDrives {
		return &CallError{Text: fmt.Sprintf("too many drives have been added, the current backend only supports %d drives", maxDrives)}
	}
	for _, other := range h.drives {
		d.target = max(d.target, other.target+1)
	}
	if h.State() == Ready {
		if err := h.plug(c, d); err != nil {
			return err
		}
	}
	h.drives = append(h.drives, d)
	return nil
}

// locate finds the file that the caller named, if that is possible before launch.
func (d *Drive) locate() error {
	switch d.Protocol {
	case "", "file":
		if len(d.Server) > 0 {
			return &CallError{Text: "you cannot specify a server with file-backed disks"}
		}
		if d.User != "" {
			return &CallError{Text: "you cannot specify a username with file-backed disks"}
		}
		if d.Secret != "" {
			return &CallError{Text: "you cannot specify a secret with file-backed disks"}
		}
		d.Protocol = ""
		if _, err := os.Stat(d.Name); err != nil {
			e := proto.ErrnoOf(err)
			return &CallError{Errno: e, Text: fmt.Sprintf("%s: %v", d.Name, errText{e})}
		}
		abs, err := filepath.Abs(d.Name)
		if err != nil {
			return err
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			abs = real
		}
		d.abs = abs
		return nil
	}
	u, err := d.url()
	if err != nil {
		return &CallError{Text: err.Error()}
	}
	d.abs = u
	return nil
}

// open checks the drive once more and makes what qemu needs. tmp is where a
// scratch drive's space is taken.
func (d *Drive) open(ctx context.Context, tmp string, chain *chain) (appliance.Drive, error) {
	v := d.options
	v.ReadOnly, v.Format, v.Name = d.ReadOnly, d.Format, d.abs
	if d.Scratch > 0 || d.abs == os.DevNull {
		f, err := unnamed(tmp, max(d.Scratch, 4096))
		v.File, v.Format, v.CacheMode, v.ReadOnly = f, "raw", "unsafe", false
		return v, err
	}
	if d.Protocol != "" {
		size, err := d.probeRemote(ctx, chain)
		if err == nil {
			v.Remote, err = d.withSecret()
		}
		v.Format = d.Format
		if err == nil && d.ReadOnly {
			err = d.overlay(&v, tmp, size)
		}
		return v, err
	}
	flags := os.O_RDWR
	if d.ReadOnly {
		flags = os.O_RDONLY
	}
	f, err := os.OpenFile(d.abs, flags|unix.O_NONBLOCK, 0)
	if err != nil {
		// A directory cannot be opened for writing either; say the real reason.
		return v, fmt.Errorf("%s: %w", d.Name, errText{proto.ErrnoOf(err)})
	}
	defer f.Close()
	fi, err := f.Stat()
	switch {
	case err != nil:
		return v, fmt.Errorf("%s: %w", d.Name, errText{proto.ErrnoOf(err)})
	case fi.IsDir():
		return v, fmt.Errorf("%s: %w", d.Name, errText{syscall.EISDIR})
	case fi.Mode()&(os.ModeNamedPipe|os.ModeSocket|os.ModeCharDevice) != 0:
		return v, fmt.Errorf("%s: not a disk image (%s)", d.Name, fi.Mode().Type())
	case fi.Mode().IsRegular() && fi.Size() == 0:
		return v, fmt.Errorf("%s: the image is empty (0 bytes): make one with disk-create or sparse", d.Name)
	}
	if err := qemuTakes(d.abs, v.Format, d.ReadOnly); err != nil {
		return v, fmt.Errorf("%s: %w", d.Name, err)
	}
	if v.Format == "" {
		if v.Format, err = detectFormat(ctx, f, d.abs); err != nil {
			if chain.untrusted {
				err = fmt.Errorf("%w; if it is a raw disk, on which a guest has written that, say --format=raw", err)
			}
			return v, fmt.Errorf("%s: %w", d.Name, err)
		}
		if err := chain.mayProbe(d.abs, v.Format); err != nil {
			return v, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	if !d.ReadOnly && diskimage.IsStream(v.Format, f) {
		return v, fmt.Errorf("%s: a streamOptimized VMDK can only be read: add it read-only (--ro), or make another of it with qemu-img convert -O qcow2", d.Name)
	}
	if v.BlockSize == 0 && v.Format == "raw" && diskimage.GPTSectors(f) == 4096 {
		v.BlockSize = 4096
	}
	if d.files, err = chain.check(d.Name, d.abs, v.Format); err != nil || !d.ReadOnly {
		return v, err
	}
	size, ok := diskimage.VirtualSize(v.Format, f)
	if v.Format == "raw" {
		size, err = f.Seek(0, io.SeekEnd)
	} else if !ok {
		var i info
		i, err = imageInfo(ctx, d.abs, v.Format)
		size = i.VirtualSize
	}
	if err != nil {
		return v, fmt.Errorf("%s: %w", d.Name, err)
	}
	return v, d.overlay(&v, tmp, size)
}

// overlay gives a read-only drive a file without a name for what the guest writes. One
// that qemu makes has a name for a moment, and stays if qemu ends then.
func (d *Drive) overlay(v *appliance.Drive, tmp string, size int64) error {
	f, err := unnamed(tmp, 0)
	if err != nil {
		return err
	}
	const sector = 512 // qemu counts in these
	name := v.Name
	if v.Remote != nil {
		name = v.Remote.FileName(v.Format, appliance.SecretID(d.target))
	}
	err = diskimage.WriteOverlay(f, name, v.Format, (size+sector-1)/sector*sector)
	if errors.Is(err, diskimage.ErrNameTooLong) {
		f.Close()
		return nil // then qemu makes it
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("the overlay for changes to %s, in %s: %w", d.title(), tmp, errText{proto.ErrnoOf(err)})
	}
	v.Overlay(f)
	return nil
}

// unnamed makes a sparse file that has no name and vanishes with its last user.
func unnamed(dir string, size int64) (*os.File, error) {
	f, err := newfile.Anonymous(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot make a temporary disk: %w", dir, errText{proto.ErrnoOf(err)})
	}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: cannot make a temporary disk of %d bytes: %w", dir, size, errText{proto.ErrnoOf(err)})
	}
	return f, nil
}

// detectFormat finds the format of an image, as qemu would.
func detectFormat(ctx context.Context, f *os.File, path string) (string, error) {
	switch format := diskimage.Probe(f); format {
	case "qcow2", "qcow", "qed", "vmdk", "vhdx", "vdi":
		return format, nil
	case "raw":
		fi, err := f.Stat()
		if err != nil || !fi.Mode().IsRegular() || fi.Size() < 512 {
			return format, err
		}
		// Fixed VHD and DMG have their mark in the last sector.
		tail := make([]byte, 512)
		f.ReadAt(tail, fi.Size()-512)
		if !bytes.HasPrefix(tail, []byte("conectix")) && !bytes.HasPrefix(tail, []byte("koly")) {
			return format, nil
		}
	}
	info, err := imageInfo(ctx, path, "")
	return info.Format, err
}

// imageFormats are the formats of disk images. The other drivers of qemu are ways to reach
// one, or change what is read.
var imageFormats = []string{"raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx", "parallels", "dmg", "bochs", "cloop"}

// qemuTakes refuses what qemu would refuse with a less helpful message.
func qemuTakes(path, format string, readOnly bool) error {
	const longest = 1023 // bytes of a file's name (qemu, block_int-common.h)
	switch {
	case format == "luks":
		return errors.New("an image that is all LUKS is opened as --format=raw, and its content with --key or cryptsetup-open")
	case format != "" && !slices.Contains(imageFormats, format):
		return fmt.Errorf("%s is not a disk image format; known are %s", format, strings.Join(imageFormats, ", "))
	case len(path) > longest:
		return fmt.Errorf("its whole path has %d bytes, and qemu takes %d: use a link to it with a shorter one", len(path), longest)
	case !readOnly && !utf8.ValidString(path):
		return errors.New("its whole path is not UTF-8, and qemu takes no other for writing: use a link to it, or --ro")
	}
	return nil
}

// localImage makes a relative name safe from being read as a protocol.
func localImage(name string) (string, error) {
	if _, err := os.Stat(name); err != nil {
		return "", fmt.Errorf("%s: %w", name, errText{proto.ErrnoOf(err)})
	}
	return filepath.Abs(name)
}

func (h Actions) DiskFormat(c *Call, filename string) (string, error) {
	i, err := h.diskInfo(c, filename)
	return i.Format, err
}

func (h Actions) DiskVirtualSize(c *Call, filename string) (int64, error) {
	i, err := h.diskInfo(c, filename)
	return i.VirtualSize, err
}

func (h Actions) DiskHasBackingFile(c *Call, filename string) (bool, error) {
	i, err := h.diskInfo(c, filename)
	return i.Backing != "", err
}

func (h *Handle) diskInfo(c *Call, filename string) (info, error) {
	path, err := localImage(filename)
	if err != nil {
		return info{}, err
	}
	// qemu-img opens what holds an image's data, if not its backing file.
	if chain := h.chainOf(&Drive{abs: path}); chain.untrusted {
		if _, err := chain.check(filename, path, ""); err != nil {
			return info{}, err
		}
	}
	i, err := imageInfo(c, path, "")
	if err != nil {
		err = fmt.Errorf("%s: %w", filename, err)
	}
	return i, err
}

func (h Actions) DiskCreate(c *Call, filename, format string, size int64, o types.DiskCreateOptions) error {
	fail := func(f string, a ...any) error { return &CallError{Text: fmt.Sprintf(f, a...)} }
	switch {
	case size == -1 && o.BackingFile == nil:
		return fail("invalid use of size = -1 (this is only possible with a backing file)")
	case size == -1:
	case size <= 0:
		return fail("invalid size: %d", size)
	}
	if o.BackingFormat != nil && o.BackingFile == nil {
		return fail("backingformat parameter given without a backing file")
	}
	switch format {
	case "raw":
		return diskCreateRaw(filename, size, o)
	case "qcow2":
		return h.diskCreateQcow2(c, filename, size, o)
	}
	return fail("unsupported format '%s'", format)
}

func diskCreateRaw(filename string, size int64, o types.DiskCreateOptions) error {
	fail := func(f string, a ...any) error { return &CallError{Text: fmt.Sprintf(f, a...)} }
	full := false
	switch {
	case o.BackingFile != nil:
		return fail("backingfile parameter cannot be used with raw format")
	case o.Compat != nil || o.ClusterSize != nil:
		return fail("compat and clustersize parameters cannot be used with raw format")
	}
	switch p := orEmpty(o.Preallocation); p {
	case "", "off", "sparse":
	case "full":
		full = true
	default:
		return fail("invalid value for preallocation parameter '%s'", p)
	}
	if fi, err := os.Stat(filename); err == nil && fi.Mode()&os.ModeDevice != 0 {
		if dev, err := os.OpenFile(filename, os.O_WRONLY, 0); err != nil {
			return fail("cannot open %s: %v", filename, errText{proto.ErrnoOf(err)})
		} else {
			return dev.Close()
		}
	}
	f, err := os.OpenFile(filename, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOCTTY, 0o666)
	if err != nil {
		return fail("cannot create raw file: %s: %v", filename, errText{proto.ErrnoOf(err)})
	}
	what := "truncate"
	if full {
		what = "fallocate"
		for {
			if err = unix.Fallocate(int(f.Fd()), 0, 0, size); err != unix.EINTR {
				break
			}
		}
		if err == unix.EOPNOTSUPP || err == unix.ENOSYS {
			err = writeZeroes(f, size)
		}
	} else {
		err = f.Truncate(size)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(filename)
		return fail("%s: %s: %v", filename, what, errText{proto.ErrnoOf(err)})
	}
	return nil
}

func writeZeroes(f *os.File, size int64) error {
	buf := make([]byte, 1<<20)
	for size > 0 {
		n, err := f.Write(buf[:min(size, int64(len(buf)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}

func (h Actions) diskCreateQcow2(c *Call, filename string, size int64, o types.DiskCreateOptions) error {
	fail := func(f string, a ...any) error { return &CallError{Text: fmt.Sprintf(f, a...)} }
	var opts []string
	if o.BackingFile != nil {
		opts = append(opts, "backing_file="+strings.ReplaceAll(*o.BackingFile, ",", ",,"))
		format := orEmpty(o.BackingFormat)
		name := *o.BackingFile
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(filename), name)
		}
		// qemu-img opens the backing file and what that names.
		if chain := h.chainOf(); chain.untrusted {
			path, err := localImage(name)
			if err != nil {
				return err
			}
			chain.named = append(chain.named, path)
			if _, err := chain.check(*o.BackingFile, path, format); err != nil {
				return err
			}
		}
		if format == "" {
			// qemu-img insists on a format for the backing file.
			i, err := imageInfo(c, name, "")
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			format = i.Format
		}
		opts = append(opts, "backing_fmt="+format)
	}
	switch p := orEmpty(o.Preallocation); p {
	case "", "off", "sparse":
	case "metadata", "falloc", "full":
		opts = append(opts, "preallocation="+p)
	default:
		return fail("invalid value for preallocation parameter '%s'", p)
	}
	if v := orEmpty(o.Compat); v != "" {
		if v != "0.10" && v != "1.1" {
			return fail("compat parameter must be '0.10' or '1.1'")
		}
		opts = append(opts, "compat="+v)
	}
	if o.ClusterSize != nil {
		n := *o.ClusterSize
		if n < 512 || n > 2<<20 || n&(n-1) != 0 {
			return fail("clustersize parameter must be a power of two between 512 and 2097152")
		}
		opts = append(opts, "cluster_size="+strconv.Itoa(n))
	}
	args := []string{"create", "-q", "-f", "qcow2"}
	if len(opts) > 0 {
		args = append(args, "-o", strings.Join(opts, ","))
	}
	abs, err := filepath.Abs(filename)
	if err != nil {
		return err
	}
	args = append(args, abs)
	if size >= 0 {
		args = append(args, strconv.FormatInt(size, 10))
	}
	_, err = (&qemuImg{}).run(c, args...)
	return err
}

func (h Actions) AddDriveRo(c *Call, filename string) error {
	return c.AddDrive(c, filename, types.AddDriveOptions{ReadOnly: new(true)})
}

func (h Actions) AddDriveWithIf(c *Call, filename, iface string) error {
	return c.AddDrive(c, filename, types.AddDriveOptions{Iface: &iface})
}

func (h Actions) AddDriveRoWithIf(c *Call, filename, iface string) error {
	return c.AddDrive(c, filename, types.AddDriveOptions{ReadOnly: new(true), Iface: &iface})
}

func (h Actions) AddCdrom(c *Call, filename string) error {
	return c.AddDrive(c, filename, types.AddDriveOptions{ReadOnly: new(true)})
}

func (h Actions) AddDriveScratch(c *Call, size int64, o types.AddDriveScratchOptions) error {
	if size <= 0 {
		return errors.New("a scratch drive needs a size above 0 bytes")
	}
	d := &Drive{Scratch: size}
	if err := d.setLabel(o.Label); err != nil {
		return err
	}
	if err := d.setBlockSize(o.BlockSize); err != nil {
		return err
	}
	return h.addDrive(c, d)
}

func (h Actions) RemoveDrive(c *Call, label string) error {
	for i, d := range h.drives {
		if d.options.Label != label || label == "" {
			continue
		}
		if h.State() == Ready {
			if err := h.unplug(c, d); err != nil {
				return err
			}
			h.warnOfGone(d)
		}
		h.drives = append(h.drives[:i:i], h.drives[i+1:]...)
		return nil
	}
	return fmt.Errorf("disk with label '%s' not found", label)
}

func (h Actions) Config(hvparam string, hvvalue *string) error {
	if !strings.HasPrefix(hvparam, "-") {
		return &CallError{Text: "parameter must begin with '-' character"}
	}
	for _, taken := range []string{"-kernel", "-initrd", "-nographic", "-display", "-serial", "-full-screen", "-std-vga", "-vnc"} {
		if hvparam == taken {
			return &CallError{Text: fmt.Sprintf("parameter '%s' isn't allowed", hvparam)}
		}
	}
	if h.untrusted() {
		return &CallError{Text: fmt.Sprintf("parameter '%s' isn't allowed where images are not trusted, as it could open any file: leave out --untrusted", hvparam)}
	}
	h.Settings.Extra = append(h.Settings.Extra, hvparam)
	if hvvalue != nil {
		h.Settings.Extra = append(h.Settings.Extra, *hvvalue)
	}
	return nil
}

func (h Actions) MaxDisks() (int, error) { return maxDrives, nil }

// DebugDrives describes the drives, one a line, in the words of libguestfs.
func (h Actions) DebugDrives() ([]string, error) {
	l := []string{}
	for _, d := range h.drives {
		l = append(l, d.String())
	}
	return l, nil
}

func (d *Drive) String() string {
	var b strings.Builder
	b.WriteString(d.Name)
	if d.Scratch > 0 {
		fmt.Fprintf(&b, "scratch=%d", d.Scratch)
	}
	flag := func(name string, on bool) {
		if on {
			b.WriteString(" " + name)
		}
	}
	value := func(name, v string) {
		if v != "" {
			b.WriteString(" " + name + "=" + v)
		}
	}
	flag("readonly", d.ReadOnly)
	value("format", d.Format)
	value("protocol", cmp.Or(d.Protocol, "file"))
	value("iface", orEmpty(d.asked.Iface))
	value("name", orEmpty(d.asked.Name))
	value("label", d.options.Label)
	value("cache", d.options.CacheMode)
	value("discard", strings.TrimPrefix(orEmpty(d.asked.Discard), "disable"))
	flag("copyonread", d.options.CopyOnRead)
	if d.options.BlockSize > 0 {
		value("blocksize", fmt.Sprint(d.options.BlockSize))
	}
	return b.String()
}
