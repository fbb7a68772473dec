package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// labels are the partition tables that can be made, and other names for them.
var labels = map[string]string{
	"aix": "aix", "amiga": "amiga", "bsd": "bsd", "dasd": "dasd", "dvh": "dvh", "gpt": "gpt", "mac": "mac",
	"msdos": "msdos", "pc98": "pc98", "sun": "sun",
	"rdb": "amiga", "efi": "gpt", "mbr": "msdos",
}

func labelName(parttype string) (string, error) {
	if l, ok := labels[parttype]; ok {
		return l, nil
	}
	return "", errors.New(`unknown partition type: common choices are "gpt" and "msdos"`)
}

func checkPartnum(n int) error {
	if n <= 0 {
		return errors.New("partition number must be >= 1")
	}
	return nil
}

// partedEnv lets parted read and write names of partitions that are not ASCII.
var partedEnv = []string{"LC_ALL=C.UTF-8"}

// noUdev is what a shell says when parted wants to wait for udev.
const noUdev = "udevadm: not found"

// awaitPartitions waits, but not forever, until every partition that the kernel
// knows on a disk has its node.
func awaitPartitions(dev Device) error {
	name := filepath.Base(string(dev))
	missing := ""
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		missing = ""
		for _, p := range globAll("/sys/block/" + name + "/" + name + "*/dev") {
			node := "/dev/" + filepath.Base(filepath.Dir(p))
			if _, err := os.Stat(node); err != nil {
				missing = node
			}
		}
		if missing == "" {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: the kernel has made the partition, but no device node", missing)
		}
	}
}

// partitionRow is one partition of a table.
type partitionRow struct {
	num              int
	start, end, size int64 // bytes
	name             string
	bootable         bool
	extended         bool // holds logical partitions
}

// partitionTable reads a disk's partition table: its kind and its partitions, in the
// order of their places.
func (d *Daemon) partitionTable(dev Device) (label string, rows []partitionRow, err error) {
	t := &Tool{Args: []string{"parted", "-m", "-s", "--", string(dev), "unit", "b", "print"}, Env: partedEnv}
	out, err := t.Output(d.call)
	if err != nil {
		err = folded(out, withoutLines(err, noUdev))
		if label, rows, ok := refusedTable(dev); ok {
			return label, rows, nil
		}
		if strings.Contains(err.Error(), "unrecognised disk label") {
			return "", nil, fmt.Errorf("parted: %s: %v: %w", dev, err, syscall.EINVAL)
		}
		return "", nil, fmt.Errorf("parted: %s: %w", dev, err)
	}
	if label, err = parsePartitionLabel(dev, out); err != nil {
		return "", nil, err
	}
	// Names in a GPT may hold anything, even text that looks like parted's output.
	if label == "gpt" || label == "msdos" {
		err = withTable(dev, label, os.O_RDONLY, func(t table) error {
			rows = t.rows()
			return nil
		})
		return label, rows, err
	}
	rows, err = parsePartitionRows(dev, out)
	return label, rows, err
}

// refusedTable reads a table that parted refuses to read, as the kernel reads it: partitions
// overlap, the image was cut off, there are more than parted can count. An MBR before a GPT
// only protects that.
func refusedTable(dev Device) (label string, rows []partitionRow, ok bool) {
	f, err := os.Open(string(dev))
	if err != nil {
		return "", nil, false
	}
	defer f.Close()
	disk, err := tableOn(f)
	if err != nil {
		return "", nil, false
	}
	first, err := disk.read(0, 1)
	switch {
	case err != nil:
		return "", nil, false
	case isTable(first) && protectiveEntry(first) == nil:
		label, ok = "msdos", validMBR(first) && len(kernelPartitions(string(dev))) > 0
	default:
		label, ok = "gpt", isTable(first) || len(kernelPartitions(string(dev))) > 0
	}
	if !ok {
		return "", nil, false
	}
	err = withTable(dev, label, os.O_RDONLY, func(t table) error {
		rows = t.rows()
		return nil
	})
	return label, rows, err == nil
}

// table is a partition table of a kind that is changed here and not by parted, which
// rewrites all of it: identities, boot code, and anything it does not know are lost.
type table interface {
	rows() []partitionRow
	add(kind string, start, end int64) error
	del(n int) error
	resize(n int, end int64) error
	setBootable(n int, on bool) error
}

// withTable runs fn on the partition table of a disk, of the kind that label says.
func withTable(dev Device, label string, flags int, fn func(table) error) error {
	f, err := os.OpenFile(string(dev), flags, 0)
	if err != nil {
		return wrap(err, "%s", dev)
	}
	defer f.Close()
	disk, err := tableOn(f)
	if err != nil {
		return fmt.Errorf("%s: %w", dev, err)
	}
	var t table
	if label == "gpt" {
		t, err = readGPT(disk)
	} else {
		t, err = readMBR(disk)
	}
	if err == nil {
		err = fn(t)
	}
	if err == nil && flags != os.O_RDONLY {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", dev, err)
	}
	return nil
}

// changeTable runs fn on the partition table of a disk, and then tells the kernel; for
// tables of other kinds it runs parted instead.
func (d *Daemon) changeTable(dev Device, fn func(table) error, parted func(label string) error) error {
	label, err := d.partitionLabel(dev)
	if err != nil {
		return err
	}
	if label != "gpt" && label != "msdos" {
		return parted(label)
	}
	var rows []partitionRow
	err = withTable(dev, label, os.O_RDWR, fn)
	if err == nil {
		err = withTable(dev, label, os.O_RDONLY, func(t table) error {
			rows = t.rows()
			return nil
		})
	}
	if err != nil {
		return err
	}
	return d.tellKernel(dev, rows)
}

// changeGPT is changeTable for what only a GPT has.
func (d *Daemon) changeGPT(dev Device, fn func(*gpt) error) error {
	return d.changeTable(dev, func(t table) error {
		if g, ok := t.(*gpt); ok {
			return fn(g)
		}
		return errNoGPT("msdos")
	}, func(label string) error { return fmt.Errorf("%s: %w", dev, errNoGPT(label)) })
}

// ofGPT reads something of a GPT.
func ofGPT[T any](d *Daemon, dev Device, fn func(*gpt) (T, error)) (v T, err error) {
	label, err := d.partitionLabel(dev)
	if err == nil && label != "gpt" {
		err = fmt.Errorf("%s: %w", dev, errNoGPT(label))
	}
	if err != nil {
		return v, err
	}
	err = withTable(dev, label, os.O_RDONLY, func(t table) (err error) {
		v, err = fn(t.(*gpt))
		return err
	})
	return v, err
}

func errNoGPT(label string) error {
	return fmt.Errorf("the disk has no GPT, but a partition table of kind %s", label)
}

func errNoMBR(label string) error {
	return fmt.Errorf("the disk has no MBR, but a partition table of kind %s", label)
}

func errNoPart(n int) error {
	return fmt.Errorf("partition number %d not found: %w", n, errnoOnly(syscall.ENOENT))
}

// errShrinks prevents the loss of data beyond a partition's new end.
func errShrinks(end, was int64) error {
	return fmt.Errorf("sector %d: the partition ends at sector %d and would become smaller: what is there would be lost (if that is wanted, part-del and part-add)", end, was)
}

// tellKernel has the kernel read a disk's partition table, which has these rows. If one
// of the partitions is in use, it is told about the others one by one.
func (d *Daemon) tellKernel(dev Device, rows []partitionRow) error {
	f, err := os.Open(string(dev))
	if err != nil {
		return wrap(err, "%s", dev)
	}
	defer f.Close()
	if unix.IoctlSetInt(int(f.Fd()), unix.BLKRRPART, 0) == unix.EBUSY {
		if err := tellChanges(f, filepath.Base(string(dev)), rows); err != nil {
			return fmt.Errorf("%s: the table was written, but the kernel still uses the old one, since a partition of it is in use: %w", dev, err)
		}
	} else {
		d.mendPartitions(string(dev))
	}
	return awaitPartitions(dev)
}

// Operations of BLKPG (linux/blkpg.h).
const (
	blkpgAdd    = 1
	blkpgDel    = 2
	blkpgResize = 3
)

// blkpg changes what the kernel knows of one partition.
func blkpg(disk *os.File, op int32, r partitionRow) error {
	var p struct {
		start, length int64
		num           int32
		_             [128]byte // names, not used
	}
	p.start, p.length, p.num = r.start, r.size, int32(r.num)
	arg := struct {
		op, flags, size int32
		data            unsafe.Pointer
	}{op: op, size: int32(unsafe.Sizeof(p)), data: unsafe.Pointer(&p)}
	return ioctlPtr(int(disk.Fd()), unix.BLKPG, &arg)
}

// tellChanges tells the kernel how the rows differ from what it knows. Partitions
// that have moved are removed first, since they may be in the way.
func tellChanges(disk *os.File, name string, rows []partitionRow) error {
	known := map[int]partitionRow{}
	number := func(dir, file string) int64 {
		b, _ := os.ReadFile(dir + "/" + file)
		n, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		return n
	}
	for _, p := range globAll("/sys/block/" + name + "/" + name + "*/partition") {
		const sector = 512 // the kernel's, whatever the disk's
		dir := filepath.Dir(p)
		r := partitionRow{num: int(number(dir, "partition")), start: number(dir, "start") * sector, size: number(dir, "size") * sector}
		known[r.num] = r
	}
	wanted := map[int]partitionRow{}
	for _, r := range rows {
		if r.extended {
			r.size = min(r.size, 1024) // as much as a boot loader needs, so that nobody overwrites the logical ones
		}
		wanted[r.num] = r
	}
	for n, r := range known {
		if w, ok := wanted[n]; !ok || w.start != r.start {
			if err := blkpg(disk, blkpgDel, r); err != nil {
				return err
			}
			delete(known, n)
		}
	}
	for n, w := range wanted {
		r, ok := known[n]
		var err error
		switch {
		case !ok:
			err = blkpg(disk, blkpgAdd, w)
		case r.size != w.size && !w.extended:
			err = blkpg(disk, blkpgResize, w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notInUse refuses a partition that is mounted, or part of something that is in use.
func notInUse(dev Device, partnum int) error {
	name := filepath.Base(string(dev))
	for _, p := range globAll("/sys/block/" + name + "/" + name + "*/partition") {
		b, _ := os.ReadFile(p)
		if strings.TrimSpace(string(b)) != strconv.Itoa(partnum) {
			continue
		}
		node := "/dev/" + filepath.Base(filepath.Dir(p))
		fd, err := unix.Open(node, unix.O_RDONLY|unix.O_EXCL|unix.O_CLOEXEC, 0)
		if err == unix.EBUSY {
			return fmt.Errorf("%s: partition %d is in use (unmount it first)", dev, partnum)
		}
		if err == nil {
			unix.Close(fd)
		}
	}
	return nil
}

// partitionRowOf is the row of one partition, and the kind of the table.
func (d *Daemon) partitionRowOf(dev Device, partnum int) (string, *partitionRow, error) {
	if err := checkPartnum(partnum); err != nil {
		return "", nil, err
	}
	label, rows, err := d.partitionTable(dev)
	if err != nil {
		return "", nil, err
	}
	for i := range rows {
		if rows[i].num == partnum {
			return label, &rows[i], nil
		}
	}
	return label, nil, errNoPart(partnum)
}

func (d Actions) PartInit(device Device, parttype string) error {
	label, err := labelName(parttype)
	if err != nil {
		return err
	}
	return d.parted(device, "mklabel", label)
}

func (d Actions) PartAdd(device Device, prlogex string, startsect, endsect int64) error {
	kinds := map[string]string{"p": "primary", "l": "logical", "e": "extended"}
	kind := prlogex
	if k, ok := kinds[prlogex]; ok {
		kind = k
	} else if kind != "primary" && kind != "logical" && kind != "extended" {
		return fmt.Errorf(`unknown partition type: %s: this should be "primary", "logical" or "extended"`, prlogex)
	}
	if startsect < 0 {
		return errors.New("startsect cannot be negative")
	}
	return d.changeTable(device,
		func(t table) error { return t.add(kind, startsect, endsect) },
		func(label string) error {
			return d.partedAdd(device, label, kind, sectors(startsect), sectors(endsect))
		})
}

// unnamed are the kinds of tables whose partitions have neither a kind nor a name.
var unnamed = map[string]bool{"sun": true, "bsd": true}

// byCylinder are those whose partitions begin and end where cylinders do.
var byCylinder = map[string]bool{"sun": true, "amiga": true, "pc98": true, "dvh": true}

// closest is where parted says that a partition could be.
var closest = regexp.MustCompile(`closest location we can manage is .* \(sectors (\d+)\.\.(\d+)\)`)

func (d Actions) PartDel(device Device, partnum int) error {
	if err := cmp.Or(checkPartnum(partnum), notInUse(device, partnum)); err != nil {
		return err
	}
	return d.changeTable(device,
		func(t table) error { return t.del(partnum) },
		func(string) error { return d.partedPart(device, partnum, "rm") })
}

func (d Actions) PartResize(device Device, partnum int, endsect int64) error {
	if err := cmp.Or(checkPartnum(partnum), notInUse(device, partnum)); err != nil {
		return err
	}
	return d.changeTable(device,
		func(t table) error { return t.resize(partnum, endsect) },
		func(string) error { return d.partedPart(device, partnum, "resizepart", sectors(endsect)) })
}

func (d Actions) PartDisk(device Device, parttype string) error {
	label, err := labelName(parttype)
	if err != nil {
		return err
	}
	name := "primary"
	if label == "gpt" {
		name = "p1"
	}
	// 64 kB free on either side: aligned for any disk, and room for the table's copy.
	if err := d.parted(device, "mklabel", label); err != nil {
		return err
	}
	return d.partedAdd(device, label, name, sectors(128), sectors(-128))
}

func (d Actions) PartList(device Device) ([]api.Partition, error) {
	_, rows, err := d.partitionTable(device)
	if err != nil {
		return nil, err
	}
	list := []api.Partition{}
	for _, r := range rows {
		list = append(list, api.Partition{Num: int32(r.num), Start: api.ByteCount(r.start), End: api.ByteCount(r.end), Size: api.ByteCount(r.size)})
	}
	return list, nil
}

func (d Actions) PartGetParttype(device Device) (string, error) { return d.partitionLabel(device) }

// partitionLabel is the kind of a disk's partition table. What parted calls
// "loop" is a file system on the whole disk.
func (d *Daemon) partitionLabel(dev Device) (string, error) {
	label, _, err := d.partitionTable(dev)
	if err == nil && label == "loop" {
		err = fmt.Errorf("%s: not a partitioned device", dev)
	}
	return label, err
}

func (d Actions) PartSetBootable(device Device, partnum int, bootable bool) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return d.changeTable(device,
		func(t table) error { return t.setBootable(partnum, bootable) },
		func(string) error {
			state := "off"
			if bootable {
				state = "on"
			}
			return d.partedPart(device, partnum, "set", "boot", state)
		})
}

func (d Actions) PartGetBootable(device Device, partnum int) (bool, error) {
	_, row, err := d.partitionRowOf(device, partnum)
	if err != nil {
		return false, err
	}
	return row.bootable, nil
}

func (d Actions) PartSetName(device Device, partnum int, name string) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return d.changeTable(device,
		func(t table) error {
			g, ok := t.(*gpt)
			if !ok {
				return errNoGPT("msdos")
			}
			return g.change(partnum, func(e []byte) error { return setGPTName(e, name) })
		},
		func(string) error {
			// parted splits its arguments into words again, as a shell would.
			quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
			return d.partedPart(device, partnum, "name", quoted)
		})
}

func (d Actions) PartGetName(device Device, partnum int) (string, error) {
	label, row, err := d.partitionRowOf(device, partnum)
	if err != nil {
		return "", err
	}
	switch label {
	case "gpt", "amiga", "mac", "pc98":
		return row.name, nil
	}
	return "", fmt.Errorf("%s: %w", device, errNoGPT(label))
}

func (d Actions) PartGetMbrId(device Device, partnum int) (int, error) {
	if err := checkPartnum(partnum); err != nil {
		return 0, err
	}
	label, err := d.partitionLabel(device)
	if err != nil {
		return 0, err
	}
	if label != "msdos" {
		return 0, fmt.Errorf("%s: %w", device, errNoMBR(label))
	}
	id := 0
	err = withTable(device, label, os.O_RDONLY, func(t table) error {
		p, err := t.(*mbr).part(partnum)
		if err == nil {
			id = int(p.typ)
		}
		return err
	})
	return id, err
}

func (d Actions) PartSetMbrId(device Device, partnum int, idbyte int) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	if idbyte < 0 || idbyte > 255 {
		return fmt.Errorf("idbyte must be between 0 and 255 (was %d)", idbyte)
	}
	return d.changeTable(device, func(t table) error {
		if m, ok := t.(*mbr); ok {
			return m.setType(partnum, byte(idbyte))
		}
		return errNoMBR("gpt")
	}, func(label string) error { return fmt.Errorf("%s: %w", device, errNoMBR(label)) })
}

func (d Actions) PartGetMbrPartType(device Device, partnum int) (string, error) {
	if err := checkPartnum(partnum); err != nil {
		return "", err
	}
	label, _, err := d.partitionRowOf(device, partnum)
	if err != nil {
		return "", err
	}
	switch {
	case label != "msdos":
		return "primary", nil // other tables have only one kind
	case partnum > 4:
		return "logical", nil
	}
	id, err := d.PartGetMbrId(device, partnum)
	if err != nil {
		return "", err
	}
	switch id {
	case 0x05, 0x0f, 0x85:
		return "extended", nil
	}
	return "primary", nil
}

func (d Actions) PartSetGptType(device Device, partnum int, guid string) error {
	return d.setPartGUID(device, partnum, gptType, guid)
}

func (d Actions) PartSetGptGuid(device Device, partnum int, guid string) error {
	return d.setPartGUID(device, partnum, gptGUID, guid)
}

func (d *Daemon) setPartGUID(dev Device, partnum, at int, guid string) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return d.changeGPT(dev, func(g *gpt) error { return g.setGUID(partnum, at, guid) })
}

func (d Actions) PartGetGptType(device Device, partnum int) (string, error) {
	return partOfGPT(d.Daemon, device, partnum, func(e []byte) string { return shownGUID(e[gptType:]) })
}

func (d Actions) PartGetGptGuid(device Device, partnum int) (string, error) {
	return partOfGPT(d.Daemon, device, partnum, func(e []byte) string { return shownGUID(e[gptGUID:]) })
}

// partOfGPT reads something of a partition's entry.
func partOfGPT[T any](d *Daemon, dev Device, partnum int, fn func(entry []byte) T) (v T, err error) {
	if err := checkPartnum(partnum); err != nil {
		return v, err
	}
	return ofGPT(d, dev, func(g *gpt) (v T, err error) {
		e, err := g.part(partnum)
		if err != nil {
			return v, err
		}
		return fn(e), nil
	})
}

func (d Actions) PartSetGptAttributes(device Device, partnum int, attributes int64) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return d.changeGPT(device, func(g *gpt) error {
		return g.change(partnum, func(e []byte) error {
			le.PutUint64(e[gptAttributes:], uint64(attributes))
			return nil
		})
	})
}

func (d Actions) PartGetGptAttributes(device Device, partnum int) (int64, error) {
	return partOfGPT(d.Daemon, device, partnum, func(e []byte) int64 { return int64(le.Uint64(e[gptAttributes:])) })
}

func (d Actions) PartSetDiskGuid(device Device, guid string) error {
	b := guidBytes(guid)
	if b == nil {
		return fmt.Errorf("%s: not a GUID", guid)
	}
	return d.setDiskGUID(device, b)
}

func (d Actions) PartSetDiskGuidRandom(device Device) error { return d.setDiskGUID(device, newGUID()) }

func (d *Daemon) setDiskGUID(dev Device, guid []byte) error {
	return d.changeGPT(dev, func(g *gpt) error {
		copy(g.main.header[headerDiskGUID:], guid)
		return g.save()
	})
}

func (d Actions) PartGetDiskGuid(device Device) (string, error) {
	return ofGPT(d.Daemon, device, func(g *gpt) (string, error) { return shownGUID(g.main.header[headerDiskGUID:]), nil })
}

// PartExpandGpt does not ask for the label first: with a hybrid MBR in front of it, a
// GPT whose first half is damaged looks like an MBR to everything else.
func (d Actions) PartExpandGpt(device Device) error {
	var rows []partitionRow
	err := withTable(device, "gpt", os.O_RDWR, func(t table) error {
		g := t.(*gpt)
		first, err := g.read(0, 1)
		if err != nil {
			return err
		}
		if typ := d.probeType(string(device)); typ != "" && !isTable(first) {
			return fmt.Errorf("the GPT is from an earlier use: the disk holds %s", typ)
		}
		rows = g.rows()
		return g.expand()
	})
	if errors.Is(err, errGPTDamaged) {
		if label, other := d.partitionLabel(device); other != nil {
			err = other
		} else if label != "gpt" {
			err = fmt.Errorf("%s: %w", device, errNoGPT(label))
		} else {
			err = fmt.Errorf("%s: neither the GPT nor a copy of it at the disk's end can be read", device)
		}
	}
	if err != nil {
		return err
	}
	return d.tellKernel(device, rows)
}

var errNoPartition = fmt.Errorf("device name is not a partition: %w", errnoOnly(syscall.EINVAL))

// partitionName takes the name of a partition apart: sda3, nvme0n1p3, md0p3.
var partitionName = regexp.MustCompile(`^(/dev/.*?)(?:(\d)p)?(\d+)$`)

// splitPartition returns the disk of a partition and the partition's number.
func splitPartition(part Device) (Device, int, error) {
	m := partitionName.FindStringSubmatch(string(part))
	if m != nil {
		n, err := strconv.Atoi(m[3])
		if err == nil {
			return Device(m[1] + m[2]), n, nil
		}
	}
	return "", 0, errNoPartition
}

// isPartition asks the kernel.
func isPartition(dev Device) bool {
	dir := sysFolder(string(dev))
	return dir != "" && unix.Access(dir+"/partition", unix.F_OK) == nil
}

func (d Actions) PartToDev(partition Device) (string, error) {
	disk, _, err := splitPartition(partition)
	if err == nil && !isPartition(partition) {
		err = errNoPartition
	}
	return string(disk), err
}

func (d Actions) PartToPartnum(partition Device) (int, error) {
	_, n, err := splitPartition(partition)
	if err == nil && !isPartition(partition) {
		err = errNoPartition
	}
	return n, err
}

func (d Actions) ListPartitions() ([]string, error) {
	return append(d.devices.Partitions(), mdPartitions()...), nil
}

func (d Actions) Sfdisk(device Device, cyls, heads, sectors int, lines []string) error {
	return d.sfdisk(device, lines)
}

func (d Actions) SfdiskN(device Device, partnum, cyls, heads, sectors int, line string) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return d.sfdisk(device, []string{line}, "-N", strconv.Itoa(partnum))
}

func (d Actions) SfdiskM(device Device, lines []string) error {
	in := []string{}
	for _, l := range lines {
		in = append(in, inMegabytes(l))
	}
	return d.sfdisk(device, in)
}

func (d Actions) SfdiskL(device Device) (string, error) {
	return d.output("sfdisk", "-l", string(device))
}

func (d Actions) SfdiskKernelGeometry(device Device) (string, error) {
	return d.output("sfdisk", "-g", string(device))
}

func (d Actions) SfdiskDiskGeometry(device Device) (string, error) {
	return d.output("sfdisk", "-G", string(device))
}
