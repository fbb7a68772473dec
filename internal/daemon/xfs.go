package daemon

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gofish/internal/api"
)

// xfsLabelMax is the room for a label in the superblock.
const xfsLabelMax = 12

func checkXFSLabel(label string) error {
	if len(label) > xfsLabelMax {
		return fmt.Errorf("%s: xfs labels are limited to %d bytes", label, xfsLabelMax)
	}
	return nil
}

// clearLabel is what xfs_admin takes for no label.
const clearLabel = "--"

func (d *Daemon) setXFSLabel(dev Device, label string) error {
	if label == "" {
		label = clearLabel
	}
	return d.xfsAdmin(dev, xfsAdminOpts{Label: &label})
}

func (d *Daemon) setXFSUUID(dev Device, uuid string) error {
	return d.xfsAdmin(dev, xfsAdminOpts{Uuid: &uuid})
}

// xfsMinimumSize is the size it has: XFS does not shrink.
func (d *Daemon) xfsMinimumSize(dev Device) (int64, error) {
	dir, err := d.mountedAt(dev)
	if err != nil {
		return 0, err
	}
	h, err := xfsGeometry(dir)
	if err != nil {
		return 0, err
	}
	return xfsNumber(h, "data.blocks") * xfsNumber(h, "data.bsize"), nil
}

type xfsAdminOpts struct {
	Extunwritten, Imgfile, V2log, Projid32bit, Lazycounter *bool

	Label, Uuid *string
}

func (d Actions) XfsAdmin(device Device, o xfsAdminOpts) error { return d.xfsAdmin(device, o) }

func (d *Daemon) xfsAdmin(device Device, o xfsAdminOpts) error {
	b := argBuilder{args: []string{"xfs_admin"}}
	b.flag("-e", o.Extunwritten)
	b.flag("-f", o.Imgfile)
	b.flag("-j", o.V2log)
	b.flag("-p", o.Projid32bit)
	if o.Lazycounter != nil {
		c := "0"
		if *o.Lazycounter {
			c = "1"
		}
		b.args = append(b.args, "-c", c)
	}
	if o.Label != nil {
		if err := checkXFSLabel(*o.Label); err != nil {
			return err
		}
	}
	b.text("-L", o.Label)
	if o.Uuid != nil {
		switch *o.Uuid {
		case "nil", "generate", "restore":
		default:
			if err := checkUUID(*o.Uuid); err != nil {
				return err
			}
		}
	}
	b.text("-U", o.Uuid)
	return d.onDevice(device, append(b.args, string(device))...)
}

type xfsGrowfsOpts struct {
	Datasec, Logsec, Rtsec *bool

	Datasize, Logsize, Rtsize, Rtextsize *int64

	Maxpct *int
}

func (d Actions) XfsGrowfs(path Path, o xfsGrowfsOpts) error {
	b := argBuilder{args: []string{"xfs_growfs"}, negative: "%s must be >= 0"}
	b.flag("-d", o.Datasec)
	b.flag("-l", o.Logsec)
	b.flag("-r", o.Rtsec)
	b.int64("-D", "datasize", o.Datasize)
	b.int64("-L", "logsize", o.Logsize)
	b.int64("-R", "rtsize", o.Rtsize)
	b.int64("-e", "rtextsize", o.Rtextsize)
	b.int("-m", "maxpct", o.Maxpct)
	if b.err != nil {
		return b.err
	}
	return d.onFile(path, b.args...)
}

type xfsRepairOpts struct {
	Forcelogzero, Nomodify, Noprefetch, Forcegeometry *bool

	Maxmem, Ihashsize, Bhashsize, Agstride *int64

	Logdev, Rtdev *string
}

func (d Actions) XfsRepair(device DevOrPath, o xfsRepairOpts) (int, error) {
	b := argBuilder{args: []string{"xfs_repair"}, negative: "%s must be >= 0"}
	b.flag("-L", o.Forcelogzero)
	b.flag("-n", o.Nomodify)
	b.flag("-P", o.Noprefetch)
	if given(o.Forcegeometry) {
		b.args = append(b.args, "-o", "force_geometry")
	}
	b.int64("-m", "maxmem", o.Maxmem)
	b.value("-o", "ihash", "ihashsize", o.Ihashsize)
	b.value("-o", "bhash", "bhashsize", o.Bhashsize)
	b.value("-o", "ag_stride", "agstride", o.Agstride)
	for _, aux := range []struct {
		opt   string
		value *string
	}{{"-l", o.Logdev}, {"-r", o.Rtdev}} {
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
	if device.Device != "" {
		return d.status(run(append(b.args, string(device.Device))...), device.Device)
	}
	file, err := d.imageFile(device.Path)
	if err != nil {
		return 0, err
	}
	return d.status(run(append(b.args, "-f", file)...), "")
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
	return name, say(err, "%s", path)
}

// xfsTarget is what xfs_info is to look at.
func (d *Daemon) xfsTarget(dp DevOrPath) (string, error) {
	if dp.Device != "" {
		return string(dp.Device), nil
	}
	return d.imageFile(dp.Path)
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

// xfsGeometry takes the output of xfs_info apart. Keys are SECTION, for what the
// section's line begins with, and SECTION.FIELD.
func xfsGeometry(target string) (api.Hash, error) {
	out, err := (&Tool{Args: []string{"xfs_info", target}}).Output(context.Background())
	if err != nil {
		return nil, err
	}
	return parseXFSInfo(out), nil
}

func parseXFSInfo(out string) api.Hash {
	h := api.Hash{}
	section := ""
	for _, line := range lines(out) {
		rest := line
		if m := xfsSection.FindStringSubmatch(line); m != nil {
			section, rest = m[1], m[2]
			// Without a value of its own, a section's line is blank up to its fields.
			if name := xfsName.FindString(rest); name != "" {
				h = append(h, api.Pair{Key: section, Value: name})
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
	target, err := d.xfsTarget(pathordevice)
	if err != nil {
		return nil, err
	}
	h, err := xfsGeometry(target)
	if err == nil && len(h) > 0 && h[0].Key == "meta-data" {
		h[0].Value = d.devices.Reverse(h[0].Value)
	}
	return h, err
}

func (d Actions) XfsInfo(pathordevice DevOrPath) (api.Xfsinfo, error) {
	h, err := d.XfsInfo2(pathordevice)
	if err != nil {
		return api.Xfsinfo{}, err
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
	return api.Xfsinfo{
		XfsMntpoint:     text("meta-data"),
		XfsInodesize:    number("meta-data.isize"),
		XfsAgcount:      number("meta-data.agcount"),
		XfsAgsize:       number("meta-data.agsize"),
		XfsSectsize:     number("meta-data.sectsz"),
		XfsAttr:         number("meta-data.attr"),
		XfsBlocksize:    number("data.bsize"),
		XfsDatablocks:   uint64(xfsNumber(h, "data.blocks")),
		XfsImaxpct:      number("data.imaxpct"),
		XfsSunit:        number("data.sunit"),
		XfsSwidth:       number("data.swidth"),
		XfsDirversion:   dirVersion,
		XfsDirblocksize: number("naming.bsize"),
		XfsCimode:       number("naming.ascii-ci"),
		XfsLogname:      text("log"),
		XfsLogblocksize: number("log.bsize"),
		XfsLogblocks:    number("log.blocks"),
		XfsLogversion:   number("log.version"),
		XfsLogsectsize:  number("log.sectsz"),
		XfsLogsunit:     number("log.sunit"),
		XfsLazycount:    number("log.lazy-count"),
		XfsRtname:       text("realtime"),
		XfsRtextsize:    ^uint32(0), // never filled in by the original either
		XfsRtblocks:     uint64(xfsNumber(h, "realtime.blocks")),
		XfsRtextents:    uint64(xfsNumber(h, "realtime.rtextents")),
	}, nil
}
