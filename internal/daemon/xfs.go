package daemon

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// xfsLabelMax is the space for a label in the superblock.
const xfsLabelMax = 12

func checkXFSLabel(label string) error {
	if len(label) > xfsLabelMax {
		return fmt.Errorf("%s: xfs labels are limited to %d bytes", label, xfsLabelMax)
	}
	return nil
}

// fsIocSetfslabel is FS_IOC_SETFSLABEL: _IOW(0x94, 50, char[256]) (linux/fs.h).
const fsIocSetfslabel = 0x41009432

// setXFSLabel has the kernel set the label, mounted or not. The tools cannot
// write a label that contains a blank, and pass it to a shell.
func (d *Daemon) setXFSLabel(dev Device, label string) error {
	if err := checkXFSLabel(label); err != nil {
		return err
	}
	var arg [256]byte
	copy(arg[:], label)
	return d.withMount(dev, "xfs", "nouuid", func(dir string) error {
		f, err := os.Open(dir)
		if err != nil {
			return wrap(err, "%s", d.shownDevice(dev))
		}
		defer f.Close()
		return wrap(ioctlPtr(int(f.Fd()), fsIocSetfslabel, &arg), "%s", d.shownDevice(dev))
	})
}

func (d *Daemon) setXFSUUID(dev Device, uuid string) error {
	switch uuid {
	case "nil", "generate", "restore":
	default:
		if err := checkUUID(uuid); err != nil {
			return err
		}
	}
	return d.xfsDB(dev, "-c", "uuid "+uuid)
}

// xfsDB changes a superblock.
func (d *Daemon) xfsDB(dev Device, args ...string) error {
	return d.onDevice(dev, append(append([]string{"xfs_db", "-x", "-p", "xfs_admin"}, args...), string(dev))...)
}

// xfsMinimumSize is the present size: XFS cannot shrink.
func (d *Daemon) xfsMinimumSize(dev Device) (int64, error) {
	dir, err := d.mountedAt(dev)
	if err != nil {
		return 0, err
	}
	h, err := d.mountedXFS(dir)
	if err != nil {
		return 0, err
	}
	return xfsNumber(h, "data.blocks") * xfsNumber(h, "data.bsize"), nil
}

func (d Actions) XfsAdmin(device Device, o types.XFSAdminOptions) error {
	if o.Label != nil {
		if err := checkXFSLabel(*o.Label); err != nil {
			return err
		}
	}
	b := argBuilder{}
	b.flag("-f", o.ImgFile)
	for _, feature := range []struct {
		value *bool
		name  string
	}{{o.ExtUnwritten, "extflg"}, {o.V2Log, "log2"}, {o.Projid32Bit, "projid32bit"}} {
		if isTrue(feature.value) {
			b.args = append(b.args, "-c", "version "+feature.name)
		}
	}
	if len(b.args) > 0 {
		if err := d.xfsDB(device, b.args...); err != nil {
			return err
		}
	}
	if o.Label != nil {
		label := *o.Label
		if label == "--" { // how xfs_admin(8) is told to remove it
			label = ""
		}
		if err := d.setXFSLabel(device, label); err != nil {
			return err
		}
	}
	if o.UUID != nil {
		if err := d.setXFSUUID(device, *o.UUID); err != nil {
			return err
		}
	}
	if o.LazyCounter != nil {
		c := "lazycount=0"
		if *o.LazyCounter {
			c = "lazycount=1"
		}
		return d.onDevice(device, "xfs_repair", "-c", c, string(device))
	}
	return nil
}

func (d Actions) XfsGrowfs(path Path, o types.XFSGrowfsOptions) error {
	b := argBuilder{args: []string{"xfs_growfs"}, negative: "%s must be >= 0"}
	b.flag("-d", o.DataSec)
	b.flag("-l", o.LogSec)
	b.flag("-r", o.RTSec)
	b.int64("-D", "datasize", o.DataSize)
	b.int64("-L", "logsize", o.LogSize)
	b.int64("-R", "rtsize", o.RTSize)
	b.int64("-e", "rtextsize", o.RTExtSize)
	b.int("-m", "maxpct", o.MaxPct)
	if b.err != nil {
		return b.err
	}
	return d.withMountTable(func(table string) error {
		return d.onFile(path, append(b.args, "-t", table)...)
	})
}

// withMountTable runs fn with a file that lists what is mounted, for tools that
// would otherwise find the wrong file system below the guest's root.
func (d *Daemon) withMountTable(fn func(name string) error) error {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return errnoOf(err)
	}
	var table strings.Builder
	for _, line := range lines(string(b)) {
		if !strings.HasPrefix(line, sysrootBase+" ") {
			table.WriteString(line + "\n")
		}
	}
	f, err := os.CreateTemp("", "mounts-")
	if err != nil {
		return errnoOf(err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(table.String())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return errnoOf(err)
	}
	return fn(f.Name())
}

func (d Actions) XfsRepair(device DevOrPath, o types.XFSRepairOptions) (int, error) {
	b := argBuilder{args: []string{"xfs_repair"}, negative: "%s must be >= 0"}
	b.flag("-L", o.ForceLogZero)
	b.flag("-n", o.NoModify)
	b.flag("-P", o.NoPrefetch)
	if isTrue(o.ForceGeometry) {
		b.args = append(b.args, "-o", "force_geometry")
	}
	b.int64("-m", "maxmem", o.MaxMem)
	b.value("-o", "ihash", "ihashsize", o.IHashSize)
	b.value("-o", "bhash", "bhashsize", o.BHashSize)
	b.value("-o", "ag_stride", "agstride", o.AGStride)
	for _, aux := range []struct {
		opt   string
		value *string
	}{{"-l", o.LogDev}, {"-r", o.RTDev}} {
		if aux.value != nil {
			dev, err := d.devices.Translate(*aux.value)
			if err != nil {
				return 0, err
			}
			b.args = append(b.args, aux.opt, string(dev))
		}
	}
	if b.err != nil {
		return 0, b.err
	}
	name := string(device.Device)
	if name == "" {
		file, err := d.imageFile(device.Path)
		if err != nil {
			return 0, err
		}
		b.args, name = append(b.args, "-f"), file
	}
	err := d.run(append(b.args, name)...)
	var te *ToolError
	if errors.As(err, &te) {
		why := ""
		switch {
		case strings.Contains(te.Text, "valuable metadata changes in a log"):
			why = "its log has changes that mounting it would bring in: mount and unmount it once, or throw them away with forcelogzero:true"
		case strings.Contains(te.Text, "could not find valid secondary superblock"):
			why = "there is no XFS, or all of its superblocks are damaged"
		}
		if why != "" {
			d.warn("xfs-repair: %s: nothing was repaired: %s", d.nameOf(device), why)
		}
	}
	return d.status(err, device.Device)
}

// imageFile is the appliance's name of a file of the guest that may be opened.
func (d *Daemon) imageFile(path Path) (string, error) {
	st, err := d.root.Stat(path)
	if err == nil {
		err = mayOpen(st)
	}
	var name string
	if err == nil {
		name, err = d.root.Host(path)
	}
	return name, wrap(err, "%s", path)
}

// Each section of what xfs_info prints begins with NAME=VALUE in the first
// column, and has more NAME=VALUE in it, some with a comma or a unit:
//
//	data     =                       bsize=4096   blocks=102400, imaxpct=25
//	         =                       sunit=0      swidth=0 blks
//	log      =internal log           bsize=4096   blocks=16384, version=2
var (
	xfsSection = regexp.MustCompile(`^([a-z][\w-]*) *=(.*)$`)
	xfsName    = regexp.MustCompile(`^(version \d+|\S+ log|\S+)`)
	xfsField   = regexp.MustCompile(`([\w-]+)=(\d+(?: (?:blks|extents))?)`)
)

// xfsGeometry reads the geometry of a device, a mounted file system or an image file.
func (d *Daemon) xfsGeometry(dp DevOrPath) (api.Hash, error) {
	target := string(dp.Device)
	if dp.Device != "" {
		if dir := d.mountPoint(dp.Device); dir != "" {
			return d.mountedXFS(dir)
		}
	} else {
		var err error
		if target, err = d.imageFile(dp.Path); err != nil {
			return nil, err
		}
		l, err := d.mountsBelow()
		if err != nil {
			return nil, err
		}
		for _, m := range l {
			if m.Point == target && m.Type == "xfs" {
				return d.mountedXFS(target)
			}
		}
	}
	out, err := d.output("xfs_db", "-r", "-p", "xfs_info", "-c", "info", target)
	return d.parseXFSInfo(out), err
}

func (d *Daemon) mountedXFS(dir string) (h api.Hash, err error) {
	err = d.withMountTable(func(table string) error {
		out, err := d.output("xfs_growfs", "-n", "-t", table, dir)
		h = d.parseXFSInfo(out)
		return err
	})
	return h, err
}

// parseXFSInfo takes the output apart. Keys are SECTION, for what the section's
// line begins with, and SECTION.FIELD.
func (d *Daemon) parseXFSInfo(out string) api.Hash {
	h := api.Hash{}
	section := ""
	for _, line := range lines(out) {
		rest := line
		if m := xfsSection.FindStringSubmatch(line); m != nil {
			section, rest = m[1], m[2]
			// Without a value of its own, a section's line is blank up to its fields.
			if name := xfsName.FindString(rest); name != "" {
				h = append(h, api.Pair{Key: section, Value: d.devices.Reverse(name)})
			}
		}
		for _, f := range xfsField.FindAllStringSubmatch(rest, -1) {
			h = append(h, api.Pair{Key: section + "." + f[1], Value: f[2]})
		}
	}
	return h
}

// xfsNumber is a field's number without its unit, all ones if it is missing.
func xfsNumber(h api.Hash, key string) int64 {
	v, _ := h.Get(key)
	number, _, _ := strings.Cut(v, " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (d Actions) XfsInfo2(pathordevice DevOrPath) (api.Hash, error) {
	return d.xfsGeometry(pathordevice)
}

func (d Actions) XfsInfo(pathordevice DevOrPath) (api.XFSInfo, error) {
	h, err := d.xfsGeometry(pathordevice)
	if err != nil {
		return api.XFSInfo{}, err
	}
	text := func(key string) string {
		v, _ := h.Get(key)
		v, _, _ = strings.Cut(v, " ")
		return v
	}
	number := func(key string) uint32 { return uint32(xfsNumber(h, key)) }
	dirVersion := ^uint32(0)
	if v, _ := h.Get("naming"); strings.HasPrefix(v, "version ") {
		n, _ := strconv.ParseUint(strings.TrimPrefix(v, "version "), 10, 32)
		dirVersion = uint32(n)
	}
	return api.XFSInfo{
		Mntpoint:     text("meta-data"),
		Inodesize:    number("meta-data.isize"),
		Agcount:      number("meta-data.agcount"),
		Agsize:       number("meta-data.agsize"),
		Sectsize:     number("meta-data.sectsz"),
		Attr:         number("meta-data.attr"),
		Blocksize:    number("data.bsize"),
		Datablocks:   uint64(xfsNumber(h, "data.blocks")),
		Imaxpct:      number("data.imaxpct"),
		Sunit:        number("data.sunit"),
		Swidth:       number("data.swidth"),
		Dirversion:   dirVersion,
		Dirblocksize: number("naming.bsize"),
		Cimode:       number("naming.ascii-ci"),
		Logname:      api.DeviceField(text("log")),
		Logblocksize: number("log.bsize"),
		Logblocks:    number("log.blocks"),
		Logversion:   number("log.version"),
		Logsectsize:  number("log.sectsz"),
		Logsunit:     number("log.sunit"),
		Lazycount:    number("log.lazy-count"),
		Rtname:       api.DeviceField(text("realtime")),
		Rtextsize:    ^uint32(0), // libguestfs does not fill it in either
		Rtblocks:     uint64(xfsNumber(h, "realtime.blocks")),
		Rtextents:    uint64(xfsNumber(h, "realtime.rtextents")),
	}, nil
}
