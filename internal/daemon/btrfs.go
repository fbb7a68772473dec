package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// btrfsAt runs a command of btrfs on a mounted path, which is its last argument.
func (d *Daemon) btrfsAt(path Path, args ...string) error {
	return d.onFile(path, append([]string{"btrfs"}, args...)...)
}

// btrfsOutput is btrfsAt for a command whose output is the result. An exit
// status that is in ok is not an error.
func (d *Daemon) btrfsOutput(path Path, ok []int, args ...string) (string, error) {
	name, err := d.root.Host(path)
	if err != nil {
		return "", wrap(err, "%s", path)
	}
	out, err := d.output(append(append([]string{"btrfs"}, args...), name)...)
	var te *ToolError
	if errors.As(err, &te) {
		for _, status := range ok {
			if te.Status == status {
				return out, nil
			}
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// btrfsOn runs a command of btrfs on an unmounted device, which is its last argument.
func (d *Daemon) btrfsOn(device Device, args ...string) error {
	return d.onDevice(device, append(args, string(device))...)
}

// onBtrfs runs fn with a directory of a file system that is given as a path or
// as a mountable.
func (d *Daemon) onBtrfs(fs MountableOrPath, fn func(dir string) error) error {
	if fs.Path != "" {
		dir, err := d.root.Host(fs.Path)
		if err != nil {
			return wrap(err, "%s", fs.Path)
		}
		return prefixed(fn(dir), string(fs.Path))
	}
	m, options := fs.Mountable, ""
	if m.Volume != "" {
		options = btrfsTop
	}
	mounted := d.mountPoint(m.Device) != ""
	return d.withMount(m.Device, "btrfs", options, func(dir string) error {
		if m.Volume != "" && !mounted {
			sub, err := d.subvolumeIn(dir, m)
			if err != nil {
				return err
			}
			dir = sub
		}
		return prefixed(fn(dir), d.devices.Reverse(m.String()))
	})
}

// Profiles of btrfs, how it spreads data and metadata over devices.
var btrfsProfiles = map[string]bool{
	"single": true, "dup": true, "raid0": true, "raid1": true, "raid1c3": true, "raid1c4": true,
	"raid10": true, "raid5": true, "raid6": true,
}

func (d Actions) MkfsBtrfs(devices []Device, o types.MkfsBtrfsOptions) error {
	if len(devices) == 0 {
		return errors.New("the list of devices is empty")
	}
	if o.ByteCount != nil && *o.ByteCount <= 0 {
		return fmt.Errorf("bytecount %d: must be more than 0", *o.ByteCount)
	}
	b := argBuilder{args: []string{"mkfs.btrfs", "-f"}}
	b.int64("-b", "bytecount", o.ByteCount)
	for _, p := range []struct {
		opt, name string
		value     *string
	}{{"-d", "datatype", o.DataType}, {"-m", "metadata", o.Metadata}} {
		if p.value != nil && !btrfsProfiles[*p.value] {
			return fmt.Errorf("%s %q: not a profile that btrfs has", p.name, *p.value)
		}
		b.text(p.opt, p.value)
	}
	if o.NodeSize == nil {
		o.NodeSize, o.LeafSize = o.LeafSize, nil
	}
	for _, s := range []struct {
		opt, name string
		value     *int
	}{{"-n", "nodesize", o.NodeSize}, {"-s", "sectorsize", o.SectorSize}, {"", "leafsize", o.LeafSize}} {
		if s.value != nil && (*s.value <= 0 || bits.OnesCount(uint(*s.value)) != 1) {
			return fmt.Errorf("%s %d: must be a power of 2", s.name, *s.value)
		}
		if s.opt != "" {
			b.int(s.opt, s.name, s.value)
		}
	}
	b.text("-L", o.Label)
	for _, dev := range devices {
		b.args = append(b.args, string(dev))
	}
	err := d.format(devices[0], b.args...)
	for _, dev := range devices[1:] {
		d.rereadPartitions(dev)
	}
	return d.deviceError(err, devices[0])
}

func (d Actions) BtrfsFilesystemResize(mountpoint Path, o types.BtrfsFilesystemResizeOptions) error {
	size := "max"
	if o.Size != nil {
		if *o.Size <= 0 {
			return fmt.Errorf("size %d: must be more than 0", *o.Size)
		}
		size = strconv.FormatInt(*o.Size, 10)
	}
	return d.btrfsAt(mountpoint, "filesystem", "resize", size)
}

func (d Actions) BtrfsFilesystemSync(fs Path) error { return d.btrfsAt(fs, "filesystem", "sync") }

// btrfsDevice is a device in the output of btrfs filesystem show.
var btrfsDevice = regexp.MustCompile(`^\s*devid\s+\d+ size \S+ used \S+ path (/dev/\S+)`)

func (d Actions) BtrfsFilesystemShow(device Device) ([]string, error) {
	out, err := d.output("btrfs", "filesystem", "show", string(device))
	if err != nil {
		return nil, d.deviceError(err, device)
	}
	// The label comes first and may hold lines like those that follow.
	if label, err := d.btrfsLabel(device); err == nil {
		out = strings.Replace(out, label, "", 1)
	}
	list := []string{}
	for _, line := range lines(out) {
		if strings.Contains(line, "devices missing") || strings.Contains(line, "MISSING") {
			return nil, fmt.Errorf("%s: a device of this file system is missing: add all of its drives", d.shownDevice(device))
		}
		if m := btrfsDevice.FindStringSubmatch(line); m != nil {
			list = append(list, m[1])
		}
	}
	return list, nil
}

func (d Actions) BtrfsFilesystemDefragment(path Path, o types.BtrfsFilesystemDefragmentOptions) error {
	b := argBuilder{args: []string{"filesystem", "defragment", "-r"}}
	b.flag("-f", o.Flush)
	if o.Compress != nil {
		switch *o.Compress {
		case "zlib", "lzo", "zstd":
			b.args = append(b.args, "-c"+*o.Compress)
		default:
			return fmt.Errorf("compress %q: must be zlib, lzo or zstd", *o.Compress)
		}
	}
	return d.btrfsAt(path, b.args...)
}

func (d Actions) BtrfsFilesystemBalance(fs Path) error {
	return d.btrfsAt(fs, "balance", "start", "--full-balance")
}
func (d Actions) BtrfsBalancePause(path Path) error  { return d.btrfsAt(path, "balance", "pause") }
func (d Actions) BtrfsBalanceCancel(path Path) error { return d.btrfsAt(path, "balance", "cancel") }
func (d Actions) BtrfsBalanceResume(path Path) error { return d.btrfsAt(path, "balance", "resume") }

// balanceStatusRuns is the exit status of btrfs balance status while there is one.
const balanceStatusRuns = 1

func (d Actions) BtrfsBalanceStatus(path Path) (api.BtrfsBalance, error) {
	out, err := d.btrfsOutput(path, []int{balanceStatusRuns}, "balance", "status")
	if err != nil {
		return api.BtrfsBalance{}, err
	}
	return parseBalance(out)
}

var (
	balanceState  = regexp.MustCompile(`(?m)^Balance on '.*' is (running|paused)`)
	balanceCounts = regexp.MustCompile(`(?m)^(\d+) out of about (\d+) chunks balanced \((\d+) considered\),\s+(\d+)% left`)
)

func parseBalance(out string) (b api.BtrfsBalance, err error) {
	if strings.HasPrefix(out, "No balance found") {
		b.Status = "none"
		return b, nil
	}
	state, counts := balanceState.FindStringSubmatch(out), balanceCounts.FindStringSubmatch(out)
	if state == nil || counts == nil {
		return b, fmt.Errorf("btrfs balance status: unexpected output %q", out)
	}
	b.Status = state[1]
	for i, field := range []*uint64{&b.Balanced, &b.Total, &b.Considered, &b.Left} {
		if *field, err = strconv.ParseUint(counts[i+1], 10, 64); err != nil {
			return b, err
		}
	}
	return b, nil
}

// btrfsDevices runs a command that takes any number of devices; without any it does nothing.
func (d *Daemon) btrfsDevices(fs Path, devices []Device, args ...string) error {
	if len(devices) == 0 {
		return nil
	}
	for _, dev := range devices {
		args = append(args, string(dev))
	}
	return d.btrfsAt(fs, args...)
}

func (d Actions) BtrfsDeviceAdd(devices []Device, fs Path) error {
	return d.btrfsDevices(fs, devices, "device", "add", "-f")
}

func (d Actions) BtrfsDeviceDelete(devices []Device, fs Path) error {
	return d.btrfsDevices(fs, devices, "device", "delete")
}

func (d Actions) BtrfsReplace(srcdev, targetdev Device, mntpoint Path) error {
	return d.btrfsAt(mntpoint, "replace", "start", "-B", "-f", string(srcdev), string(targetdev))
}

func (d Actions) BtrfsSetSeeding(device Device, seeding bool) error {
	if seeding {
		return d.btrfsOn(device, "btrfstune", "-S", "1") // fails if it is set
	}
	return d.btrfsOn(device, "btrfstune", "-f", "-S", "0")
}

func (d Actions) BtrfstuneSeeding(device Device, seeding bool) error {
	return d.BtrfsSetSeeding(device, seeding)
}

func (d Actions) BtrfstuneEnableExtendedInodeRefs(device Device) error {
	return d.btrfsOn(device, "btrfstune", "-r")
}

func (d Actions) BtrfstuneEnableSkinnyMetadataExtentRefs(device Device) error {
	return d.btrfsOn(device, "btrfstune", "-x")
}

func (d Actions) BtrfsFsck(device Device, o types.BtrfsFsckOptions) error {
	b := argBuilder{args: []string{"btrfs", "check"}, negative: "%s must not be negative"}
	b.int64("--super", "superblock", o.Superblock)
	b.flag("--repair", o.Repair)
	if b.err != nil {
		return b.err
	}
	return d.btrfsOn(device, b.args...)
}

func (d Actions) BtrfsRescueChunkRecover(device Device) error {
	return d.btrfsOn(device, "btrfs", "rescue", "chunk-recover", "-y")
}

// superRecovered is the exit status of btrfs rescue super-recover after it has
// repaired something.
const superRecovered = 2

func (d Actions) BtrfsRescueSuperRecover(device Device) error {
	err := d.btrfsOn(device, "btrfs", "rescue", "super-recover", "-y")
	var te *ToolError
	if errors.As(err, &te) && te.Status == superRecovered {
		return nil
	}
	return err
}

func (d Actions) BtrfsImage(source []Device, image Path, o types.BtrfsImageOptions) error {
	if len(source) == 0 {
		return errors.New("the list of devices is empty")
	}
	b := argBuilder{args: []string{"btrfs-image"}, negative: "%s must not be negative"}
	b.int("-c", "compresslevel", o.CompressLevel)
	if b.err != nil {
		return b.err
	}
	for _, dev := range source {
		b.args = append(b.args, string(dev))
	}
	// The tool writes to a pipe of ours: by itself it would follow a link to anywhere. An
	// existing file must stay as it is if there is nothing to write.
	out := &lateFile{open: func() (*os.File, error) {
		return d.open(image, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, 0o666)
	}}
	err := (&Tool{Args: append(b.args, "-"), Stdout: out}).Run(d.call)
	if closed := out.close(); out.err != nil || err == nil {
		return wrap(cmp.Or(out.err, closed), "%s", image)
	}
	return d.deviceError(err, source[0])
}

// lateFile is a file that is opened at the first write.
type lateFile struct {
	open func() (*os.File, error)
	f    *os.File
	err  error
}

func (l *lateFile) Write(p []byte) (n int, err error) {
	if l.f == nil {
		if l.f, l.err = l.open(); l.err != nil {
			return 0, l.err
		}
	}
	if n, err = l.f.Write(p); err != nil {
		l.err = err
	}
	return n, err
}

func (l *lateFile) close() error {
	if l.f == nil {
		return nil
	}
	err := l.f.Sync()
	l.f.Close()
	return err
}
