package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
)

func isExt(fstype string) bool {
	return fstype == "ext2" || fstype == "ext3" || fstype == "ext4"
}

func isFAT(fstype string) bool {
	return fstype == "fat" || fstype == "vfat" || fstype == "msdos"
}

// mkfsForced are the options that keep mkfs tools from asking questions
// or refusing a whole disk.
var mkfsForced = map[string][]string{
	"ext2": {"-F"}, "ext3": {"-F"}, "ext4": {"-F"},
	// On a whole disk mkfs.fat would also write a partition table, of one partition
	// that is the file system itself.
	"vfat": {"-I", "--mbr=n"}, "fat": {"-I", "--mbr=n"}, "msdos": {"-I", "--mbr=n"},
	"ntfs":     {"-Q", "-F"}, // quick: the blocks of a virtual disk need no test
	"reiserfs": {"-f", "-f"}, "jfs": {"-f"}, "xfs": {"-f"}, "btrfs": {"-f"}, "f2fs": {"-f"}, "nilfs2": {"-f"},
	"gfs": gfsAlone, "gfs2": gfsAlone,
}

// gfsAlone makes a cluster file system for one machine, without questions.
var gfsAlone = []string{"-p", "lock_nolock", "-j", "1", "-O"}

// labelOption is the option for a label of each mkfs tool.
var labelOption = map[string]string{
	"ext2": "-L", "ext3": "-L", "ext4": "-L", "btrfs": "-L", "xfs": "-L", "ntfs": "-L", "jfs": "-L",
	"exfat": "-L", "nilfs2": "-L",
	"vfat": "-n", "fat": "-n", "msdos": "-n",
	"f2fs": "-l", "udf": "-l", "reiserfs": "-l",
	"hfs": "-v", "hfsplus": "-v",
	"bfs": "-V",
}

// labelCheck refuses labels that are too long, where the mkfs tool would
// truncate them or report the error less clearly.
var labelCheck = map[string]func(string) error{
	"ext2": checkExtLabel, "ext3": checkExtLabel, "ext4": checkExtLabel, "xfs": checkXFSLabel,
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)

func (d Actions) Mkfs(fstype string, device Device, o types.MkfsOptions) error {
	fail := func(err error) error {
		return fmt.Errorf("%s: %s: %w", fstype, d.shownDevice(device), err)
	}
	args := []string{"mkfs." + fstype}
	if isExt(fstype) {
		args = []string{"mke2fs", "-q", "-t", fstype}
	}
	args = append(args, mkfsForced[fstype]...)
	if o.BlockSize != nil {
		bs := *o.BlockSize
		if bs <= 0 || bits.OnesCount(uint(bs)) != 1 {
			return errors.New("block size must be > 0 and a power of 2")
		}
		opt, err := d.mkfsBlocksize(fstype, device, bs)
		if err != nil {
			return err
		}
		args = append(args, opt...)
	}
	if o.Features != nil {
		args = append(args, "-O", *o.Features)
	}
	if o.Inode != nil {
		switch {
		case !isExt(fstype):
			return errors.New("inode size (-I) can only be set on ext2/3/4 filesystems")
		case *o.Inode <= 0:
			return errors.New("inode size must be larger than zero")
		}
		args = append(args, "-I", strconv.Itoa(*o.Inode))
	}
	if o.SectorSize != nil {
		switch {
		case fstype != "ufs":
			return errors.New("sector size (-S) can only be set on ufs filesystems")
		case *o.SectorSize <= 0:
			return errors.New("sector size must be larger than zero")
		}
		args = append(args, "-S", strconv.Itoa(*o.SectorSize))
	}
	if o.Label != nil {
		if check := labelCheck[fstype]; check != nil {
			if err := check(*o.Label); err != nil {
				return err
			}
		}
		opt, ok := labelOption[fstype]
		if !ok {
			return errUnsupported("set the label for", fstype)
		}
		args = append(args, opt, *o.Label)
	}
	if _, err := exec.LookPath(args[0]); err != nil || !plainName.MatchString(fstype) {
		return fail(fmt.Errorf("mkfs: failed to execute %s: %w", args[0], syscall.ENOENT))
	}
	if err := d.format(device, append(args, string(device))...); err != nil {
		return fail(err)
	}
	return nil
}

// mkfsBlocksize returns the mkfs options for a block size; some tools call
// it cluster size.
func (d Actions) mkfsBlocksize(fstype string, device Device, bs int) ([]string, error) {
	n := strconv.Itoa(bs)
	switch {
	case isFAT(fstype):
		sector, err := d.BlockdevGetss(device)
		if err != nil {
			return nil, err
		}
		per := bs / sector
		if per < 1 || per > 128 {
			return nil, fmt.Errorf("unsupported cluster size for %s filesystem (requested cluster size = %d, sector size = %d, trying sectors per cluster = %d)", fstype, bs, sector, per)
		}
		return []string{"-s", strconv.Itoa(per)}, nil
	case fstype == "ntfs":
		return []string{"-c", n}, nil
	case fstype == "btrfs":
		return nil, errors.New("blocksize cannot be set on btrfs filesystems, use 'mkfs-btrfs'")
	case fstype == "xfs":
		return []string{"-b", "size=" + n}, nil
	}
	return []string{"-b", n}, nil
}

func (d Actions) MkfsB(fstype string, blocksize int, device Device) error {
	return d.Mkfs(fstype, device, types.MkfsOptions{BlockSize: &blocksize})
}

// format runs a tool that creates something new on a device. Signatures of old file
// systems are wiped first, so that the new one is not mistaken for them; if that fails the tool will say why.
func (d *Daemon) format(device Device, args ...string) error {
	d.run("wipefs", "-a", "--force", string(device))
	// mke2fs reports some errors on standard output.
	t := &Tool{Args: args, FoldStdout: args[0] == "mke2fs"}
	err := t.Run(d.call)
	d.rereadPartitions(device)
	return err
}

// rereadPartitions makes the kernel look for partitions after a device was written
// to. It refuses anything that is not a disk, and disks in use; neither matters.
func (d *Daemon) rereadPartitions(device Device) {
	fd, err := unix.Open(string(device), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if unix.IoctlSetInt(fd, unix.BLKRRPART, 0) == nil {
		d.mendPartitions(string(device))
	}
}

func (d Actions) VfsType(mountable Mountable) (string, error) {
	return d.blkidTag(mountable.Device, "TYPE")
}
func (d Actions) VfsLabel(mountable Mountable) (string, error) {
	typ, err := d.VfsType(mountable)
	if err != nil {
		return "", err
	}
	if typ == "btrfs" {
		return d.btrfsLabel(mountable.Device)
	}
	return d.blkidTag(mountable.Device, "LABEL")
}
func (d Actions) VfsUuid(mountable Mountable) (string, error) {
	return d.blkidTag(mountable.Device, "UUID")
}

func (d *Daemon) btrfsLabel(device Device) (string, error) {
	out, err := d.output("btrfs", "filesystem", "label", string(device))
	return strings.TrimSuffix(out, "\n"), d.deviceError(err, device)
}

func (d Actions) VfsMinimumSize(mountable Mountable) (int64, error) {
	typ, err := d.VfsType(mountable)
	if err != nil {
		return 0, err
	}
	switch {
	case isExt(typ):
		return d.extMinimumSize(mountable.Device)
	case typ == "ntfs":
		return d.ntfsMinimumSize(mountable.Device)
	case typ == "btrfs":
		return d.btrfsMinimumSize(mountable.Device)
	case typ == "xfs":
		return d.xfsMinimumSize(mountable.Device)
	}
	return 0, errUnsupported("get minimum size of", typ)
}

func (d *Daemon) ntfsMinimumSize(device Device) (int64, error) {
	t := &Tool{Args: []string{"ntfsresize", "--info", "-ff", string(device)}}
	out, err := t.Output(d.call)
	var te *ToolError
	if errors.As(err, &te) {
		if strings.Contains(out, "Volume is full") {
			return d.devSize(device)
		}
		if te.Text == "" {
			te.Text = strings.TrimSpace(out)
		}
	}
	if err != nil {
		return 0, d.deviceError(err, device)
	}
	return numberIn(out, `You might resize at (\d+) bytes`)
}

// numberIn finds one number in a tool's output.
func numberIn(out, pattern string) (int64, error) {
	m := regexp.MustCompile(pattern).FindStringSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("no %q in this output:\n%s", pattern, out)
	}
	return strconv.ParseInt(m[1], 10, 64)
}

func (d *Daemon) btrfsMinimumSize(device Device) (int64, error) {
	dir, err := d.mountedAt(device)
	if err != nil {
		return 0, err
	}
	out, err := d.output("btrfs", "inspect-internal", "min-dev-size", dir)
	if err != nil {
		return 0, err
	}
	return numberIn(out, `^(\d+) bytes`)
}

func (d Actions) SetLabel(mountable Mountable, label string) error {
	typ, err := d.VfsType(mountable)
	if err != nil {
		return err
	}
	dev := mountable.Device
	switch {
	case isExt(typ):
		return d.setExtLabel(dev, label)
	case typ == "btrfs":
		target := string(dev)
		if p := d.mountPoint(dev); p != "" {
			target = p
		}
		return d.run("btrfs", "filesystem", "label", target, label)
	case isFAT(typ):
		return d.run("fatlabel", string(dev), label)
	case typ == "ntfs":
		return d.run("ntfslabel", string(dev), label)
	case typ == "xfs":
		return d.setXFSLabel(dev, label)
	case typ == "swap":
		return d.setSwapLabel(dev, label)
	}
	return errUnsupported("set the label for", typ)
}

func (d Actions) SetUuid(device Device, uuid string) error {
	typ, err := d.VfsType(Mountable{Device: device})
	if err != nil {
		return err
	}
	dev := string(device)
	switch {
	case isExt(typ):
		return d.run("tune2fs", "-U", uuid, dev)
	case typ == "xfs":
		return d.setXFSUUID(device, uuid)
	case typ == "swap":
		return d.setSwapUUID(device, uuid)
	case typ == "btrfs":
		return d.run("btrfstune", "-f", "-U", uuid, dev)
	}
	return errUnsupported("set the UUID for", typ)
}

func (d Actions) SetUuidRandom(device Device) error {
	typ, err := d.VfsType(Mountable{Device: device})
	if err != nil {
		return err
	}
	switch {
	case isExt(typ):
		return d.run("tune2fs", "-U", "random", string(device))
	case typ == "xfs":
		return d.setXFSUUID(device, "generate")
	case typ == "btrfs":
		return d.run("btrfstune", "-f", "-u", string(device))
	case typ == "swap":
		id, err := os.ReadFile("/proc/sys/kernel/random/uuid")
		if err != nil {
			return errnoOf(err)
		}
		return d.SetUuid(device, strings.TrimSpace(string(id)))
	}
	return errUnsupported("set the random UUID for", typ)
}

func (d Actions) FindfsUuid(uuid string) (string, error)       { return d.findfs("UUID", uuid) }
func (d Actions) FindfsLabel(label string) (string, error)     { return d.findfs("LABEL", label) }
func (d Actions) FindfsPartuuid(uuid string) (string, error)   { return d.findfs("PARTUUID", uuid) }
func (d Actions) FindfsPartlabel(label string) (string, error) { return d.findfs("PARTLABEL", label) }

// findfs finds the first device with a property.
func (d *Daemon) findfs(tag, value string) (string, error) {
	devs, err := d.devices.Tagged(tag, value)
	if err != nil {
		return "", err
	}
	if len(devs) == 0 {
		return "", fmt.Errorf("findfs exited with status 1: findfs: unable to resolve '%s=%s'", tag, value)
	}
	return devs[0], nil
}

func (d Actions) F2fsExpand(device Device) error {
	t := Tool{Args: []string{"resize.f2fs", string(device)}, FoldStdout: true}
	return d.deviceError(t.Run(d.call), device)
}

func (d Actions) Zerofree(device Device) error {
	return d.onDevice(device, "zerofree", string(device))
}

// ZeroFreeSpace fills the file system with a file of zeros, which is then removed.
func (d Actions) ZeroFreeSpace(c *Call, directory Path) error {
	dir, err := d.root.Open(directory, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return wrap(err, "%s", directory)
	}
	defer dir.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &st); err != nil {
		return wrap(err, "statfs: %s", directory)
	}
	// A file without a name would do, but not every file system supports that.
	name := "zero-" + rand.Text()
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return wrap(err, "open: %s", directory)
	}
	f := os.NewFile(uintptr(fd), name)
	total := st.Bfree * uint64(st.Bsize)
	err = fillWithZeros(c, f, total)
	unix.Fsync(fd)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	// Remove it in any case: a full file system is useless.
	if uerr := unix.Unlinkat(int(dir.Fd()), name, 0); err == nil {
		err = uerr
	}
	unix.Sync()
	return wrap(err, "write: %s", directory)
}

// fillWithZeros writes until no space is left.
func fillWithZeros(c *Call, f *os.File, total uint64) error {
	block := make([]byte, 1<<20)
	for done := uint64(0); ; {
		n, err := f.Write(block)
		done += uint64(n)
		switch {
		case errors.Is(err, syscall.ENOSPC) && len(block) > 512:
			block = block[:512] // what remains after whole blocks
			continue
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EFBIG):
			return nil
		case err != nil:
			return err
		}
		if err := c.Progress(min(done, total), total); err != nil {
			return err
		}
	}
}

func (d Actions) Ntfsresize(device Device, o types.NtfsresizeOptions) error {
	args := []string{"ntfsresize", "-P"}
	if o.Size != nil {
		if *o.Size <= 0 {
			return errors.New("size is zero or negative")
		}
		args = append(args, "--size", strconv.FormatInt(*o.Size, 10))
	}
	if isTrue(o.Force) {
		args = append(args, "--force")
	}
	// It asks whether to continue.
	t := &Tool{Args: append(args, string(device)), Stdin: repeat("y\n"), FoldStdout: true}
	return d.deviceError(t.Run(d.call), device)
}

func (d Actions) NtfsresizeSize(device Device, size int64) error {
	return d.Ntfsresize(device, types.NtfsresizeOptions{Size: &size})
}

// Ntfs3gProbe returns the status with which the NTFS driver would refuse.
func (d Actions) Ntfs3gProbe(rw bool, device Device) (int, error) {
	mode := "--readonly"
	if rw {
		mode = "--readwrite"
	}
	return d.status(d.run("ntfs-3g.probe", mode, string(device)), device)
}

func (d Actions) Ntfsfix(device Device, o types.NtfsfixOptions) error {
	args := []string{"ntfsfix"}
	if isTrue(o.ClearBadSectors) {
		args = append(args, "-b")
	}
	return d.onDevice(device, append(args, string(device))...)
}
