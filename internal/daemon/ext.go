package daemon

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/guestroot"
)

// extLabelMax is the space for a label in the superblock.
const extLabelMax = 16

func checkExtLabel(label string) error {
	if len(label) > extLabelMax {
		return fmt.Errorf("%s: ext2/3/4 labels are limited to %d bytes", label, extLabelMax)
	}
	return nil
}

func (d *Daemon) setExtLabel(dev Device, label string) error {
	if err := checkExtLabel(label); err != nil {
		return err
	}
	return d.run("e2label", string(dev), label)
}

func (d Actions) SetE2label(device Device, label string) error { return d.setExtLabel(device, label) }
func (d Actions) GetE2label(device Device) (string, error)     { return d.blkidTag(device, "LABEL") }
func (d Actions) GetE2uuid(device Device) (string, error)      { return d.blkidTag(device, "UUID") }
func (d Actions) SetE2uuid(device Device, uuid string) error {
	return d.run("tune2fs", "-U", uuid, string(device))
}

// extMinimumSize asks resize2fs, which counts in blocks of the file system.
func (d *Daemon) extMinimumSize(dev Device) (int64, error) {
	out, err := d.output("resize2fs", "-P", "-f", string(dev))
	if err != nil {
		return 0, err
	}
	blocks, err := numberIn(out, `(?m)^Estimated minimum size of the filesystem: (\d+)`)
	if err != nil {
		return 0, err
	}
	out, err = d.output("tune2fs", "-l", string(dev))
	if err != nil {
		return 0, err
	}
	size, err := numberIn(out, `(?m)^Block size: +(\d+)$`)
	return blocks * size, err
}

func (d Actions) E2fsck(device Device, o types.E2fsckOptions) error {
	args := []string{"e2fsck", "-f"}
	var chosen []string
	for _, opt := range []struct {
		value      *bool
		flag, name string
	}{{o.Correct, "-p", "'correct'"}, {o.ForceAll, "-y", "'forceall'"}, {o.ForceNo, "-n", "'forceno'"}} {
		if isTrue(opt.value) {
			args = append(args, opt.flag)
			chosen = append(chosen, opt.name)
		}
	}
	switch len(chosen) {
	case 0:
		// Without a choice it must not ask anything, and so repairs nothing; but
		// the journal is replayed.
		d.run("e2fsck", "-p", "-E", "journal_only", string(device))
		err := d.e2fsck(append(args, "-n", string(device)))
		var te *ToolError
		if errors.As(err, &te) && te.Status&4 != 0 {
			return fmt.Errorf("%s: has errors, which correct:true or forceall:true may repair: %w", d.shownDevice(device), err)
		}
		return err
	case 1:
		err := d.e2fsck(append(args, string(device)))
		if isTrue(o.Correct) {
			err = d.tooMuchToCorrect(device, err)
		}
		return err
	}
	return fmt.Errorf("only one of the options %s may be specified", strings.Join(chosen, ", "))
}

// tooMuchToCorrect has our options in place of the tool's in its advice, and nothing to
// be done by hand.
func (d *Daemon) tooMuchToCorrect(device Device, err error) error {
	var te *ToolError
	if !errors.As(err, &te) || !strings.Contains(te.Text, runManually) {
		return err
	}
	return fmt.Errorf("%s: is damaged more than correct:true mends: e2fsck with forceall:true repairs all of it, where files may be lost: %w",
		d.shownDevice(device), withoutLines(err, runManually, "without -a or -p options"))
}

const runManually = "RUN fsck MANUALLY"

// e2fsck runs the tool. A status of 1 says that all errors have been corrected.
func (d *Daemon) e2fsck(args []string) error {
	err := (&Tool{Args: args, FoldStdout: true}).Run(d.call)
	var te *ToolError
	if errors.As(err, &te) && te.Status == 1 {
		return nil
	}
	return err
}

func (d Actions) E2fsckF(device Device) error {
	correct := true
	return d.E2fsck(device, types.E2fsckOptions{Correct: &correct})
}

func (d Actions) Tune2fs(device Device, o types.Tune2fsOptions) error {
	b := argBuilder{negative: "%s cannot be negative"}
	b.flag("-f", o.Force)
	b.int("-c", "maxmountcount", o.MaxMountCount)
	b.int("-C", "mountcount", o.MountCount)
	if o.ErrorBehavior != nil && !slices.Contains([]string{"continue", "remount-ro", "panic"}, *o.ErrorBehavior) {
		return fmt.Errorf("invalid errorbehavior parameter: %s", *o.ErrorBehavior)
	}
	b.text("-e", o.ErrorBehavior)
	b.int64("-g", "group", o.Group)
	if o.IntervalBetweenChecks != nil {
		b.check("intervalbetweenchecks", int64(*o.IntervalBetweenChecks))
		// A number alone means days; 0 takes no unit.
		s := strconv.Itoa(*o.IntervalBetweenChecks)
		if s != "0" {
			s += "s"
		}
		b.args = append(b.args, "-i", s)
	}
	b.int("-m", "reservedblockspercentage", o.ReservedBlocksPercentage)
	b.text("-M", o.LastMountedDirectory)
	b.int64("-r", "reservedblockscount", o.ReservedBlocksCount)
	b.int64("-u", "user", o.User)
	if b.err != nil {
		return b.err
	}
	if len(b.args) == 0 {
		return errors.New("no option is given: there is nothing to change")
	}
	return d.onDevice(device, append(append([]string{"tune2fs"}, b.args...), string(device))...)
}

// Tune2fsL lists the superblock as tune2fs prints it: names and values.
func (d Actions) Tune2fsL(device Device) (api.Hash, error) {
	out, err := d.output("tune2fs", "-l", string(device))
	if err != nil {
		return nil, err
	}
	if out, err = hideExtTexts(device, out); err != nil {
		return nil, d.deviceError(err, device)
	}
	h := api.Hash{}
	for _, line := range lines(out) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue // the version
		}
		value = showBreaks.Replace(strings.TrimLeft(value, " \t"))
		if value == "<none>" || value == "<not available>" || value == "(none)" {
			value = ""
		}
		h = append(h, api.Pair{Key: key, Value: value})
	}
	return h, nil
}

// extTexts are the texts in a superblock: where they are, and their length
// (Documentation/filesystems/ext4/super.rst).
var extTexts = [][2]int{{0x78, 16}, {0x88, 64}, {0x1a8, 32}, {0x1e0, 32}, {0x200, 64}}

// hideExtTexts replaces line breaks in the texts that tune2fs prints.
func hideExtTexts(device Device, out string) (string, error) {
	f, err := os.Open(string(device))
	if err != nil {
		return "", errnoOf(err)
	}
	defer f.Close()
	sb := make([]byte, 1024)
	if _, err := f.ReadAt(sb, 1024); err != nil {
		return "", errnoOf(err)
	}
	for _, t := range extTexts {
		text := unix.ByteSliceToString(sb[t[0]:][:t[1]])
		if strings.Contains(text, "\n") {
			out = strings.Replace(out, " "+text+"\n", " "+hideBreaks.Replace(text)+"\n", 1)
		}
	}
	return out, nil
}

func (d Actions) Resize2fs(device Device) error { return d.resize2fs(device) }

func (d Actions) Resize2fsSize(device Device, size int64) error {
	switch {
	case size < 0:
		return errors.New("size cannot be negative")
	case size%1024 != 0:
		return fmt.Errorf("%d: size must be a round number of kilobytes", size)
	}
	return d.resize2fs(device, strconv.FormatInt(size/1024, 10)+"K")
}

func (d Actions) Resize2fsM(device Device) error { return d.resize2fs(device, "-M") }

// resize2fs first checks a file system that is not mounted, as the tool requires.
func (d *Daemon) resize2fs(device Device, arg ...string) error {
	if d.mountPoint(device) == "" {
		if err := d.e2fsck([]string{"e2fsck", "-fy", string(device)}); err != nil {
			return err
		}
	}
	return d.run(append([]string{"resize2fs", string(device)}, arg...)...)
}

func (d Actions) Mke2fs(device Device, o types.Mke2fsOptions) error {
	if o.FSType != nil && !isExt(*o.FSType) {
		return fmt.Errorf("%s: not a valid extended filesystem type", *o.FSType)
	}
	b := argBuilder{args: []string{"mke2fs", "-q"}, negative: "%s must be >= 0"}
	if o.BlocksCount != nil {
		b.check("blockscount", *o.BlocksCount)
	}
	b.int64("-b", "blocksize", o.BlockSize)
	b.int64("-f", "fragsize", o.FragSize)
	b.int64("-g", "blockspergroup", o.BlocksPerGroup)
	b.int64("-G", "numberofgroups", o.NumberOfGroups)
	b.int64("-i", "bytesperinode", o.BytesPerInode)
	b.int64("-I", "inodesize", o.InodeSize)
	b.value("-J", "size", "journalsize", o.JournalSize)
	b.int64("-N", "numberofinodes", o.NumberOfInodes)
	b.int("-m", "reservedblockspercentage", o.ReservedBlocksPercentage)

	// Only the last of several -E or -O counts, so each is given once.
	ext := argBuilder{negative: b.negative}
	ext.value("", "stride", "stridesize", o.StrideSize)
	ext.value("", "stripe_width", "stripewidth", o.StripeWidth)
	ext.value("", "resize", "maxonlineresize", o.MaxOnlineResize)
	if o.MMPUpdateInterval != nil {
		n := int64(*o.MMPUpdateInterval)
		ext.value("", "mmp_update_interval", "mmpupdateinterval", &n)
	}
	extended := slices.DeleteFunc(ext.args, func(s string) bool { return s == "" })
	choose := func(v *bool, yes, no string) {
		switch {
		case v == nil:
		case *v:
			extended = append(extended, yes)
		case no != "":
			extended = append(extended, no)
		}
	}
	choose(o.LazyItableInit, "lazy_itable_init=1", "lazy_itable_init=0")
	choose(o.LazyJournalInit, "lazy_journal_init=1", "lazy_journal_init=0")
	choose(o.TestFS, "test_fs", "")
	choose(o.Discard, "discard", "nodiscard")
	choose(o.QuotaType, "quotatype=usrquota:grpquota", "")
	if b.err == nil {
		b.err = ext.err
	}
	if len(extended) > 0 {
		b.args = append(b.args, "-E", strings.Join(extended, ","))
	}

	if o.JournalDevice != nil {
		spec := *o.JournalDevice
		if strings.HasPrefix(spec, "/dev/") {
			dev, err := d.devices.Translate(spec)
			if err != nil {
				return err
			}
			spec = string(dev)
		}
		b.args = append(b.args, "-J", "device="+spec)
	}
	b.text("-L", o.Label)
	b.text("-M", o.LastMountedDir)
	b.text("-o", o.CreatorOS)
	b.text("-t", o.FSType)
	b.text("-T", o.UsageType)
	b.text("-U", o.UUID)
	b.flag("-F", o.ForceCreate)
	b.flag("-S", o.WriteSBAndGroupOnly)

	var features []string
	for _, f := range []struct {
		name  string
		value *bool
	}{
		{"extent", o.Extent}, {"filetype", o.FileType}, {"flex_bg", o.FlexBG}, {"has_journal", o.HasJournal},
		{"journal_dev", o.JournalDev}, {"large_file", o.LargeFile}, {"quota", o.Quota},
		{"resize_inode", o.ResizeInode}, {"sparse_super", o.SparseSuper}, {"uninit_bg", o.UninitBG},
	} {
		switch {
		case f.value == nil:
		case *f.value:
			features = append(features, f.name)
		case f.name != "journal_dev": // this one cannot be negated
			features = append(features, "^"+f.name)
		}
	}
	if len(features) > 0 {
		b.args = append(b.args, "-O", strings.Join(features, ","))
	}
	b.args = append(b.args, string(device))
	if o.BlocksCount != nil {
		b.args = append(b.args, strconv.FormatInt(*o.BlocksCount, 10))
	}
	if b.err != nil {
		return b.err
	}
	if isTrue(o.WriteSBAndGroupOnly) {
		return d.onDevice(device, b.args...)
	}
	return d.deviceError(d.format(device, b.args...), device)
}

func (d Actions) Mke2fsJ(fstype string, blocksize int, device, journal Device) error {
	return d.mke2fsJournal(fstype, blocksize, device, string(journal))
}

func (d Actions) Mke2fsJL(fstype string, blocksize int, device Device, label string) error {
	if err := checkExtLabel(label); err != nil {
		return err
	}
	return d.mke2fsJournal(fstype, blocksize, device, "LABEL="+label)
}

func (d Actions) Mke2fsJU(fstype string, blocksize int, device Device, uuid string) error {
	return d.mke2fsJournal(fstype, blocksize, device, "UUID="+uuid)
}

func (d *Daemon) mke2fsJournal(fstype string, blocksize int, device Device, journal string) error {
	if !isExt(fstype) {
		return fmt.Errorf("%s: not a valid extended filesystem type", fstype)
	}
	return d.format(device, "mke2fs", "-q", "-F", "-t", fstype, "-b", strconv.Itoa(blocksize), "-J", "device="+journal, string(device))
}

func (d Actions) Mke2journal(blocksize int, device Device) error {
	return d.mke2journal(blocksize, device)
}

func (d Actions) Mke2journalL(blocksize int, label string, device Device) error {
	if err := checkExtLabel(label); err != nil {
		return err
	}
	return d.mke2journal(blocksize, device, "-L", label)
}

func (d Actions) Mke2journalU(blocksize int, uuid string, device Device) error {
	return d.mke2journal(blocksize, device, "-U", uuid)
}

func (d *Daemon) mke2journal(blocksize int, device Device, name ...string) error {
	args := []string{"mke2fs", "-q", "-F", "-O", "journal_dev", "-b", strconv.Itoa(blocksize)}
	return d.format(device, append(append(args, name...), string(device))...)
}

// extFlags are the letters of lsattr(1) for the bits of FS_IOC_GETFLAGS (linux/fs.h).
var extFlags = map[byte]uint32{
	's': 0x1, 'u': 0x2, 'c': 0x4, 'S': 0x8, 'i': 0x10, 'a': 0x20, 'd': 0x40, 'A': 0x80,
	'm': 0x400, 'E': 0x800, 'I': 0x1000, 'j': 0x4000, 't': 0x8000, 'D': 0x10000, 'T': 0x20000,
	'e': 0x80000, 'V': 0x100000, 'C': 0x800000, 'x': 0x2000000, 'N': 0x10000000,
	'P': 0x20000000, 'F': 0x40000000,
}

const (
	extDirsync = 0x10000 // a directory's only

	fsIocGetversion = 0x80087601 // _IOR('v', 1, long)
	fsIocSetversion = 0x40087602 // _IOW('v', 2, long)
)

// extSettable are the letters that chattr(1) takes.
const extSettable = "aAcCdDeijmPsStTuFx"

// onInode has fn do an ioctl on a file or a directory, never on what a link
// points to.
func (d *Daemon) onInode(path Path, fn func(fd int, isDir bool) error) error {
	h, err := d.root.Handle(path, true)
	if err != nil {
		return wrap(err, "%s", path)
	}
	defer h.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(h.Fd()), &st); err != nil {
		return wrap(err, "%s", path)
	}
	isDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	if !isDir && st.Mode&unix.S_IFMT != unix.S_IFREG {
		return wrap(syscall.EOPNOTSUPP, "%s", path)
	}
	f, err := os.Open(guestroot.FDPath(h))
	if err != nil {
		return wrap(err, "%s", path)
	}
	defer f.Close()
	return wrap(fn(int(f.Fd()), isDir), "%s", path)
}

func (d Actions) GetE2attrs(file Path) (string, error) {
	letters := []byte{}
	err := d.onInode(file, func(fd int, _ bool) error {
		var flags uint32
		err := ioctlPtr(fd, unix.FS_IOC_GETFLAGS, &flags)
		for c, bit := range extFlags {
			if flags&bit != 0 {
				letters = append(letters, c)
			}
		}
		return err
	})
	slices.Sort(letters)
	return string(letters), err
}

func (d Actions) SetE2attrs(file Path, attrs string, o types.SetE2attrsOptions) error {
	var bits uint32
	for i, c := range []byte(attrs) {
		isLetter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		switch {
		case !isLetter:
			return fmt.Errorf("unknown file attribute '%c'", c)
		case strings.IndexByte(extSettable, c) < 0:
			return fmt.Errorf("bad file attribute '%c'", c)
		case strings.IndexByte(attrs[:i], c) >= 0:
			return fmt.Errorf("duplicate file attribute '%c'", c)
		}
		bits |= extFlags[c]
	}
	if bits == 0 {
		return nil
	}
	return d.onInode(file, func(fd int, isDir bool) error {
		var flags uint32
		if err := ioctlPtr(fd, unix.FS_IOC_GETFLAGS, &flags); err != nil {
			return err
		}
		if isTrue(o.Clear) {
			flags &^= bits
		} else {
			flags |= bits
		}
		if !isDir {
			flags &^= extDirsync
		}
		return ioctlPtr(fd, unix.FS_IOC_SETFLAGS, &flags)
	})
}

func (d Actions) GetE2generation(file Path) (int64, error) {
	var v uint32
	err := d.onInode(file, func(fd int, _ bool) error { return ioctlPtr(fd, fsIocGetversion, &v) })
	return int64(v), err
}

func (d Actions) SetE2generation(file Path, generation int64) error {
	v := uint32(generation)
	if int64(v) != generation {
		return errors.New("generation must be between 0 and 4294967295")
	}
	return d.onInode(file, func(fd int, _ bool) error { return ioctlPtr(fd, fsIocSetversion, &v) })
}

// MklostAndFound makes the directory as mklost+found(8) does: with room for
// many names already taken.
func (d Actions) MklostAndFound(mountpoint Path) error {
	dir, err := d.root.Host(mountpoint)
	if err != nil {
		return wrap(err, "%s", mountpoint)
	}
	err = (&Tool{Args: []string{"mklost+found"}, Dir: dir, FoldStdout: true}).Run(d.call)
	if err != nil {
		return fmt.Errorf("%s: %w", mountpoint, err)
	}
	return nil
}
